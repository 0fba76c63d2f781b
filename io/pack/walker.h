// Goes through a pack from its first picture to its last, in large blocks. It needs no index, and memory for a block
// and the largest picture. Damage loses only the pictures that it hit.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/files/file.h"
#include "io/pack/head.h"

namespace resflow {

struct PackRecord {
  int64_t number = 0;
  std::string name;  // "record 17 of the pack" where that is lost
  int label = -1;
  std::span<const uint8_t> data;  // valid until the next one is read; empty where there is an error
  std::string error;              // not empty: why it cannot be used
  pack_format::Entry entry = {};  // where it lies; offset is 0 where that is lost
};

class PackWalker {
 public:
  // Throws as InputFile and read_pack_head do.
  explicit PackWalker(const std::string& path, FileSystem& files = machine_files());

  const PackHead& head() const { return head_; }

  // Sets `record` to the next one, in the order of their numbers; false at the end.
  // Throws Error{kData} where the file cannot be read or becomes shorter meanwhile.
  bool next(PackRecord& record);

  // What is wrong with the file as a whole; "" where nothing is. Where the file was cut off, it says how many pictures
  // came. REQUIRES: next() has returned false.
  std::string damage() const;
  // True where pictures at the end are missing, because the file was cut off or is damaged there.
  bool cut_off() const { return static_cast<uint64_t>(next_) < head_.records; }

 private:
  bool find_chunk();
  bool chunk_at(uint64_t offset);
  void take(PackRecord& record);
  void pass_over(PackRecord& record);
  std::span<const uint8_t> view(uint64_t offset, size_t count);

  std::string path_;
  InputFile file_;
  PackHead head_;
  uint64_t end_ = 0;  // of what there is
  uint64_t at_ = 0;   // of the next chunk
  int64_t next_ = 0;  // the number that the next record should have
  int64_t lost_ = 0;
  bool complete_ = false;                    // the directory was reached
  std::optional<pack_format::Chunk> chunk_;  // at at_
  std::vector<uint8_t> window_;
  uint64_t window_offset_ = 0;
  size_t window_bytes_ = 0;
};

}  // namespace resflow
