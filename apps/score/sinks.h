// Where a scored picture leaves its trace: a row in each of some growing files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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

  // `index` is the picture's in all that the inputs list. Throws as GrowingFile::write does.
  virtual void add(const ScoredPicture& picture, int64_t index) = 0;
  virtual void end() {}  // no more rows will come. Throws as GrowingFile::rewrite does.
};

// Each begins its file where that is empty, and goes on behind the rows that are there else. The files outlive them.

std::unique_ptr<RowSink> make_text_sink(GrowingFile& file, std::unique_ptr<RowText> rows);

// Row by row to standard output. add() throws ReaderGone (apps/host/console.h).
std::unique_ptr<RowSink> make_printing_sink(std::unique_ptr<RowText> rows);

// A .npy of f32 probabilities, NaN of broken pictures.
std::unique_ptr<RowSink> make_scores_sink(GrowingFile& file, int64_t classes);

// A .npy of the pooled features, NaN of broken pictures. REQUIRES: kF32 or kF16.
std::unique_ptr<RowSink> make_embeddings_sink(GrowingFile& file, int64_t features, DType dtype);

// The parts of a .npz (apps/score/npz.h).
std::unique_ptr<RowSink> make_npz_sink(GrowingFile& scores, GrowingFile& names, int64_t classes);

// path,error of the broken ones.
std::unique_ptr<RowSink> make_errors_sink(GrowingFile& file);

}  // namespace resflow
