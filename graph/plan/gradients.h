// The gradients of a model's parameters as one training plan makes them: in buckets, in the order in which backward
// completes them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "ops/parameter.h"

namespace resflow {

// A bucket is closed as soon as it holds this much: large enough to keep all threads (or a network) busy, small
// enough to overlap with the rest of backward.
inline constexpr size_t kBucketBytes = size_t{4} << 20U;

// A run of parameters whose gradients lie one after another in memory: what an optimizer, or an all-reduce, takes
// as soon as it is complete.
struct Bucket {
  std::vector<Parameter*> parameters;
  float* gradients = nullptr;
  size_t elements = 0;  // with the padding of blocked layouts, and up to 15 meaningless floats after each parameter
};

size_t bucket_bytes(const std::vector<Parameter*>& parameters);
// Where the gradient of a parameter begins: in floats, counted from the first float of its bucket.
size_t bucket_offset(const Bucket& bucket, const Parameter& parameter);

class Gradients {
 public:
  // Bucket i lies at places[i]: bucket_bytes, 64-byte aligned.
  Gradients(const std::vector<std::vector<Parameter*>>& buckets, std::span<void* const> places, const Compute& compute);
  ~Gradients();
  Gradients(const Gradients&) = delete;
  Gradients& operator=(const Gradients&) = delete;

  const std::vector<Bucket>& buckets() const { return buckets_; }
  size_t bytes() const;

  // From now on Parameter::gradient is a view of these gradients, until backward of another plan. Allocates nothing,
  // unless the plan whose backward was the last one has been destroyed since.
  void activate() const;

 private:
  struct Place {
    Parameter* parameter;
    float* place;
  };

  const Compute& compute_;
  std::vector<Bucket> buckets_;
  std::vector<Place> places_;  // of all buckets: a tensor's size is not to be had without an allocation
};

}  // namespace resflow
