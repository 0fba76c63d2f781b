// Arithmetic on long runs of f32 values, in parallel. Results do not depend on the number of threads.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "ops/compute.h"

namespace resflow {

// sum = factor * values where `first`, else sum + factor * values. Allocates nothing.
void add_scaled(const Compute& compute, float* sum, std::span<const float> values, float factor, bool first);

// average = decay * average + (1 - decay) * values. Allocates nothing.
void blend(const Compute& compute, float* average, std::span<const float> values, double decay);

// Exchanges the values of `a` and `b`, which are equally long. Allocates nothing.
void exchange(const Compute& compute, std::span<float> a, std::span<float> b);

// values *= factor. Allocates nothing.
void scale(const Compute& compute, std::span<float> values, float factor);

// The 2-norm of all of `parts` together, summed in f64. `partial` is its scratch, which grows as needed, so that a
// second call allocates nothing.
double norm(const Compute& compute, std::span<const std::span<const float>> parts, std::vector<double>& partial);

}  // namespace resflow
