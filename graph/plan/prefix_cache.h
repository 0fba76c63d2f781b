// What the frozen beginning of a network makes of batches that come again and again, as those of a validation set do:
// computed once, kept, and read back from then on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "graph/model/model.h"
#include "graph/plan/plan.h"

namespace resflow {

class PrefixCache {
 public:
  // For forwards of `plan`, which is a plan for evaluation. Keeps the batches that come first, up to `max_bytes`; where
  // nothing is frozen it keeps nothing. Model and plan outlive it.
  PrefixCache(const Model& model, Plan& plan, size_t max_bytes);

  // As Plan::forward, to the bit. `samples` says which pictures these are, in their order: the same ones have the same
  // pixels each time. Where it is empty, nothing is known of them and nothing is kept.
  std::span<const float> forward(const float* pixels, int64_t rows, std::span<const int64_t> samples);

  size_t bytes() const { return kept_.size() * batch_bytes_; }

 private:
  uint64_t version() const;  // of all frozen parameters

  const Model& model_;
  Plan& plan_;
  size_t batch_bytes_, max_bytes_;
  uint64_t version_;  // of which `kept_` is
  std::map<std::vector<int64_t>, std::unique_ptr<std::byte[]>> kept_;
};

}  // namespace resflow
