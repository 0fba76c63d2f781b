#include "io/pack/walker.h"

#include <algorithm>
#include <cstring>

#include "io/core/error.h"

namespace resflow {

using namespace pack_format;

namespace {

constexpr size_t kWindow = size_t{4} << 20, kLargeWindow = size_t{64} << 20;

}  // namespace

PackWalker::PackWalker(const std::string& path, FileSystem& files)
    : path_(path), file_(path, files), head_(read_pack_head(file_, path)) {
  file_.will_be_read_in_order();
  end_ = std::min(static_cast<uint64_t>(file_.size()), head_.file_bytes);
  at_ = std::min(head_.first_chunk, end_);
}

// `count` bytes at `offset`, which are there; valid until the next call.
std::span<const uint8_t> PackWalker::view(uint64_t offset, size_t count) {
  const bool begun = offset >= window_offset_ && offset - window_offset_ <= window_bytes_;
  const size_t kept = begun ? window_bytes_ - static_cast<size_t>(offset - window_offset_) : 0;
  if (kept < count) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(std::max(count, kWindow), end_ - offset));
    // What one huge picture needed is not kept for all that follow.
    if (window_.size() > kLargeWindow && wanted <= kWindow) {
      window_ = std::vector<uint8_t>(window_.begin() + static_cast<std::ptrdiff_t>(window_bytes_ - kept),
                                     window_.begin() + static_cast<std::ptrdiff_t>(window_bytes_));
      window_bytes_ = kept;
    }
    if (window_.size() < wanted) window_.resize(wanted);
    std::memmove(window_.data(), window_.data() + (window_bytes_ - kept), kept);
    window_offset_ = offset;
    window_bytes_ = kept;
    file_.read(static_cast<int64_t>(offset + kept), std::span(window_).subspan(kept, wanted - kept));
    window_bytes_ = wanted;
  }
  return {window_.data() + (offset - window_offset_), count};
}

// Sets chunk_ where the next chunk is at `offset`.
bool PackWalker::chunk_at(uint64_t offset) {
  Chunk chunk{};
  std::memcpy(&chunk, view(offset, sizeof chunk).data(), sizeof chunk);
  if (!is_whole(chunk, offset, end_)) return false;
  // All that is before it has passed, or lies in the damaged stretch from at_ to here.
  const uint64_t before = chunk.number + (chunk.mark == Mark::kIndex ? chunk.count : 0);
  const auto next = static_cast<uint64_t>(next_);
  if (before > head_.records || (chunk.mark == Mark::kRecord && before == head_.records)) return false;
  if (before < next || before - next > (offset - at_) / sizeof(Chunk)) return false;
  chunk_ = chunk;
  return true;
}

bool PackWalker::find_chunk() {
  if (chunk_) return true;
  for (uint64_t offset = at_; end_ - offset >= sizeof(Chunk); offset += 8) {
    if (!chunk_at(offset)) continue;
    at_ = offset;
    return true;
  }
  return false;
}

bool PackWalker::next(PackRecord& record) {
  while (!complete_ && find_chunk()) {
    const uint64_t before = chunk_->number + (chunk_->mark == Mark::kIndex ? chunk_->count : 0);
    if (static_cast<uint64_t>(next_) < before) {
      ++lost_;
      record = {.number = next_,
                .name = fmt::format("record {} of the pack", next_),
                .label = -1,
                .data = {},
                .error = "lost: the pack is damaged where it begins",
                .entry = {}};
      ++next_;
      return true;
    }
    const uint64_t behind = std::min(padded(at_ + sizeof(Chunk) + chunk_->bytes), end_);
    if (chunk_->mark == Mark::kRecord) {
      take(record);
      at_ = behind;
      chunk_.reset();
      ++next_;
      return true;
    }
    complete_ = chunk_->mark == Mark::kDirectory;
    at_ = behind;
    chunk_.reset();
  }
  return false;
}

// One that is too large to be read; its name is known where it can be.
void PackWalker::pass_over(PackRecord& record) {
  const auto name = view(at_ + sizeof(Chunk), chunk_->count);
  record = {.number = next_,
            .name = std::string(name.begin(), name.end()),
            .label = -1,
            .data = {},
            .error = fmt::format("has {} bytes, wanted at most {}", chunk_->bytes, kMaxPicture),
            .entry = {}};
  if (name_hash(record.name) != chunk_->name_hash) record.name = fmt::format("record {} of the pack", next_);
}

void PackWalker::take(PackRecord& record) {
  if (chunk_->bytes > kMaxPicture) {
    pass_over(record);
    return;
  }
  const auto payload = view(at_ + sizeof(Chunk), static_cast<size_t>(chunk_->bytes));
  const auto data = payload.subspan(chunk_->count);
  record.number = next_;
  record.name.assign(reinterpret_cast<const char*>(payload.data()), chunk_->count);
  record.label = chunk_->label;
  record.data = data;
  record.error.clear();
  record.entry = {.offset = at_,
                  .bytes = chunk_->bytes,
                  .payload = chunk_->payload,
                  .label = chunk_->label,
                  .name_bytes = chunk_->count};
  const auto classes = static_cast<int>(head_.info.classes.size());
  if (name_hash(record.name) != chunk_->name_hash) {
    record.name = fmt::format("record {} of the pack", next_);
    record.error = "damaged: the checksum of its name differs";
  } else if (checksum(data.data(), data.size()) != chunk_->payload) {
    record.error = "damaged: its checksum in the pack differs";
  } else if (classes == 0 ? chunk_->label != -1 : chunk_->label < 0 || chunk_->label >= classes) {
    record.error = fmt::format("damaged: label {} of {} classes", chunk_->label, classes);
  }
  if (!record.error.empty()) record.data = {};
}

std::string PackWalker::damage() const {
  if (cut_off() && end_ < head_.file_bytes)
    return fmt::format("is cut off: {} of {} bytes, with {} of {} pictures; copy it or pack it again", end_,
                       head_.file_bytes, next_, head_.records);
  if (cut_off())
    return fmt::format("is damaged near its end: {} of {} pictures are left; copy it or pack it again", next_,
                       head_.records);
  if (lost_ > 0)
    return fmt::format("is damaged: {} of {} pictures are lost; copy it or pack it again", lost_, head_.records);
  return {};
}

}  // namespace resflow
