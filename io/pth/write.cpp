#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/utf8.h"
#include "io/formats/zip_writer.h"
#include "io/pth/pth.h"

namespace resflow {
namespace {

static_assert(std::endian::native == std::endian::little, "storages are little-endian, and are written as they lie");

std::string_view storage_name(DType dtype) {
  switch (dtype) {
    case DType::kU8:
      return "ByteStorage";
    case DType::kI32:
      return "IntStorage";
    case DType::kI64:
      return "LongStorage";
    case DType::kBF16:
      return "BFloat16Storage";
    case DType::kF16:
      return "HalfStorage";
    case DType::kF32:
      return "FloatStorage";
    case DType::kF64:
      return "DoubleStorage";
  }
  throw internal_error("dtype {} is none", static_cast<int>(dtype));
}

// As PyTorch has them for contiguous tensors, those without values included.
Dims strides_of(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<int64_t>(dims[i], 1);
  return strides;
}

// Pickle's opcodes, protocol 2, as far as a dictionary of tensors needs them. Facts: Python's pickletools.
class PickleWriter {
 public:
  std::string take() { return std::move(bytes_); }

  void start() { bytes_ += "\x80\x02"; }
  void stop() { bytes_ += '.'; }
  void global(std::string_view module, std::string_view name) { bytes_ += fmt::format("c{}\n{}\n", module, name); }
  void mark() { bytes_ += '('; }
  void tuple() { bytes_ += 't'; }  // of all since the mark
  void reduce() { bytes_ += 'R'; }
  void persistent() { bytes_ += 'Q'; }
  void set_items() { bytes_ += 'u'; }  // keys and values since the mark
  void no() { bytes_ += '\x89'; }
  void empty_tuple() { bytes_ += ')'; }

  void text(std::string_view text) {
    bytes_ += 'X';
    put(static_cast<uint32_t>(text.size()));
    bytes_ += text;
  }

  void number(int64_t value) {
    if (std::in_range<uint8_t>(value)) {
      bytes_ += 'K';
      put(static_cast<uint8_t>(value));
    } else if (std::in_range<int32_t>(value)) {
      bytes_ += 'J';
      put(static_cast<int32_t>(value));
    } else {
      bytes_ += "\x8a\x08";
      put(value);
    }
  }

  void numbers(const Dims& values) {
    mark();
    for (const int64_t value : values) number(value);
    tuple();
  }

 private:
  template <class T>
  void put(T value) {
    const auto raw = std::bit_cast<std::array<char, sizeof value>>(value);
    bytes_.append(raw.data(), raw.size());
  }

  std::string bytes_;
};

void put_empty_dictionary(PickleWriter& pickle) {
  pickle.global("collections", "OrderedDict");
  pickle.empty_tuple();
  pickle.reduce();
}

void put_tensor(PickleWriter& pickle, const Array& array, const std::string& key) {
  pickle.global("torch._utils", "_rebuild_tensor_v2");
  pickle.mark();
  {
    pickle.mark();
    pickle.text("storage");
    pickle.global("torch", storage_name(array.dtype()));
    pickle.text(key);
    pickle.text("cpu");
    pickle.number(array.size());
    pickle.tuple();
    pickle.persistent();
  }
  pickle.number(0);  // the first value's place in the storage
  pickle.numbers(array.dims());
  pickle.numbers(strides_of(array.dims()));
  pickle.no();                   // gradients wanted
  put_empty_dictionary(pickle);  // hooks
  pickle.tuple();
  pickle.reduce();
}

std::string pickle_of(const std::vector<NamedArray>& tensors) {
  PickleWriter pickle;
  pickle.start();
  put_empty_dictionary(pickle);
  pickle.mark();
  for (size_t i = 0; i < tensors.size(); ++i) {
    pickle.text(tensors[i].name);
    put_tensor(pickle, tensors[i].array, std::to_string(i));
  }
  pickle.set_items();
  pickle.stop();
  return pickle.take();
}

void check_names(const std::vector<NamedArray>& tensors) {
  std::unordered_set<std::string_view> names;
  for (const auto& tensor : tensors) {
    if (!names.insert(tensor.name).second)
      throw internal_error("{} stands twice among the tensors to save", printable(tensor.name));
    if (!is_utf8(tensor.name)) {
      throw usage_error("the tensor's name {} is no UTF-8, as PyTorch's are: rename it, or write another format",
                        printable(tensor.name));
    }
  }
}

}  // namespace

void write_pth(const std::vector<NamedArray>& tensors, const std::string& path, FileSystem& files) {
  check_names(tensors);
  const std::string pickle = pickle_of(tensors);
  // In the order of torch.save. PyTorch 1 knows no byteorder and does without.
  std::vector<ZipContent> contents = {{"archive/data.pkl", bytes_of(pickle)},
                                      {"archive/byteorder", bytes_of("little")}};
  for (size_t i = 0; i < tensors.size(); ++i) {
    contents.push_back({"archive/data/" + std::to_string(i), tensors[i].array.raw_bytes()});
  }
  contents.push_back({"archive/version", bytes_of("3\n")});
  write_zip(contents, path, files);
}

}  // namespace resflow
