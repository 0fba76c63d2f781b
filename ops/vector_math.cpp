#include "ops/vector_math.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "ops/kernels/parallel.h"

namespace resflow {
namespace {

// A thread's piece of work, and what one partial sum of a norm covers.
constexpr size_t kPiece = 16384;

size_t pieces(size_t elements) { return (elements + kPiece - 1) / kPiece; }

// f(begin, end) over pieces of [0, elements).
template <class F>
void each_piece(const Compute& compute, size_t elements, const F& f) {
  compute.run([&] {
    parallel_parts(static_cast<int>(pieces(elements)), [&](int piece) {
      const size_t begin = static_cast<size_t>(piece) * kPiece;
      f(begin, std::min(begin + kPiece, elements));
    });
  });
}

}  // namespace

void add_scaled(const Compute& compute, float* sum, std::span<const float> values, float factor, bool first) {
  each_piece(compute, values.size(), [&](size_t begin, size_t end) {
    if (first)
      for (size_t i = begin; i < end; ++i) sum[i] = factor * values[i];
    else
      for (size_t i = begin; i < end; ++i) sum[i] += factor * values[i];
  });
}

void blend(const Compute& compute, float* average, std::span<const float> values, double decay) {
  const auto keep = static_cast<float>(decay);
  const auto take = static_cast<float>(1 - decay);
  each_piece(compute, values.size(), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) average[i] = keep * average[i] + take * values[i];
  });
}

void exchange(const Compute& compute, std::span<float> a, std::span<float> b) {
  each_piece(compute, a.size(), [&](size_t begin, size_t end) {
    std::swap_ranges(a.begin() + static_cast<std::ptrdiff_t>(begin), a.begin() + static_cast<std::ptrdiff_t>(end),
                     b.begin() + static_cast<std::ptrdiff_t>(begin));
  });
}

void scale(const Compute& compute, std::span<float> values, float factor) {
  each_piece(compute, values.size(), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) values[i] *= factor;
  });
}

double norm(const Compute& compute, std::span<const std::span<const float>> parts, std::vector<double>& partial) {
  size_t count = 0;
  for (const auto& part : parts) count += pieces(part.size());
  partial.resize(count);
  size_t at = 0;
  for (const auto& part : parts) {
    each_piece(compute, part.size(), [&](size_t begin, size_t end) {
      double sum = 0;
      for (size_t i = begin; i < end; ++i) sum += static_cast<double>(part[i]) * part[i];
      partial[at + begin / kPiece] = sum;
    });
    at += pieces(part.size());
  }
  double sum = 0;
  for (const double p : partial) sum += p;
  return std::sqrt(sum);
}

}  // namespace resflow
