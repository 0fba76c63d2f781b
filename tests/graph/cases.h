// Values for the tests of graph/: functions of a seed and an index, so that every run and every build has the same.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/model/init.h"
#include "graph/model/model.h"
#include "ops/kernels/simd.h"

namespace resflow::testing {

// In [-1, 1).
inline double noise(uint64_t seed, uint64_t index) {
  uint64_t x = (seed * 0x9E3779B97F4A7C15U) ^ (index + 0x632BE59BD9B4E019U);
  for (int round = 0; round < 2; ++round) {
    x = (x ^ (x >> 32U)) * 0xD6E8FEB86659FD93U;
    x ^= x >> 29U;
  }
  return static_cast<double>(x >> 11U) * 0x1p-52 - 1.0;
}

inline std::vector<float> noise_pixels(int64_t batch, int64_t height, int64_t width, uint64_t seed = 1) {
  std::vector<float> pixels(static_cast<size_t>(batch * 3 * height * width));
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(2.0 * noise(seed, i));
  return pixels;
}

inline std::vector<int32_t> noise_labels(int64_t batch, int64_t classes, uint64_t seed = 1) {
  std::vector<int32_t> labels(static_cast<size_t>(batch));
  for (size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<int32_t>((noise(seed + 77, i) + 1.0) / 2.0 * static_cast<double>(classes));
  return labels;
}

// A model and its pictures, small enough for many steps: what most tests take.
inline constexpr int64_t kSide = 64, kClasses = 10;
inline const ModelDescription kSmall = {.architecture = "resnet18", .num_classes = kClasses};

inline std::vector<float> copy_of(std::span<const float> values) { return {values.begin(), values.end()}; }

// Pixels a side. With avx2 alone oneDNN has no blocked gradient of the weights for 2x2 values a channel, the last stage
// of 64 pixels: what it has, by gemm, allocates in each step and wants reorders.
inline int64_t small_training_size() { return cpu_isa() == Isa::kAvx2 ? 128 : 64; }

// Weights as a net in the middle of its training could have them, for comparisons with another implementation.
//
// The sign of a pre-activation that is 0 but for rounding decides whether a gradient flows: two correct f32
// programs then differ by a whole unit's gradient. Shifts of 2.5 deviations, either way, make such ties rare (more
// would leave channels that are never clipped, whose bias before the next batch norm has no gradient but rounding).
inline void settle(Model& model, uint64_t seed = 5) {
  model.initialise(seed);
  std::vector<NamedArray> state = model.state();
  for (size_t t = 0; t < state.size(); ++t) {
    const std::string& name = state[t].name;
    const bool norm = name.find("bn") != std::string::npos || name.find("downsample.1") != std::string::npos;
    if (!norm || name.ends_with("num_batches_tracked")) continue;
    std::span<float> values = state[t].array.values<float>();
    for (size_t i = 0; i < values.size(); ++i) {
      const double u = noise(seed + t, i);
      double value = 0;
      if (name.ends_with(".weight")) value = 0.5 + 0.1 * u;
      if (name.ends_with(".bias")) value = (u < -0.3 ? -1.25 : 1.25) + 0.1 * u;
      if (name.ends_with(".running_mean")) value = 0.1 * u;
      if (name.ends_with(".running_var")) value = 1.0 + 0.5 * u;
      values[i] = static_cast<float>(value);
    }
  }
  model.load(state);
}

inline double relative_l2(std::span<const float> got, std::span<const float> wanted) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    difference += std::pow(static_cast<double>(got[i]) - wanted[i], 2);
    norm += std::pow(static_cast<double>(wanted[i]), 2);
  }
  return std::sqrt(difference / (norm > 0 ? norm : 1));
}

}  // namespace resflow::testing
