// Features of pictures in a file (docs/feature-cache.md): a row of f32 a picture, in the order of the data set, or the
// reason why that picture has none.
//
// Rows are appended in blocks, each with a checksum, so that a run that is killed leaves what it has done to be used.
// The key says what the rows were made from; a file of another key, or a damaged part of one, is never used.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/core/array.h"
#include "io/files/file.h"

namespace resflow {

struct FeatureCacheKey {
  std::string key;      // 64 hexadecimal digits: a hash of all that the rows depend on
  int64_t rows = 0;     // of the whole
  int64_t columns = 0;  // of a row
};

struct BrokenRow {
  int64_t row = 0;
  std::string reason;
  bool operator==(const BrokenRow&) const = default;
};

class FeatureCache {
 public:
  // Opens the file at `path`, or begins one, and reads the rows that are there. Only one program writes a file at a
  // time; any number may read one that is complete, also where it may not be written. Throws Error{kUsage} where
  // another program is writing it, and where it cannot be made (no permission, no such folder); Error{kSystem} where
  // the machine fails.
  FeatureCache(std::string path, const FeatureCacheKey& key, FileSystem& files = machine_files());
  ~FeatureCache();
  FeatureCache(const FeatureCache&) = delete;
  FeatureCache& operator=(const FeatureCache&) = delete;

  const std::string& path() const { return path_; }
  // Rows [0, done()) are there.
  int64_t done() const { return done_; }
  bool complete() const { return done_ == key_.rows; }
  // Why rows that were in the file are not used: "is of other weights, ...", "is damaged after row 96"; else empty.
  // It stays empty where the last block is cut off alone: that is what a run leaves that was killed.
  const std::string& discarded() const { return discarded_; }

  // False where rows are missing in a file that may not be written: those that are appended are in values() alone.
  bool kept() const { return kept_; }
  // False where the file system has no locks: the user must see to it that only one program writes the file.
  bool locked() const { return locked_; }

  // Appends `count` rows, numbered from done() on. `values` holds them all, with zeros for those that `broken` names,
  // in ascending order. Throws Error{kSystem} where the disk is full or fails; the rows from before stay whole.
  void append(int64_t count, std::span<const float> values, const std::vector<BrokenRow>& broken);

  // Returns when all appended rows are on the disk. Throws as append does.
  void sync();

  // (rows, columns) f32; rows from done() on are zeros.
  const Array& values() const { return values_; }
  Array take_values() { return std::move(values_); }
  const std::vector<BrokenRow>& broken() const { return broken_; }

 private:
  void open();
  void lock(bool shared);
  void close();
  void load();
  void read();
  void read_header(const InputFile& file);
  bool read_block(const InputFile& file);
  void begin();
  void write(std::span<const uint8_t> bytes, int64_t offset);
  [[noreturn]] void fail(const char* doing, int error) const;

  std::string path_;
  FeatureCacheKey key_;
  FileSystem& files_;
  int file_ = -1;
  bool kept_ = true, locked_ = true;
  int64_t end_ = 0;  // of the last whole block
  int64_t done_ = 0;
  std::string discarded_;
  Array values_;
  std::vector<BrokenRow> broken_;
};

}  // namespace resflow
