#include "graph/model/init.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <string_view>

namespace resflow {
namespace {

uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

// SplitMix64 by index: draw n is a function of the key and n.
class Stream {
 public:
  Stream(uint64_t seed, std::string_view name) : key_(mix(seed + kGamma)) {
    for (const char c : name) key_ = mix(key_ + kGamma + static_cast<unsigned char>(c));
  }
  // (0, 1], 53 bits: a logarithm can be taken of it.
  double uniform(uint64_t n) const { return static_cast<double>((mix(key_ + n * kGamma) >> 11U) + 1) * 0x1p-53; }

 private:
  static constexpr uint64_t kGamma = 0x9E3779B97F4A7C15U;
  uint64_t key_;
};

// Box-Muller: two uniform draws make two normal ones.
void fill_normal(std::span<float> values, double deviation, const Stream& stream) {
  for (size_t i = 0; i < values.size(); i += 2) {
    const double radius = deviation * std::sqrt(-2.0 * std::log(stream.uniform(i + 1)));
    const double angle = 2.0 * std::numbers::pi * stream.uniform(i + 2);
    values[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < values.size()) values[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
}

void fill_uniform(std::span<float> values, double bound, const Stream& stream) {
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(bound * (2.0 * stream.uniform(i + 1) - 1.0));
}

}  // namespace

Array initial_value(const ParameterSpec& spec, uint64_t seed) {
  Array array(spec.dtype, spec.dims);
  const Stream stream(seed, spec.name);
  const auto fan = static_cast<double>(spec.fan);
  switch (spec.init) {
    case Init::kZeros:
      break;
    case Init::kOnes:
      std::fill(array.values<float>().begin(), array.values<float>().end(), 1.0F);
      break;
    case Init::kKaimingNormal:
      fill_normal(array.values<float>(), std::sqrt(2.0 / fan), stream);
      break;
    case Init::kUniform:
      fill_uniform(array.values<float>(), 1.0 / std::sqrt(fan), stream);
      break;
  }
  return array;
}

}  // namespace resflow
