#include "io/weights/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <unordered_set>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/core/text.h"
#include "io/weights/safetensors_header.h"

namespace resflow {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian, and is written as it lies");

constexpr uint64_t kLengthBytes = sizeof(uint64_t);

uint64_t read_header_length(const InputFile& file) {
  std::array<uint8_t, kLengthBytes> bytes{};
  file.read(0, bytes);
  return std::bit_cast<uint64_t>(bytes);
}

struct OpenFile {
  InputFile file;
  SafetensorsHeader header;
  uint64_t values_offset = 0;

  explicit OpenFile(const std::string& path) : file(path) {
    const auto size = static_cast<uint64_t>(file.size());
    if (size < kLengthBytes)
      throw data_error("{}: truncated safetensors: {} bytes, wanted at least {}", path, size, kLengthBytes);
    const uint64_t length = read_header_length(file);
    if (length > kMaxSafetensorsHeaderBytes) {
      throw data_error("{}: damaged safetensors: its header is said to have {} bytes, wanted at most {}", path, length,
                       kMaxSafetensorsHeaderBytes);
    }
    if (length > size - kLengthBytes) {
      throw data_error("{}: truncated safetensors: its header ends at byte {}, the file at byte {}", path,
                       kLengthBytes + length, size);
    }
    std::string json(length, '\0');
    file.read(kLengthBytes, {reinterpret_cast<uint8_t*>(json.data()), json.size()});
    values_offset = kLengthBytes + length;
    try {
      header = parse_safetensors_header(json, size - values_offset);
    } catch (const Error& error) {
      throw Error(error.kind(), path + ": damaged safetensors: " + error.marked());
    }
  }

  SafetensorsSummary summary() const {
    SafetensorsSummary summary;
    summary.tensors.reserve(header.entries.size());
    for (const auto& entry : header.entries) summary.tensors.push_back(entry.tensor);
    summary.metadata = header.metadata;
    return summary;
  }
};

void check_names(const std::vector<NamedArray>& tensors, const Metadata& metadata) {
  std::unordered_set<std::string> names, keys;
  for (const auto& tensor : tensors) {
    if (!names.insert(tensor.name).second)
      throw internal_error("{} stands twice among the tensors to save", printable(tensor.name));
  }
  for (const auto& [key, value] : metadata) {
    if (!keys.insert(key).second) throw internal_error("{} stands twice in the metadata to save", printable(key));
  }
}

// Values with wide dtypes come first, so that each tensor's are aligned to its dtype without holes; the format's own
// writer does so, too. Among equals the order given is kept.
std::vector<size_t> order_of_values(const std::vector<NamedArray>& tensors) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return dtype_bytes(tensors[a].array.dtype()) > dtype_bytes(tensors[b].array.dtype());
  });
  return order;
}

}  // namespace

bool is_safetensors(const std::string& path) {
  try {
    const InputFile file(path);
    if (static_cast<uint64_t>(file.size()) <= kLengthBytes) return false;
    std::array<uint8_t, 1> first{};
    file.read(kLengthBytes, first);
    return first[0] == '{' && read_header_length(file) <= kMaxSafetensorsHeaderBytes;
  } catch (const Error&) {
    return false;
  }
}

SafetensorsSummary read_safetensors_summary(const std::string& path) { return OpenFile(path).summary(); }

Safetensors read_safetensors(const std::string& path) {
  const OpenFile open(path);
  Safetensors read{.summary = open.summary(), .tensors = {}};
  read.tensors.reserve(open.header.entries.size());
  for (const auto& [tensor, begin, end] : open.header.entries) {
    Array array(tensor.dtype, tensor.dims);
    open.file.read(static_cast<int64_t>(open.values_offset + begin),
                   {reinterpret_cast<uint8_t*>(array.raw()), array.bytes()});
    read.tensors.push_back({tensor.name, std::move(array)});
  }
  return read;
}

void write_safetensors(const std::vector<NamedArray>& tensors, const Metadata& metadata, const std::string& path,
                       FileSystem& files) {
  check_names(tensors, metadata);
  SafetensorsHeader header;
  header.metadata = metadata;
  for (const auto& [name, array] : tensors)
    header.entries.push_back({.tensor = {name, array.dtype(), array.dims()}, .begin = 0, .end = 0});
  const std::vector<size_t> order = order_of_values(tensors);
  uint64_t end = 0;
  for (const size_t i : order) {
    header.entries[i].begin = end;
    header.entries[i].end = end += tensors[i].array.bytes();
  }
  const std::string json = format_safetensors_header(header);
  const auto length = std::bit_cast<std::array<uint8_t, kLengthBytes>>(static_cast<uint64_t>(json.size()));

  AtomicFile file(path, static_cast<int64_t>(kLengthBytes + json.size() + end), files);
  file.write(length);
  file.write(bytes_of(json));
  for (const size_t i : order) file.write(tensors[i].array.raw_bytes());
  file.commit();
}

}  // namespace resflow
