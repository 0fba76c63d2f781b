#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <climits>
#include <exception>
#include <unordered_set>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/utf8.h"
#include "io/weights/onnx.h"
#include "io/weights/onnx_dtype.h"

namespace resflow {
namespace {

// Far above any name, description of a value or list of classes, far below what values may have.
constexpr uint64_t kMaxTextBytes = 16 << 20;
constexpr uint64_t kMaxIrVersion = 1000;
constexpr uint64_t kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;

// Protobuf is no place for exceptions to pass: one that the file throws waits here.
class SeekingStream : public google::protobuf::io::CopyingInputStream {
 public:
  explicit SeekingStream(const std::string& path) : file_(path) {}

  int64_t size() const { return file_.size(); }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

  int Read(void* buffer, int size) override {
    const auto count = static_cast<int>(std::min<int64_t>(size, file_.size() - at_));
    try {
      file_.read(at_, {static_cast<uint8_t*>(buffer), static_cast<size_t>(count)});
    } catch (...) {
      error_ = std::current_exception();
      return -1;
    }
    at_ += count;
    return count;
  }
  int Skip(int count) override {
    const auto skipped = static_cast<int>(std::min<int64_t>(count, file_.size() - at_));
    at_ += skipped;
    return skipped;
  }

 private:
  InputFile file_;
  int64_t at_ = 0;
  std::exception_ptr error_;
};

struct Field {
  uint32_t number, type;
  // As declared in the schema; a field that is not is some later version's, or foreign.
  bool is(int wanted, uint64_t wanted_type) const {
    return number == static_cast<uint32_t>(wanted) && type == wanted_type;
  }
};

// Goes over the fields of messages without making any.
class Walker {
 public:
  explicit Walker(const std::string& path) : path_(path), stream_(path), buffer_(&stream_, kBlockBytes), in_(&buffer_) {
    if (stream_.size() > INT_MAX)
      throw data_error("{}: {} bytes, and an ONNX file has at most {}", path, stream_.size(), INT_MAX);
    in_.PushLimit(static_cast<int>(stream_.size()));
  }

  [[noreturn]] void damaged(const std::string& what) {
    stream_.rethrow();
    throw data_error("{}: damaged ONNX, or none: {}", path_, what);
  }

  uint64_t file_bytes() const { return static_cast<uint64_t>(stream_.size()); }

  // Calls on_field for each field of the next `length` bytes; one of which it says false is skipped.
  template <class OnField>
  void message(uint64_t length, OnField on_field) {
    within(length, [&] {
      const Field field = next();
      if (!on_field(field)) skip(field);
    });
  }

  // Calls `read_one` until the next `length` bytes are read.
  template <class ReadOne>
  void within(uint64_t length, ReadOne read_one) {
    const auto outer = in_.PushLimit(static_cast<int>(length));
    while (in_.BytesUntilLimit() > 0) read_one();
    in_.PopLimit(outer);
  }

  Field next() {
    const uint32_t tag = in_.ReadTagNoLastTag();
    const Field field = {.number = tag >> 3U, .type = tag & 7U};
    if (field.number == 0) damaged(fmt::format("no field begins where one should, at byte {}", in_.CurrentPosition()));
    return field;
  }

  uint64_t varint() {
    uint64_t value = 0;
    if (!in_.ReadVarint64(&value)) damaged(fmt::format("no number at byte {}", in_.CurrentPosition()));
    return value;
  }

  // Of the field that begins here; it stands within what contains it.
  uint64_t length() {
    const uint64_t length = varint();
    const auto at = static_cast<uint64_t>(in_.CurrentPosition()), room = static_cast<uint64_t>(in_.BytesUntilLimit());
    if (length <= room) return length;
    if (at + room == file_bytes()) {
      stream_.rethrow();
      throw data_error("{}: truncated ONNX, or none: a part of {} bytes begins at byte {}, the file ends at byte {}",
                       path_, length, at, file_bytes());
    }
    damaged(fmt::format("at byte {} a part has {} bytes, what contains it {}", at, length, room));
  }

  std::string text() {
    std::string bytes = small();
    if (!is_utf8(bytes)) damaged(fmt::format("\"{}\" is no UTF-8", printable(bytes)));
    return bytes;
  }

  template <class Message>
  Message parsed() {
    Message message;
    const google::protobuf::LogSilencer silence;  // what is wrong is said once, by us
    if (!message.ParseFromString(small()))
      damaged(fmt::format("what ends at byte {} cannot be read", in_.CurrentPosition()));
    return message;
  }

