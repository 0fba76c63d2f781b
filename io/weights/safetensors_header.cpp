#include "io/weights/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/utf8.h"

namespace resflow {
namespace {

using OrderedJson = nlohmann::json;
using Entry = SafetensorsHeader::Entry;

constexpr const char* kMetadataKey = "__metadata__";

// Far above any tensor's; PyTorch and numpy know no more either.
constexpr size_t kMaxShape = 64;

constexpr std::array<std::pair<DType, std::string_view>, 7> kDTypeNames = {{{DType::kF32, "F32"},
                                                                            {DType::kF64, "F64"},
                                                                            {DType::kF16, "F16"},
                                                                            {DType::kBF16, "BF16"},
                                                                            {DType::kI64, "I64"},
                                                                            {DType::kI32, "I32"},
                                                                            {DType::kU8, "U8"}}};

std::string_view name_of(DType dtype) {
  return std::find_if(kDTypeNames.begin(), kDTypeNames.end(), [&](const auto& row) { return row.first == dtype; })
      ->second;
}

// Takes the JSON as it is read, so that a key that stands twice is seen, and nothing is kept that does not belong.
class HeaderParser final : public nlohmann::json_sax<OrderedJson> {
 public:
  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { unexpected("a fraction or a number beyond 64 bits"); }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::kShape) {
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) refuse("its shape has impossible sizes");
      if (entry().tensor.dims.size() == kMaxShape) refuse(fmt::format("its shape has more than {} sizes", kMaxShape));
      entry().tensor.dims.push_back(static_cast<int64_t>(value));
    } else if (place_ == Place::kOffsets && offsets_ < 2) {
      (offsets_++ == 0 ? entry().begin : entry().end) = value;
    } else {
      unexpected("a number");
    }
    return true;
  }

  bool string(string_t& text) override {
    if (place_ == Place::kMetadata) {
      header_.metadata.emplace_back(key_, std::move(text));
    } else if (place_ == Place::kTensor && key_ == "dtype") {
      entry().tensor.dtype = dtype_of_name(text);
    } else {
      unexpected("a text");
    }
    return true;
  }

  bool start_object(size_t) override {
    if (place_ == Place::kStart) {
      place_ = Place::kTop;
    } else if (place_ == Place::kTop && key_ == kMetadataKey) {
      place_ = Place::kMetadata;
    } else if (place_ == Place::kTop) {
      place_ = Place::kTensor;
      header_.entries.emplace_back().tensor.name = key_;
      has_.fill(false);
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(string_t& key) override {
    if (place_ == Place::kTensor) {
      const auto known = std::find(kKeys.begin(), kKeys.end(), key);
      if (known == kKeys.end()) refuse(fmt::format("its entry {} is none of the format's", printable(key)));
      if (std::exchange(has_[static_cast<size_t>(known - kKeys.begin())], true)) refuse("has its " + key + " twice");
    } else if (!(place_ == Place::kTop ? names_ : metadata_keys_).insert(key).second) {
      throw data_error("{} stands twice in its {}", printable(key), place_ == Place::kTop ? "header" : kMetadataKey);
    }
    key_ = std::move(key);
    return true;
  }

  bool end_object() override {
    if (place_ == Place::kTensor) {
      for (size_t i = 0; i < kKeys.size(); ++i)
        if (!has_[i]) refuse(fmt::format("has no {}", kKeys[i]));
    }
    place_ = Place::kTop;
    return true;
  }

  bool start_array(size_t) override {
    if (place_ != Place::kTensor || key_ == "dtype") unexpected("a list");
    place_ = key_ == "shape" ? Place::kShape : Place::kOffsets;
    offsets_ = 0;
    return true;
  }

  bool end_array() override {
    if (place_ == Place::kOffsets && offsets_ != 2) refuse("its data_offsets are no two numbers");
    place_ = Place::kTensor;
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    throw data_error("its header is no JSON at byte {}", position);
  }

 private:
  enum class Place { kStart, kTop, kMetadata, kTensor, kShape, kOffsets };
  static constexpr std::array<std::string_view, 3> kKeys = {"dtype", "shape", "data_offsets"};

  Entry& entry() { return header_.entries.back(); }

  // Of the tensor that is being read.
  [[noreturn]] void refuse(const std::string& what) {
    throw data_error("{}: {}", printable(entry().tensor.name), what);
  }

  [[noreturn]] void unexpected(const char* what) {
    switch (place_) {
      case Place::kStart:
        throw data_error("its header is {}, wanted an object", what);
      case Place::kTop:
      case Place::kMetadata:
        throw data_error("{} is {}, wanted {}", printable(key_), what,
                         key_ == kMetadataKey || place_ == Place::kTop ? "an object" : "a text");
      default:
        refuse(fmt::format("its {} {} {}", key_, place_ == Place::kTensor ? "is" : "holds", what));
    }
  }

  DType dtype_of_name(std::string_view name) {
    for (const auto& [dtype, text] : kDTypeNames)
      if (text == name) return dtype;
    refuse(fmt::format("its dtype is {}, wanted F32, F64, F16, BF16, I64, I32 or U8", printable(name)));
  }

  SafetensorsHeader header_;
  Place place_ = Place::kStart;
  std::string key_;
  std::array<bool, kKeys.size()> has_{};
  int offsets_ = 0;
  std::unordered_set<std::string> names_, metadata_keys_;
};

void check_size(const Entry& entry) {
  const std::string name = printable(entry.tensor.name);
  uint64_t bytes = dtype_bytes(entry.tensor.dtype);
  for (const int64_t dim : entry.tensor.dims) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(dim), &bytes))
      throw data_error("{}: its shape has impossible sizes", name);
  }
  if (entry.begin > entry.end || bytes != entry.end - entry.begin) {
    throw data_error("{}: {} of {} are {} bytes, its data_offsets are {} and {}", name, to_string(entry.tensor.dims),
                     name_of(entry.tensor.dtype), bytes, entry.begin, entry.end);
  }
}

