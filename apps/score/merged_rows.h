// Rows of several files of the same kind, put into one file. Whoever uses it says for each row from which file it
// comes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "apps/score/output.h"

namespace resflow {

class MergedRows {
 public:
  MergedRows() = default;
  // Without finish() nothing is left of what was written.
  virtual ~MergedRows() = default;
  MergedRows(const MergedRows&) = delete;
  MergedRows& operator=(const MergedRows&) = delete;

  // Takes the next row of the file `from`. Throws Error{kData} where that has no more rows, and Error{kSystem}.
  virtual void take(size_t from) = 0;
  // To be called when all rows are taken: the whole file appears. Throws Error{kData} where an input has more rows.
  virtual void finish() = 0;
};

// `inputs` are outputs of ScoreOutput, all of one format. Throws Error{kData} where their headers differ.
std::unique_ptr<MergedRows> merge_rows(ScoreFormat format, const std::vector<std::string>& inputs,
                                       const std::string& out);

}  // namespace resflow