  void skip_bytes(uint64_t count) {
    if (!in_.Skip(static_cast<int>(count))) damaged(fmt::format("nothing at byte {}", in_.CurrentPosition()));
  }

 private:
  // Headers are small, and what lies between them is sought past.
  static constexpr int kBlockBytes = 4096;

  std::string small() {
    const uint64_t bytes = length();
    if (bytes > kMaxTextBytes) damaged(fmt::format("a text of {} bytes at byte {}", bytes, in_.CurrentPosition()));
    std::string read;
    if (!in_.ReadString(&read, static_cast<int>(bytes)))
      damaged(fmt::format("no text at byte {}", in_.CurrentPosition()));
    return read;
  }

  void skip(const Field& field) {
    switch (field.type) {
      case kVarint:
        varint();
        return;
      case kFixed64:
        return skip_bytes(8);
      case kBytes:
        return skip_bytes(length());
      case kFixed32:
        return skip_bytes(4);
      default:
        damaged(fmt::format("a field of an unknown type before byte {}", in_.CurrentPosition()));
    }
  }

  std::string path_;
  SeekingStream stream_;
  google::protobuf::io::CopyingInputStreamAdaptor buffer_;
  google::protobuf::io::CodedInputStream in_;
};

// What a TensorProto says but for its values.
struct Initializer {
  std::string name;
  Dims dims;
  int32_t dtype = 0;
  bool raw = false, external = false;
  uint64_t raw_bytes = 0;
};

class Reader {
 public:
  explicit Reader(const std::string& path) : walker_(path) {}

  OnnxSummary read() {
    using onnx::ModelProto;
    bool has_graph = false;
    std::string version;
    walker_.message(walker_.file_bytes(), [&](const Field& field) {
      if (field.is(ModelProto::kIrVersionFieldNumber, kVarint)) {
        summary_.ir_version = static_cast<int64_t>(walker_.varint());
      } else if (field.is(ModelProto::kProducerNameFieldNumber, kBytes)) {
        summary_.producer = walker_.text();
      } else if (field.is(ModelProto::kProducerVersionFieldNumber, kBytes)) {
        version = walker_.text();
      } else if (field.is(ModelProto::kOpsetImportFieldNumber, kBytes)) {
        const auto opset = walker_.parsed<onnx::OperatorSetIdProto>();
        if (opset.domain().empty() || opset.domain() == "ai.onnx") summary_.opset = opset.version();
      } else if (field.is(ModelProto::kMetadataPropsFieldNumber, kBytes)) {
        metadata();
      } else if (field.is(ModelProto::kGraphFieldNumber, kBytes)) {
        has_graph = true;
        graph();
      } else {
        return false;
      }
      return true;
    });
    if (!has_graph || summary_.ir_version < 1) walker_.damaged("it has no graph or no version");
    if (!version.empty()) summary_.producer += (summary_.producer.empty() ? "" : " ") + version;
    // Old files list their initializers among the inputs.
    std::erase_if(summary_.inputs, [&](const OnnxValue& input) { return names_.contains(input.name); });
    return std::move(summary_);
  }

 private:
  std::string checked(const std::string& text) {
    if (!is_utf8(text)) walker_.damaged(fmt::format("\"{}\" is no UTF-8", printable(text)));
    return text;
  }

  void metadata() {
    const auto entry = walker_.parsed<onnx::StringStringEntryProto>();
    summary_.metadata.emplace_back(checked(entry.key()), checked(entry.value()));
  }

  void graph() {
    using onnx::GraphProto;
    walker_.message(walker_.length(), [&](const Field& field) {
      if (field.is(GraphProto::kInitializerFieldNumber, kBytes)) {
        initializer();
      } else if (field.is(GraphProto::kInputFieldNumber, kBytes)) {
        value(summary_.inputs);
      } else if (field.is(GraphProto::kOutputFieldNumber, kBytes)) {
        value(summary_.outputs);
      } else {
        return false;
      }
      return true;
    });
  }

  void value(std::vector<OnnxValue>& values) {
    const auto proto = walker_.parsed<onnx::ValueInfoProto>();
    const auto& tensor = proto.type().tensor_type();
    const auto dtype = dtype_of_onnx(tensor.elem_type());
    if (!dtype) return;
    OnnxValue value = {.name = checked(proto.name()), .dtype = *dtype, .dims = {}};
    for (const auto& dim : tensor.shape().dim()) {
      if (dim.has_dim_value()) {
        value.dims.emplace_back(int64_t{dim.dim_value()});
      } else {
        value.dims.emplace_back(checked(dim.dim_param()));
      }
    }
    values.push_back(std::move(value));
  }