void check_places(const std::vector<Entry>& entries, uint64_t value_bytes) {
  std::vector<size_t> order(entries.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(entries[a].begin, entries[a].end) < std::pair(entries[b].begin, entries[b].end);
  });
  uint64_t end = 0;
  std::string before = "the header";
  for (const size_t i : order) {
    const Entry& entry = entries[i];
    std::string name = printable(entry.tensor.name);
    if (entry.begin < end) throw data_error("{}: its bytes overlap those of {}", name, before);
    if (entry.begin > end)
      throw data_error("{}: there is a hole of {} bytes between {} and it", name, entry.begin - end, before);
    if (entry.end > value_bytes)
      throw data_error("{}: the file ends within it: {} bytes of values, wanted {}", name, value_bytes, entry.end);
    end = entry.end;
    before = std::move(name);
  }
  if (end < value_bytes) throw data_error("{} bytes are left over behind {}", value_bytes - end, before);
}

std::string quoted(const std::string& text, std::string_view what) {
  if (is_utf8(text)) return OrderedJson(text).dump();
  throw usage_error("{} {} is no UTF-8, and safetensors holds nothing else: rename it, or write another format", what,
                    printable(text));
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, uint64_t value_bytes) {
  if (json.empty() || json[0] != '{') throw data_error("its header does not start with an object");
  if (!is_utf8(json)) throw data_error("its header is no UTF-8");
  // The parser would take a zero for the end.
  if (const size_t zero = json.find('\0'); zero != std::string_view::npos)
    throw data_error("its header is no JSON at byte {}", zero + 1);
  HeaderParser parser;
  OrderedJson::sax_parse(json, &parser);
  SafetensorsHeader header = parser.take();
  for (const Entry& entry : header.entries) check_size(entry);
  check_places(header.entries, value_bytes);
  return header;
}

std::string format_safetensors_header(const SafetensorsHeader& header) {
  std::string json = "{";
  const auto next = [&json] {
    if (json.size() > 1 && json.back() != '{') json += ',';
  };
  if (!header.metadata.empty()) {
    json += fmt::format("\"{}\":{{", kMetadataKey);
    for (const auto& [key, value] : header.metadata) {
      next();
      json += quoted(key, "the metadata's key") + ":" + quoted(value, "the metadata's value");
    }
    json += '}';
  }
  for (const auto& [tensor, begin, end] : header.entries) {
    if (tensor.name == kMetadataKey)
      throw usage_error("a tensor of safetensors cannot have the name {}: rename it", kMetadataKey);
    next();
    json += fmt::format(R"({}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                        quoted(tensor.name, "the tensor's name"), name_of(tensor.dtype), fmt::join(tensor.dims, ","),
                        begin, end);
  }
  json += '}';
  json.resize((json.size() + 7) / 8 * 8, ' ');
  if (json.size() > kMaxSafetensorsHeaderBytes) {
    throw usage_error("safetensors' header would have {} bytes, wanted at most {}: fewer names or less metadata",
                      json.size(), kMaxSafetensorsHeaderBytes);
  }
  return json;
}

}  // namespace resflow
