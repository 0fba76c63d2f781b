// Writes a pack (docs/pack.md): many pictures in one file, to be read from one end to the other.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/files/file.h"
#include "io/pack/format.h"

namespace resflow {

// What holds for all pictures of a pack.
struct PackInfo {
  std::vector<std::string> classes;  // empty: pictures have no labels
  int short_side = 0;                // larger pictures were shrunk to it; 0: all are the original files
  int quality = 0;                   // of the JPEGs made then
  bool operator==(const PackInfo&) const = default;
};

// A stream: memory holds a block of the index (at most 16,384 records' names and 32 bytes each), a megabyte that is
// about to be written, and 8 bytes for each 16,384 records before. The file appears at commit(), whole (AtomicFile).
class PackWriter {
 public:
  // `expected_bytes` is about how much will be written, 0 where that is not known. Throws as AtomicFile does, and
  // Error{kInternal} for class names of 4 GiB.
  PackWriter(std::string path, PackInfo info, int64_t expected_bytes = 0, FileSystem& files = machine_files());

  // `data` is an image file. Throws Error{kData} for a name of more than 65,535 bytes, Error{kInternal} for a label
  // that is no class (-1 where there are none), Error{kSystem} where the disk fails.
  void add(std::string_view name, int label, std::span<const uint8_t> data);

  int64_t records() const { return records_; }
  int64_t bytes() const { return offset_; }  // of the file so far

  // Throws Error{kSystem}.
  void commit();

 private:
  void put(std::span<const uint8_t> bytes);
  void put_chunk(pack_format::Chunk chunk);
  void pad();
  void flush();
  void put_index();

  std::string path_;
  PackInfo info_;
  AtomicFile file_;
  std::vector<uint8_t> pending_;  // not yet written
  int64_t offset_ = 0;            // of the file's end, pending_ included
  int64_t records_ = 0, indexed_ = 0;
  std::vector<uint8_t> entries_, names_;  // of the index block under way
  std::vector<uint64_t> blocks_;          // where the index blocks begin
};

}  // namespace resflow
