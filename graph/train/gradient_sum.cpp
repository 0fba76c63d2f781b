#include "graph/train/gradient_sum.h"

#include "ops/vector_math.h"

namespace resflow {
namespace {

size_t bytes_of(const std::vector<Bucket>& buckets) {
  size_t elements = 0;
  for (const Bucket& bucket : buckets) elements += bucket.elements;
  return elements * sizeof(float);
}

}  // namespace

GradientSum::GradientSum(const std::vector<Bucket>& buckets, const Compute& compute)
    : compute_(compute), arena_(bytes_of(buckets), compute), buckets_(buckets) {
  auto* place = reinterpret_cast<float*>(arena_.data());
  for (Bucket& bucket : buckets_) {
    bucket.gradients = place;
    place += bucket.elements;
  }
}

void GradientSum::add(size_t index, const Bucket& bucket, double factor) {
  // What lies between parameters has no meaning and may be anything: it is added, and read by nobody.
  add_scaled(compute_, buckets_[index].gradients, {bucket.gradients, bucket.elements}, static_cast<float>(factor),
             empty_);
}

}  // namespace resflow
