// The directory of a zip file and where each entry's bytes lie, by minizip.
//
// A caller reads stored entries straight from the file: the archive says where they lie and what their CRC-32 must be.
// Compressed entries are read here, and only where they are small.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/files/file.h"

namespace resflow {

struct ZipEntry {
  std::string name;
  bool stored = true;         // else deflated
  uint64_t offset = 0;        // in the file, of its first byte
  uint64_t bytes = 0;         // unpacked
  uint64_t packed_bytes = 0;  // in the file; of a stored one the same
  uint32_t crc32 = 0;         // of the unpacked bytes; torch.save can be told not to reckon it, and writes 0 then
};

class ZipArchive {
 public:
  // Throws Error{kData}: no zip or cut short, an entry twice, with an absolute name or one that has "..", encrypted, of
  // a compression other than deflate, beyond the file, or overlapping another; too many of them.
  explicit ZipArchive(const std::string& path);
  ~ZipArchive();
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  const InputFile& file() const;
  const std::vector<ZipEntry>& entries() const { return entries_; }  // in the order of the directory
  const ZipEntry* find(std::string_view name) const;                 // nullptr where there is none
  // Throws Error{kData} where it is larger than `most` bytes, damaged, or no deflated data.
  std::vector<uint8_t> read(const ZipEntry& entry, uint64_t most) const;

 private:
  struct Reader;
  bool ends_as_zip() const;
  void list_entries();
  std::optional<uint64_t> offset_of_current() const;
  std::optional<uint64_t> offset_behind_header(uint64_t header, std::string_view name) const;
  void check_overlaps() const;

  std::string path_;
  std::unique_ptr<Reader> reader_;
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string_view, size_t> by_name_;
};

// CRC-32 as zip has it, going on from that of the bytes before (0 at the start).
uint32_t zip_crc32(uint32_t before, const void* bytes, size_t count);

inline constexpr size_t kMaxZipEntries = 100'000;
inline constexpr size_t kMaxZipName = 1000;

}  // namespace resflow
