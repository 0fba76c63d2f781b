// OUT.shard, beside the output of a shard: which places of the listing its rows have, and what it is a shard of
// (docs/score-files.md). `resflow merge` reads it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/score/journal.h"
#include "apps/score/shard.h"
#include "apps/score/sinks.h"
#include "io/files/file.h"

namespace resflow {

std::string shard_path(const std::string& out);

struct ShardFooter {
  // A file that was written beside OUT.
  struct File {
    std::string path;              // relative to the folder of OUT
    std::optional<int64_t> bytes;  // nothing: OUT as .npz, whose size comes of its parts
  };

  Shard shard;
  Facts facts;          // of all shards alike: without --shard, and the inputs, which `listed` stands for
  ListingPlace listed;  // all that the inputs listed, those of other shards too; without `last`
  int64_t rows = 0, failed = 0;
  std::map<std::string, File> files;  // "out", "--embeddings", "--errors"
};

// Collects the places while rows come; the first row is behind so many pictures of the listing.
std::unique_ptr<RowSink> make_shard_sink(GrowingFile& file, int64_t before);
// The same of rows that come in any order.
std::unique_ptr<RowSink> make_unordered_shard_sink(GrowingFile& file);
// Behind the places, when all rows are there; `unordered` says which sink wrote them.
void write_shard_footer(GrowingFile& file, const ShardFooter& footer, bool unordered);

class ShardFile {
 public:
  // Throws Error{kData} where there is none, or it is not whole.
  explicit ShardFile(const std::string& path, FileSystem& files = machine_files());

  const ShardFooter& footer() const { return footer_; }
  bool unordered() const { return unordered_; }

  struct Row {
    int64_t index = 0;  // in the whole listing
    bool broken = false;
  };
  // The next row; nothing at the end. Throws Error{kData} where rows and footer contradict each other.
  std::optional<Row> next();

 private:
  uint8_t byte();

  std::string path_;
  InputFile file_;
  ShardFooter footer_;
  bool unordered_ = false;
  std::vector<uint8_t> buffer_;
  size_t at_ = 0;                  // in the buffer
  int64_t read_ = 0, places_ = 0;  // bytes of places in the buffers so far, and in all
  int64_t rows_ = 0, index_ = -1;
};

}  // namespace resflow
