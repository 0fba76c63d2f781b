#include "io/pack/reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/pack/walker.h"

namespace resflow {

using namespace pack_format;

PackReader::PackReader(std::string path, FileSystem& files)
    : path_(std::move(path)), file_(path_, files), head_(read_pack_head(file_, path_)) {
  end_ = std::min(static_cast<uint64_t>(file_.size()), head_.file_bytes);
  if (read_index()) return;
  entries_.clear();
  name_ends_.clear();
  names_.clear();
  walk(files);
}

void PackReader::add(const Entry& entry, std::string_view name) {
  entries_.push_back(entry);
  names_ += name;
  name_ends_.push_back(names_.size());
}

// False where there is no whole chunk of this kind at `offset`.
bool PackReader::read_chunk(uint64_t offset, Mark mark, Chunk& chunk, std::vector<uint8_t>& payload) {
  if (offset % 8 != 0 || offset > end_ || end_ - offset < sizeof chunk) return false;
  file_.read(static_cast<int64_t>(offset), {reinterpret_cast<uint8_t*>(&chunk), sizeof chunk});
  if (!is_whole(chunk, offset, end_) || chunk.mark != mark) return false;
  payload.resize(static_cast<size_t>(chunk.bytes));
  file_.read(static_cast<int64_t>(offset + sizeof chunk), payload);
  return pack_format::checksum(payload.data(), payload.size()) == chunk.payload;
}

bool PackReader::read_index() {
  Chunk directory{};
  std::vector<uint8_t> payload;
  if (end_ < head_.file_bytes || !read_chunk(head_.directory, Mark::kDirectory, directory, payload)) return false;
  for (uint32_t i = 0; i < directory.count; ++i) {
    uint64_t offset = 0;
    std::memcpy(&offset, payload.data() + size_t{i} * sizeof offset, sizeof offset);
    if (!read_block(offset)) return false;
  }
  return entries_.size() == head_.records;
}

bool PackReader::read_block(uint64_t offset) {
  Chunk block{};
  std::vector<uint8_t> payload;
  if (!read_chunk(offset, Mark::kIndex, block, payload) || block.number != entries_.size()) return false;
  const auto classes = static_cast<int>(head_.info.classes.size());
  std::span<const uint8_t> names = std::span(payload).subspan(size_t{block.count} * sizeof(Entry));
  for (uint32_t i = 0; i < block.count; ++i) {
    Entry entry{};
    std::memcpy(&entry, payload.data() + size_t{i} * sizeof entry, sizeof entry);
    const bool has_class = classes == 0 ? entry.label == -1 : entry.label >= 0 && entry.label < classes;
    if (!has_class || entry.offset > end_ || end_ - entry.offset < sizeof(Chunk) ||
        entry.bytes > end_ - entry.offset - sizeof(Chunk) || entry.name_bytes > entry.bytes ||
        entry.name_bytes > names.size())
      return false;
    add(entry, text_of(names.first(entry.name_bytes)));
    names = names.subspan(entry.name_bytes);
  }
  return names.empty();
}

void PackReader::walk(FileSystem& files) {
  PackWalker walker(path_, files);
  const auto classes = static_cast<int>(head_.info.classes.size());
  PackRecord record;
  while (walker.next(record)) {
    // One whose data are damaged is read like the others, and then found to be broken.
    const bool has_class = classes == 0 ? record.label == -1 : record.label >= 0 && record.label < classes;
    if (record.entry.offset > 0 && has_class) add(record.entry, record.name);
  }
  damage_ = walker.damage();
  if (damage_.empty())
    damage_ = fmt::format("its index is damaged; {} pictures were found by going through it; pack it again", size());
}

std::string_view PackReader::name(int64_t picture) const {
  const auto i = static_cast<size_t>(picture);
  const uint64_t begin = i == 0 ? 0 : name_ends_[i - 1];
  return std::string_view(names_).substr(begin, name_ends_[i] - begin);
}

int64_t PackReader::bytes(int64_t picture) const {
  return static_cast<int64_t>(entry(picture).bytes - entry(picture).name_bytes);
}

std::span<const uint8_t> PackReader::read(int64_t picture, std::vector<uint8_t>& buffer) const {
  const Entry& wanted = entry(picture);
  if (wanted.bytes > kMaxPicture) throw data_error("has {} bytes, wanted at most {}", wanted.bytes, kMaxPicture);
  const size_t all = sizeof(Chunk) + static_cast<size_t>(wanted.bytes);
  if (buffer.size() < all) buffer.resize(all);
  file_.read(static_cast<int64_t>(wanted.offset), {buffer.data(), all});
  Chunk chunk{};
  std::memcpy(&chunk, buffer.data(), sizeof chunk);
  const std::span<const uint8_t> data(buffer.data() + sizeof chunk + wanted.name_bytes,
                                      wanted.bytes - wanted.name_bytes);
  if (!is_whole(chunk, wanted.offset, end_) || chunk.mark != Mark::kRecord || chunk.payload != wanted.payload ||
      chunk.bytes != wanted.bytes || chunk.count != wanted.name_bytes)
    throw data_error("damaged: its record in the pack is not as the index has it");
  if (pack_format::checksum(data.data(), data.size()) != wanted.payload)
    throw data_error("damaged: its checksum in the pack differs");
  return data;
}

}  // namespace resflow
