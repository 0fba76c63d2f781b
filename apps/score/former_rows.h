// The rows of an output that is there already, one after the other: what a scoring keeps that reads again only the
// pictures with an error (docs/score-files.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/score/scored_picture.h"
#include "io/files/sequential_file.h"

namespace resflow {

class NpzFile;
class ShardFile;

// What it holds is valid until the next row.
struct FormerRow {
  std::string_view text = {};        // of csv and jsonl: all of it, with its line feed
  std::string_view embeddings = {};  // as they lie in their file, if there is one
  // Its name and error, of a shard its place; of a .npz all of it.
  ScoredPicture picture = {};
};

enum class FormerKind { kCsv, kJsonl, kNpz };

struct FormerFiles {
  FormerKind kind = FormerKind::kCsv;
  std::string out;
  std::string header = {};             // of a csv, with its line feed
  std::string embeddings = {};         // empty: none
  std::string embeddings_header = {};  // as npy_header makes it of no rows
  bool shard = false;                  // OUT.shard is there
};

class FormerRows {
 public:
  // Throws Error{kData} where a file is absent or damaged, Error{kUsage} where it was written with other columns.
  explicit FormerRows(const FormerFiles& files);
  ~FormerRows();
  FormerRows(const FormerRows&) = delete;
  FormerRows& operator=(const FormerRows&) = delete;

  // False at the end. Throws Error{kData} where a row is not as resflow writes it.
  bool next(FormerRow& row);
  void skip(int64_t rows);

 private:
  bool next_text(FormerRow& row);
  void read_csv(std::string_view text);
  void read_jsonl(std::string_view text);

  FormerFiles files_;
  std::unique_ptr<SequentialFile> text_, embeddings_;
  std::unique_ptr<NpzFile> npz_;
  std::unique_ptr<ShardFile> shard_;
  size_t embeddings_bytes_ = 0;  // a row
  std::string name_, error_;     // of the row at hand
  int64_t row_ = 0;
};

// How many of the rows have an error.
int64_t count_errors(const FormerFiles& files);

}  // namespace resflow
