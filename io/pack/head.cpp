#include "io/pack/head.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>
#include <string_view>
#include <vector>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/core/text.h"

namespace resflow {
namespace {

using namespace pack_format;

constexpr uint32_t kMaxShortSide = 65536, kMaxQuality = 100;

// Nothing where the bytes do not hold just as many names.
bool read_classes(std::span<const uint8_t> bytes, uint32_t count, std::vector<std::string>& classes) {
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t length = 0;
    if (bytes.size() < sizeof length) return false;
    std::memcpy(&length, bytes.data(), sizeof length);
    bytes = bytes.subspan(sizeof length);
    if (length > bytes.size()) return false;
    classes.emplace_back(text_of(bytes.first(length)));
    bytes = bytes.subspan(length);
  }
  return bytes.empty();
}

}  // namespace

bool is_pack(const std::string& path) {
  try {
    const InputFile file(path);
    std::array<uint8_t, kMagic.size()> magic{};
    if (file.size() < static_cast<int64_t>(magic.size())) return false;
    file.read(0, magic);
    return magic == kMagic;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kSystem) throw;
    return false;
  }
}

PackHead read_pack_head(const InputFile& file, const std::string& path) {
  const auto size = static_cast<uint64_t>(file.size());
  Header header{};
  const size_t there = std::min<uint64_t>(size, sizeof header);
  file.read(0, {reinterpret_cast<uint8_t*>(&header), there});
  if (there < kMagic.size() || header.magic != kMagic) throw data_error("{}: is no pack of resflow's", path);
  if (there < sizeof header)
    throw data_error("{}: is cut off in its header: {} bytes, wanted at least {}", path, size, sizeof header);
  if (header.checksum != head_checksum(header))
    throw data_error("{}: damaged: the checksum of its header differs; copy it or pack it again", path);
  if (header.version != kVersion)
    throw data_error("{}: is a pack of version {}, this resflow reads {}: pack it again", path, header.version,
                     kVersion);
  if (header.class_bytes > size - sizeof header)
    throw data_error("{}: is cut off among the names of its classes: {} bytes of {}", path, size, header.file_bytes);
  PackHead head{.info = {},
                .records = header.records,
                .directory = header.directory,
                .file_bytes = header.file_bytes,
                .first_chunk = padded(sizeof header + uint64_t{header.class_bytes})};
  std::vector<uint8_t> names(header.class_bytes);
  file.read(sizeof header, names);
  if (checksum(names.data(), names.size()) != header.class_checksum)
    throw data_error("{}: damaged: the checksum of its classes' names differs; copy it or pack it again", path);
  std::vector<std::string>& classes = head.info.classes;
  if (header.short_side > kMaxShortSide || header.quality > kMaxQuality || header.file_bytes % 8 != 0 ||
      header.classes > static_cast<uint32_t>(std::numeric_limits<int32_t>::max()) ||
      !read_classes(names, header.classes, classes) ||
      std::set<std::string>(classes.begin(), classes.end()).size() != classes.size())
    throw data_error("{}: says what no pack can: not written by resflow", path);
  head.info.short_side = static_cast<int>(header.short_side);
  head.info.quality = static_cast<int>(header.quality);
  return head;
}

bool is_whole(const Chunk& chunk, uint64_t offset, uint64_t end) {
  if (chunk.mark != Mark::kRecord && chunk.mark != Mark::kIndex && chunk.mark != Mark::kDirectory) return false;
  if (offset > end || end - offset < sizeof chunk || chunk.bytes > end - offset - sizeof chunk) return false;
  if (chunk.checksum != head_checksum(chunk, offset) || chunk.number > uint64_t{1} << 62) return false;
  switch (chunk.mark) {
    case Mark::kRecord:
      return chunk.count <= kMaxName && chunk.count <= chunk.bytes && chunk.label >= -1;
    case Mark::kIndex:
      return chunk.count > 0 && chunk.count <= kBlockRecords && chunk.bytes / sizeof(Entry) >= chunk.count;
    case Mark::kDirectory:
      return chunk.bytes == uint64_t{chunk.count} * sizeof(uint64_t);
  }
  return false;
}

}  // namespace resflow
