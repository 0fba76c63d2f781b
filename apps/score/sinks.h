// Where a scored picture leaves its trace: a row in each of some growing files.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "apps/score/former_rows.h"
#include "apps/score/rows.h"
#include "io/core/array.h"
#include "io/files/growing_file.h"

namespace resflow {

class RowSink {
 public:
  RowSink() = default;
  virtual ~RowSink() = default;
  RowSink(const RowSink&) = delete;
  RowSink& operator=(const RowSink&) = delete;

  // Throws as GrowingFile::write does.
  virtual void add(const ScoredPicture& picture) = 0;
  // Takes a row without an error as it is in a former file of the same kind (apps/score/former_rows.h). Throws as add.
  virtual void keep(const FormerRow& row) { add(row.picture); }
  // To be called when no more rows will come. Throws as GrowingFile::rewrite does.
  virtual void end() {}
};

// Each of them begins its file if that is empty, and else goes on behind the rows that are there. The files outlive
// them.

std::unique_ptr<RowSink> make_text_sink(GrowingFile& file, std::unique_ptr<RowText> rows);

// Takes the text of a scoring, row by row: a terminal or a pipe, say. What it throws leaves the scoring.
using TextOutput = std::function<void(std::string_view)>;
// Gives each row to `output` at once, so that whoever reads them need not wait for more of them.
std::unique_ptr<RowSink> make_printing_sink(TextOutput output, std::unique_ptr<RowText> rows);

// A .npy of f32 probabilities. Rows of broken pictures are NaN.
std::unique_ptr<RowSink> make_scores_sink(GrowingFile& file, int64_t classes);

// A .npy of the pooled features. Rows of broken pictures are NaN. REQUIRES: `dtype` is kF32 or kF16.
std::unique_ptr<RowSink> make_embeddings_sink(GrowingFile& file, int64_t features, DType dtype);

// The two files of which a .npz is made at the end (apps/score/npz.h).
std::unique_ptr<RowSink> make_npz_sink(GrowingFile& scores, GrowingFile& names, int64_t classes);

// A .csv with path,error of the broken pictures.
std::unique_ptr<RowSink> make_errors_sink(GrowingFile& file);

}  // namespace resflow