  void initializer() {
    using onnx::TensorProto;
    Initializer read;
    walker_.message(walker_.length(), [&](const Field& field) {
      if (field.is(TensorProto::kDimsFieldNumber, kVarint)) {
        read.dims.push_back(static_cast<int64_t>(walker_.varint()));
      } else if (field.is(TensorProto::kDimsFieldNumber, kBytes)) {
        for (const int64_t dim : packed_numbers()) read.dims.push_back(dim);
      } else if (field.is(TensorProto::kDataTypeFieldNumber, kVarint)) {
        read.dtype = static_cast<int32_t>(walker_.varint());
      } else if (field.is(TensorProto::kNameFieldNumber, kBytes)) {
        read.name = walker_.text();
      } else if (field.is(TensorProto::kDataLocationFieldNumber, kVarint)) {
        read.external = walker_.varint() == TensorProto::EXTERNAL;
      } else if (field.is(TensorProto::kRawDataFieldNumber, kBytes)) {
        read.raw = true;
        read.raw_bytes = walker_.length();
        walker_.skip_bytes(read.raw_bytes);
      } else {
        return false;
      }
      return true;
    });
    add(read);
  }

  std::vector<int64_t> packed_numbers() {
    constexpr uint64_t kMaxBytes = 4096;
    std::vector<int64_t> numbers;
    const uint64_t bytes = walker_.length();
    if (bytes > kMaxBytes) walker_.damaged(fmt::format("dims of {} bytes", bytes));
    walker_.within(bytes, [&] { numbers.push_back(static_cast<int64_t>(walker_.varint())); });
    return numbers;
  }

  void add(Initializer& read) {
    const std::string shown = printable(read.name);
    if (!names_.insert(read.name).second) walker_.damaged(fmt::format("{} stands twice in it", shown));
    const auto dtype = dtype_of_onnx(read.dtype);
    uint64_t bytes = dtype ? dtype_bytes(*dtype) : 1;
    for (const int64_t dim : read.dims) {
      if (dim < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(dim), &bytes))
        walker_.damaged(fmt::format("{} has impossible dims", shown));
    }
    if (!dtype) {
      summary_.foreign.push_back(fmt::format("{} ({})", read.name, onnx_dtype_name(read.dtype)));
      return;
    }
    if (read.raw && !read.external && read.raw_bytes != bytes)
      walker_.damaged(fmt::format("{} has {} bytes of values, its dims {} want {}", shown, read.raw_bytes,
                                  to_string(read.dims), bytes));
    summary_.tensors.push_back({.name = std::move(read.name), .dtype = *dtype, .dims = std::move(read.dims)});
  }

  Walker walker_;
  OnnxSummary summary_;
  std::unordered_set<std::string> names_;
};

// Fields of a model up to its version and its graph, in either order. Throws Error{kData} at the first other one.
bool starts_as_model(Walker& walker) {
  using onnx::ModelProto;
  constexpr std::array<int, 8> kTexts = {ModelProto::kProducerNameFieldNumber, ModelProto::kProducerVersionFieldNumber,
                                         ModelProto::kDomainFieldNumber,       ModelProto::kDocStringFieldNumber,
                                         ModelProto::kOpsetImportFieldNumber,  ModelProto::kMetadataPropsFieldNumber,
                                         ModelProto::kTrainingInfoFieldNumber, ModelProto::kFunctionsFieldNumber};
  bool version = false, graph = false;
  while (!version || !graph) {
    const Field field = walker.next();
    const auto is_text = [&](int number) { return field.is(number, kBytes); };
    if (field.is(ModelProto::kIrVersionFieldNumber, kVarint)) {
      const uint64_t number = walker.varint();
      version = number >= 1 && number <= kMaxIrVersion;
      if (!version) return false;
    } else if (field.is(ModelProto::kGraphFieldNumber, kBytes)) {
      graph = true;
      if (!version) walker.skip_bytes(walker.length());
    } else if (field.is(ModelProto::kModelVersionFieldNumber, kVarint)) {
      walker.varint();
    } else if (std::any_of(kTexts.begin(), kTexts.end(), is_text)) {
      walker.skip_bytes(walker.length());
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

bool is_onnx(const std::string& path) {
  try {
    Walker walker(path);
    return starts_as_model(walker);
  } catch (const Error&) {
    return false;
  }
}

OnnxSummary read_onnx_summary(const std::string& path) { return Reader(path).read(); }

}  // namespace resflow
