// Rows of several files of the same kind, put into one in an order that is said row by row.
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
  virtual ~MergedRows() = default;  // without finish(): nothing is left of what was written
  MergedRows(const MergedRows&) = delete;
  MergedRows& operator=(const MergedRows&) = delete;

  // The next row of the file `from`. Throws Error{kData} where it has no more; Error{kSystem}.
  virtual void take(size_t from) = 0;
  // All are taken: the file appears, whole. Throws Error{kData} where one has more rows.
  virtual void finish() = 0;
};

// `inputs` as resflow score wrote them, all of one format. Throws Error{kData} where their headers differ.
std::unique_ptr<MergedRows> merge_rows(ScoreFormat format, const std::vector<std::string>& inputs,
                                       const std::string& out);

}  // namespace resflow
