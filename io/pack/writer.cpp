#include "io/pack/writer.h"

#include <limits>
#include <utility>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/core/text.h"
#include "io/pack/format.h"

namespace resflow {
namespace {

using namespace pack_format;

constexpr size_t kWriteBytes = size_t{1} << 20;

// Of a file under way all counts are 0: nobody sees it, and its place is taken.
Header header_of(const PackInfo& info, std::span<const uint8_t> classes, uint64_t records, uint64_t directory,
                 uint64_t file_bytes) {
  Header header{.magic = kMagic,
                .version = kVersion,
                .records = records,
                .directory = directory,
                .file_bytes = file_bytes,
                .classes = static_cast<uint32_t>(info.classes.size()),
                .short_side = static_cast<uint32_t>(info.short_side),
                .quality = static_cast<uint32_t>(info.quality),
                .class_bytes = static_cast<uint32_t>(classes.size()),
                .class_checksum = checksum(classes.data(), classes.size()),
                .zeros = {},
                .checksum = 0};
  header.checksum = head_checksum(header);
  return header;
}

// The classes' names, as they lie behind the header.
std::vector<uint8_t> class_section(const std::vector<std::string>& classes) {
  std::vector<uint8_t> bytes;
  for (const std::string& name : classes) {
    const auto length = static_cast<uint32_t>(name.size());
    const auto length_bytes = bytes_of_value(length);
    bytes.insert(bytes.end(), length_bytes.begin(), length_bytes.end());
    bytes.insert(bytes.end(), name.begin(), name.end());
  }
  return bytes;
}

}  // namespace

PackWriter::PackWriter(std::string path, PackInfo info, int64_t expected_bytes, FileSystem& files)
    : path_(std::move(path)), info_(std::move(info)), file_(path_, expected_bytes, files) {
  const std::vector<uint8_t> classes = class_section(info_.classes);
  if (classes.size() > std::numeric_limits<uint32_t>::max())
    throw internal_error("{}: class names of {} bytes", path_, classes.size());
  put(bytes_of_value(header_of(info_, classes, 0, 0, 0)));
  put(classes);
  pad();
}

void PackWriter::put(std::span<const uint8_t> bytes) {
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  offset_ += static_cast<int64_t>(bytes.size());
}

void PackWriter::put_chunk(pack_format::Chunk chunk) {
  chunk.checksum = head_checksum(chunk, static_cast<uint64_t>(offset_));
  put(bytes_of_value(chunk));
}

void PackWriter::pad() {
  const auto zeros = padded(static_cast<uint64_t>(offset_)) - static_cast<uint64_t>(offset_);
  pending_.insert(pending_.end(), zeros, 0);
  offset_ += static_cast<int64_t>(zeros);
  if (pending_.size() >= kWriteBytes) flush();
}

void PackWriter::flush() {
  file_.write(pending_);
  pending_.clear();
}

void PackWriter::add(std::string_view name, int label, std::span<const uint8_t> data) {
  if (name.size() > kMaxName)
    throw data_error("{}: its name has {} bytes, wanted at most {}", printable(name.substr(0, 200)), name.size(),
                     kMaxName);
  const int classes = static_cast<int>(info_.classes.size());
  if (classes == 0 ? label != -1 : label < 0 || label >= classes)
    throw internal_error("{}: label {} of {} classes", path_, label, classes);
  const Entry entry{.offset = static_cast<uint64_t>(offset_),
                    .bytes = name.size() + data.size(),
                    .payload = checksum(data.data(), data.size()),
                    .label = label,
                    .name_bytes = static_cast<uint32_t>(name.size())};
  put_chunk({.mark = Mark::kRecord,
             .count = entry.name_bytes,
             .bytes = entry.bytes,
             .number = static_cast<uint64_t>(records_),
             .label = label,
             .name_hash = name_hash(name),
             .payload = entry.payload,
             .checksum = 0});
  put(bytes_of(name));
  put(data);
  pad();
  const auto bytes = bytes_of_value(entry);
  entries_.insert(entries_.end(), bytes.begin(), bytes.end());
  names_.insert(names_.end(), name.begin(), name.end());
  ++records_;
  if (records_ - indexed_ == kBlockRecords) put_index();
}

void PackWriter::put_index() {
  if (records_ == indexed_) return;
  blocks_.push_back(static_cast<uint64_t>(offset_));
  entries_.insert(entries_.end(), names_.begin(), names_.end());
  put_chunk({.mark = Mark::kIndex,
             .count = static_cast<uint32_t>(records_ - indexed_),
             .bytes = entries_.size(),
             .number = static_cast<uint64_t>(indexed_),
             .label = 0,
             .name_hash = 0,
             .payload = checksum(entries_.data(), entries_.size()),
             .checksum = 0});
  put(entries_);
  pad();
  indexed_ = records_;
  entries_.clear();
  names_.clear();
}

void PackWriter::commit() {
  put_index();
  const auto directory = static_cast<uint64_t>(offset_);
  const size_t bytes = blocks_.size() * sizeof(uint64_t);
  put_chunk({.mark = Mark::kDirectory,
             .count = static_cast<uint32_t>(blocks_.size()),
             .bytes = bytes,
             .number = static_cast<uint64_t>(records_),
             .label = 0,
             .name_hash = 0,
             .payload = checksum(blocks_.data(), bytes),
             .checksum = 0});
  put({reinterpret_cast<const uint8_t*>(blocks_.data()), bytes});
  flush();
  file_.rewrite(0, bytes_of_value(header_of(info_, class_section(info_.classes), static_cast<uint64_t>(records_),
                                            directory, static_cast<uint64_t>(offset_))));
  file_.commit();
}

}  // namespace resflow
