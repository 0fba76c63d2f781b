// OUT.shard, beside the output of a shard: which places of the listing its rows have, and what it is a shard of
// (docs/score-files.md).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/score/fingerprint.h"
#include "apps/score/listing_place.h"
#include "apps/score/shard.h"
#include "apps/score/sinks.h"
#include "io/files/file.h"

namespace resflow {

std::string shard_path(const std::string& out);

struct ShardFooter {
  // A file that was written beside OUT.
  struct File {
    std::string path;              // relative to the folder of OUT
    std::optional<int64_t> bytes;  // not known of an OUT that is a .npz, which is made of its parts later
  };

  Shard shard;
  // What all shards of a scoring have in common. It leaves out which shard it is, and the inputs as they were given,
  // for which `listed` stands.
  Fingerprint fingerprint;
  ListingPlace listed;  // all that the inputs listed, with those of other shards, but without the last one's name
  int64_t rows = 0, failed = 0;
  std::map<std::string, File> files;  // by role: "out", setting("embeddings"), setting("errors")
};

// Collects the places while rows come. `before` is how many pictures of the listing come before the first row.
std::unique_ptr<RowSink> make_shard_sink(GrowingFile& file, int64_t before);
// The same for rows that come in any order.
std::unique_ptr<RowSink> make_unordered_shard_sink(GrowingFile& file);
// Writes what follows the places, when all rows are there. `unordered` says which of the two sinks wrote the places.
void write_shard_footer(GrowingFile& file, const ShardFooter& footer, bool unordered);

// The file is open only while a piece of it is read: there may be thousands of shards.
class ShardFile {
 public:
  // Throws Error{kData} where there is no such file, or it is not whole.
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
  FileSystem* files_;
  ShardFooter footer_;
  bool unordered_ = false;
  std::vector<uint8_t> buffer_;
  size_t at_ = 0;                  // in the buffer
  int64_t read_ = 0, places_ = 0;  // bytes of places that were read into the buffer so far, and that there are
  int64_t rows_ = 0, index_ = -1;
};

}  // namespace resflow
