#include "pipeline/stratified_folds.h"

#include <map>
#include <utility>

#include "pipeline/pixels/random.h"

namespace resflow {

std::vector<int> stratified_folds(std::span<const int32_t> labels, int folds, uint64_t seed) {
  std::map<int32_t, std::vector<size_t>> members;
  for (size_t i = 0; i < labels.size(); ++i) members[labels[i]].push_back(i);
  std::vector<int> fold_of(labels.size());
  int64_t dealt = 0;  // goes on from class to class, which keeps the folds' sizes level
  for (auto& [label, indices] : members) {
    Draw draw(seed, 0, static_cast<uint64_t>(label), DrawFor::kFolds);
    for (auto i = static_cast<int64_t>(indices.size()) - 1; i > 0; --i)
      std::swap(indices[static_cast<size_t>(i)], indices[static_cast<size_t>(draw.integer(0, i))]);
    for (const size_t index : indices) fold_of[index] = static_cast<int>(dealt++ % folds);
  }
  return fold_of;
}

}  // namespace resflow
