#include "graph/plan/gradients.h"

#include "graph/plan/placement.h"
#include "io/core/error.h"

namespace resflow {
namespace {

size_t aligned_bytes(const Parameter& parameter) {
  return (parameter.value.bytes() + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

}  // namespace

size_t bucket_bytes(const std::vector<Parameter*>& parameters) {
  size_t bytes = 0;
  for (const Parameter* parameter : parameters) bytes += aligned_bytes(*parameter);
  return bytes;
}

size_t bucket_offset(const Bucket& bucket, const Parameter& parameter) {
  size_t bytes = 0;
  for (const Parameter* other : bucket.parameters) {
    if (other == &parameter) return bytes / sizeof(float);
    bytes += aligned_bytes(*other);
  }
  throw internal_error("{} is not in this bucket", parameter.name);
}

Gradients::Gradients(const std::vector<std::vector<Parameter*>>& buckets, std::span<void* const> places,
                     const Compute& compute)
    : compute_(compute) {
  for (size_t i = 0; i < buckets.size(); ++i) {
    auto* place = static_cast<float*>(places[i]);
    buckets_.push_back(
        {.parameters = buckets[i], .gradients = place, .elements = bucket_bytes(buckets[i]) / sizeof(float)});
    for (Parameter* parameter : buckets[i]) {
      places_.push_back({parameter, place});
      const size_t elements = aligned_bytes(*parameter) / sizeof(float);
      place += elements;
    }
  }
  activate();
}

Gradients::~Gradients() {
  for (const auto& [parameter, place] : places_)
    if (parameter->gradient.data() == place) parameter->gradient = Tensor();
}

size_t Gradients::bytes() const {
  size_t elements = 0;
  for (const Bucket& bucket : buckets_) elements += bucket.elements;
  return elements * sizeof(float);
}

void Gradients::activate() const {
  for (const auto& [parameter, place] : places_) {
    if (parameter->gradient.data() == place) continue;
    if (parameter->gradient) {
      dnnl::memory view = parameter->gradient.memory();  // a handle of the same memory object
      view.set_data_handle(place);
    } else {
      parameter->gradient = Tensor(parameter->name, parameter->value, place, compute_);
    }
  }
}

}  // namespace resflow
