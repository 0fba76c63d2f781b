// Scores with their names as numpy's .npz: scores (N, classes) f32, NaN where a picture is broken; names (N) and
// classes, of str; error_rows, of i64, and errors, of str: which rows are broken, and why. Names that are no UTF-8 are
// what os.fsdecode makes of them.
//
// A run cannot go on writing into a zip that another one began: until all rows are there they lie in two files beside
// it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/score/scored_picture.h"
#include "io/files/file.h"
#include "io/files/sequential_file.h"

namespace resflow {

struct NpzParts {
  std::string scores;  // a .npy
  std::string names;   // npz_name_record()s
};

NpzParts npz_parts(const std::string& out);  // their final names, beside OUT: never seen, only as .partial

// A row's name and error, as they lie in the file of names.
std::string npz_name_record(std::string_view name, std::string_view error);

// The array of names is as wide as the longest of them, in every row: of 100,000 rows a single name of 60,000
// characters would make 24 GB. A picture with a longer name than this is to be a row with an error, and the name is cut
// in it.
inline constexpr size_t kMostNpzLetters = 2048;

// From the parts at these paths, atomically. Throws Error{kData} where they do not fit each other, and as AtomicFile
// does.
void write_npz(const NpzParts& parts, const std::vector<std::string>& classes, const std::string& path,
               FileSystem& files = machine_files());

// Reads what write_npz wrote, row by row.
class NpzFile {
 public:
  // Holds four pieces of it in memory, each of `piece` bytes. Throws Error{kData} for anything else.
  explicit NpzFile(const std::string& path, size_t piece = kReadAtOnce);
  ~NpzFile();
  NpzFile(const NpzFile&) = delete;
  NpzFile& operator=(const NpzFile&) = delete;

  const std::vector<std::string>& classes() const { return classes_; }

  // Sets `picture` to the next row; false at the end. What it holds lies in this object and is valid until the next
  // call. Its `sample` is the row's number. Throws Error{kData}.
  bool next(ScoredPicture& picture);

 private:
  struct Column;
  void next_error();

  std::vector<std::string> classes_;
  std::unique_ptr<Column> scores_, names_, errors_, error_rows_;
  std::string name_, error_;  // of the row at hand
  std::vector<double> probabilities_;
  int64_t at_ = 0, errors_seen_ = 0, broken_row_ = -1;
};

}  // namespace resflow
