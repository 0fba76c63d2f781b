// Reads the pictures of a pack in any order, by its index (docs/pack.md).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/files/file.h"
#include "io/pack/head.h"

namespace resflow {

// Memory: 40 bytes a picture and the names. Any number of threads may read from one reader.
class PackReader {
 public:
  // Reads the index. Where the index is damaged, or missing because the file was cut off, this reads the whole file to
  // find the pictures, and damage() says so. Throws as InputFile and read_pack_head do.
  explicit PackReader(std::string path, FileSystem& files = machine_files());

  const std::string& path() const { return path_; }
  const PackInfo& info() const { return head_.info; }
  // What is wrong with the file as a whole, without its path; "" where nothing is.
  const std::string& damage() const { return damage_; }

  // Pictures, in the order in which they were packed; `picture` counts from 0.
  int64_t size() const { return static_cast<int64_t>(entries_.size()); }
  std::string_view name(int64_t picture) const;
  int label(int64_t picture) const { return entry(picture).label; }
  int64_t bytes(int64_t picture) const;
  uint64_t checksum(int64_t picture) const { return entry(picture).payload; }  // XXH3 of its file

  // Reads the picture's file to `buffer`, which only grows, and returns the part of it that holds it.
  // Throws Error{kData} where it is damaged or has more than pack_format::kMaxPicture bytes, without a name;
  // std::bad_alloc.
  std::span<const uint8_t> read(int64_t picture, std::vector<uint8_t>& buffer) const;

 private:
  const pack_format::Entry& entry(int64_t picture) const { return entries_[static_cast<size_t>(picture)]; }
  bool read_index();
  bool read_block(uint64_t offset);
  bool read_chunk(uint64_t offset, pack_format::Mark mark, pack_format::Chunk& chunk, std::vector<uint8_t>& payload);
  void walk(FileSystem& files);
  void add(const pack_format::Entry& entry, std::string_view name);

  std::string path_;
  InputFile file_;
  PackHead head_;
  uint64_t end_ = 0;
  std::string damage_;
  std::vector<pack_format::Entry> entries_;
  std::vector<uint64_t> name_ends_;  // in names_
  std::string names_;
};

}  // namespace resflow
