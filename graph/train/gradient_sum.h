// The gradients of several batches, added up for one update: gradient accumulation.
#pragma once

#include <vector>

#include "graph/plan/arena.h"
#include "graph/plan/gradients.h"

namespace resflow {

class GradientSum {
 public:
  // For gradients in buckets like these; another plan of the same model has buckets of the same parameters.
  GradientSum(const std::vector<Bucket>& buckets, const Compute& compute);

  // Adds `factor` times the gradients of `bucket`, which is the one of number `index`. Allocates nothing.
  void add(size_t index, const Bucket& bucket, double factor);
  // To be called once all buckets of a batch have been added.
  void finish_batch() { empty_ = false; }
  // Nothing is held any more.
  void clear() { empty_ = true; }

  bool empty() const { return empty_; }
  const std::vector<Bucket>& buckets() const { return buckets_; }  // the sums
  size_t bytes() const { return arena_.bytes(); }

 private:
  const Compute& compute_;
  Arena arena_;
  std::vector<Bucket> buckets_;
  bool empty_ = true;
};

}  // namespace resflow
