// Covers: ops/kernels/winograd_avx2 ops/kernels/winograd_avx512 ops/kernels/winograd_backward_weights
// Covers: ops/kernels/winograd_forward ops/kernels/winograd_tiling
#include "ops/kernels/winograd.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ops/kernels/simd.h"

namespace resflow {
namespace {

using winograd::kBlock;
using winograd::Kernels;
using winograd::kTaps;

struct Case {
  WinogradShape shape;
  int threads;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << "N" << c.shape.N << " C" << c.shape.C << " K" << c.shape.K << " " << c.shape.H << "x" << c.shape.W
       << " threads " << c.threads;
}

// Floats aligned as the kernels want them, with guards behind that must stay as they are.
class Buffer {
 public:
  explicit Buffer(int64_t count) : count_(static_cast<size_t>(count)) {
    const size_t bytes = (count_ + kGuard + 15) / 16 * 64;
    data_.reset(static_cast<float*>(std::aligned_alloc(64, bytes)));
    std::fill_n(data_.get(), count_ + kGuard, kUntouched);
  }
  float* get() const { return data_.get(); }
  float& operator[](int64_t i) const { return data_.get()[i]; }
  int64_t size() const { return static_cast<int64_t>(count_); }
  bool guard_is_whole() const {
    return std::all_of(data_.get() + count_, data_.get() + count_ + kGuard, [](float x) { return x == kUntouched; });
  }

 private:
  static constexpr size_t kGuard = 64;
  static constexpr float kUntouched = 1.25e30F;
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  size_t count_;
  std::unique_ptr<float, Free> data_;
};

int64_t floats(size_t bytes) { return static_cast<int64_t>((bytes + sizeof(float) - 1) / sizeof(float)); }

Buffer random_buffer(int64_t count, unsigned seed, float scale = 1.0F) {
  Buffer buffer(count);
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0F, scale);
  for (int64_t i = 0; i < count; ++i) buffer[i] = normal(generator);
  return buffer;
}

// Places of a pixel's channel and of a weight.
struct Places {
  WinogradLayout layout;
  int64_t channels, H, W;

  int64_t operator()(int64_t n, int64_t c, int64_t y, int64_t x) const {
    if (layout == WinogradLayout::kNhwc) return ((n * H + y) * W + x) * channels + c;
    const int64_t block = layout == WinogradLayout::kNChw16c ? 16 : 8;
    return (((n * (channels / block) + c / block) * H + y) * W + x) * block + c % block;
  }
};

int64_t weight_place(int64_t C, int64_t k, int64_t c, int64_t tap) {
  return ((k / kBlock * (C / kBlock) + c / kBlock) * kTaps + tap) * kBlock * kBlock + c % kBlock * kBlock + k % kBlock;
}

// Calls f(n, c, k, tap, src place, dst place) for every product of the direct convolution.
template <class F>
void for_each_product(const WinogradShape& s, WinogradLayout layout, const F& f) {
  const Places src{layout, s.C, s.H, s.W}, dst{layout, s.K, s.H, s.W};
  for (int64_t n = 0; n < s.N; ++n)
    for (int64_t k = 0; k < s.K; ++k)
      for (int64_t y = 0; y < s.H; ++y)
        for (int64_t x = 0; x < s.W; ++x)
          for (int64_t tap = 0; tap < kTaps; ++tap) {
            const int64_t i = y + tap / 3 - 1, j = x + tap % 3 - 1;
            if (i < 0 || i >= s.H || j < 0 || j >= s.W) continue;
            for (int64_t c = 0; c < s.C; ++c) f(weight_place(s.C, k, c, tap), src(n, c, i, j), dst(n, k, y, x));
          }
}

double relative_l2(const Buffer& got, const std::vector<double>& want) {
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < got.size(); ++i) {
    const double d = got[i] - want[static_cast<size_t>(i)];
    difference += d * d;
    norm += want[static_cast<size_t>(i)] * want[static_cast<size_t>(i)];
  }
  return std::sqrt(difference / norm);
}

// Direct sums in f32 have 3e-7. The transforms add their own rounding errors, about 6e-7 with these points (measured
// 4e-7 to 1.1e-6 up to 512 channels); a wrong constant or a swapped value gives 1e-3 and more.
constexpr double kForwardTolerance = 1.5e-6;
constexpr double kBackwardTolerance = 1.5e-6;

// dst of one forward convolution, and the checks that every run must pass.
void run(const WinogradForward& forward, const Buffer& weights, WinogradForward::Arguments arguments) {
  const Buffer transformed(floats(forward.weights_bytes()));
  const Buffer scratch(floats(forward.scratch_bytes()));
  forward.transform_weights(weights.get(), transformed.get());
  arguments.weights = weights.get();
  arguments.transformed_weights = transformed.get();
  arguments.scratch = scratch.get();
  forward.run(arguments);
  EXPECT_TRUE(transformed.guard_is_whole());
  EXPECT_TRUE(scratch.guard_is_whole());
}

class WinogradCase : public ::testing::TestWithParam<std::tuple<Case, WinogradLayout, const Kernels*>> {
 protected:
  WinogradShape shape() const { return std::get<0>(GetParam()).shape; }
  int threads() const { return std::get<0>(GetParam()).threads; }
  WinogradLayout layout() const { return std::get<1>(GetParam()); }
  const Kernels& kernels() const { return *std::get<2>(GetParam()); }
  int64_t src_size() const { return shape().N * shape().C * shape().H * shape().W; }
  int64_t dst_size() const { return shape().N * shape().K * shape().H * shape().W; }
  int64_t weights_size() const { return shape().C * shape().K * kTaps; }
};

TEST_P(WinogradCase, ForwardEqualsDirectSum) {
  const Buffer src = random_buffer(src_size(), 1);
  const Buffer weights = random_buffer(weights_size(), 2);
  std::vector<double> want(static_cast<size_t>(dst_size()));
  for_each_product(shape(), layout(), [&](int64_t w, int64_t s, int64_t d) {
    want[static_cast<size_t>(d)] += static_cast<double>(weights[w]) * src[s];
  });
  const WinogradForward forward(shape(), layout(), WinogradForward::Weights::kAsTheyAre, threads(), kernels());
  const Buffer dst(dst_size());
  run(forward, weights, {.src = src.get(), .dst = dst.get()});
  EXPECT_LE(relative_l2(dst, want), kForwardTolerance);
  EXPECT_TRUE(dst.guard_is_whole());

  const Buffer again(dst_size());
  run(forward, weights, {.src = src.get(), .dst = again.get()});
  EXPECT_EQ(std::memcmp(dst.get(), again.get(), sizeof(float) * static_cast<size_t>(dst_size())), 0);
}

TEST_P(WinogradCase, AddsBiasAndResidualThenClipsBelowZero) {
  const Buffer src = random_buffer(src_size(), 1);
  const Buffer weights = random_buffer(weights_size(), 2);
  const Buffer bias = random_buffer(shape().K, 3, 5.0F);
  const Buffer residual = random_buffer(dst_size(), 4, 10.0F);
  const WinogradForward forward(shape(), layout(), WinogradForward::Weights::kAsTheyAre, threads(), kernels());
  const Buffer product(dst_size());
  run(forward, weights, {.src = src.get(), .dst = product.get()});
  // In place: dst holds the residual.
  const Buffer dst(dst_size());
  std::copy_n(residual.get(), dst_size(), dst.get());
  run(forward, weights, {.src = src.get(), .bias = bias.get(), .residual = dst.get(), .relu = true, .dst = dst.get()});
  const Places place{layout(), shape().K, shape().H, shape().W};
  int64_t wrong = 0;
  for (int64_t n = 0; n < shape().N; ++n)
    for (int64_t k = 0; k < shape().K; ++k)
      for (int64_t y = 0; y < shape().H; ++y)
        for (int64_t x = 0; x < shape().W; ++x) {
          const int64_t i = place(n, k, y, x);
          // The same operations in the same order.
          wrong += dst[i] != std::max(0.0F, (product[i] + bias[k]) + residual[i]);
        }
  EXPECT_EQ(wrong, 0);
}

float float_of(uint16_t bf16) { return std::bit_cast<float>(static_cast<uint32_t>(bf16) << 16U); }

// The nearer one of the two neighbours, half to even.
uint16_t nearest_bf16(float x) {
  const auto toward_zero = static_cast<uint16_t>(std::bit_cast<uint32_t>(x) >> 16U);
  const auto away = static_cast<uint16_t>(toward_zero + 1);
  const double low = std::abs(static_cast<double>(x) - float_of(toward_zero));
  const double high = std::abs(static_cast<double>(float_of(away)) - x);
  return low < high || (low == high && toward_zero % 2 == 0) ? toward_zero : away;
}

// Values that bf16 holds, in the first half of a buffer of floats; and the same as floats.
struct Halves {
  Buffer stored, values;
  explicit Halves(const Buffer& of) : stored(of.size()), values(of.size()) {
    for (int64_t i = 0; i < of.size(); ++i) {
      bits()[i] = nearest_bf16(of[i]);
      values[i] = float_of(bits()[i]);
    }
  }
  uint16_t* bits() const { return reinterpret_cast<uint16_t*>(stored.get()); }
};

class WinogradBf16 : public WinogradCase {};

TEST_P(WinogradBf16, IsF32RoundedWhereItIsStored) {
  const Halves src(random_buffer(src_size(), 1)), residual(random_buffer(dst_size(), 4, 10.0F));
  const Buffer weights = random_buffer(weights_size(), 2);
  const Buffer bias = random_buffer(shape().K, 3, 5.0F);
  const auto kWeights = WinogradForward::Weights::kAsTheyAre;
  const Buffer want(dst_size());
  run(WinogradForward(shape(), WinogradLayout::kNhwc, kWeights, threads(), kernels()), weights,
      {.src = src.values.get(),
       .bias = bias.get(),
       .residual = residual.values.get(),
       .relu = true,
       .dst = want.get()});
  void* dst = residual.stored.get();  // in place
  run(WinogradForward(shape(), layout(), kWeights, threads(), kernels()), weights,
      {.src = src.stored.get(), .bias = bias.get(), .residual = dst, .relu = true, .dst = dst});
  int64_t wrong = 0;
  for (int64_t i = 0; i < dst_size(); ++i) wrong += residual.bits()[i] != nearest_bf16(want[i]);
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(residual.stored.guard_is_whole());
}

TEST_P(WinogradCase, BackwardDataEqualsDirectSum) {
  const Buffer diff_dst = random_buffer(dst_size(), 1);
  const Buffer weights = random_buffer(weights_size(), 2);
  std::vector<double> want(static_cast<size_t>(src_size()));
  for_each_product(shape(), layout(), [&](int64_t w, int64_t s, int64_t d) {
    want[static_cast<size_t>(s)] += static_cast<double>(weights[w]) * diff_dst[d];
  });
  WinogradShape exchanged = shape();
  std::swap(exchanged.C, exchanged.K);
  const WinogradForward backward(exchanged, layout(), WinogradForward::Weights::kTurned, threads(), kernels());
  const Buffer diff_src(src_size());
  run(backward, weights, {.src = diff_dst.get(), .dst = diff_src.get()});
  EXPECT_LE(relative_l2(diff_src, want), kBackwardTolerance);
  EXPECT_TRUE(diff_src.guard_is_whole());
}

TEST_P(WinogradCase, BackwardWeightsEqualsDirectSum) {
  const Buffer src = random_buffer(src_size(), 1);
  const Buffer diff_dst = random_buffer(dst_size(), 2);
  std::vector<double> want(static_cast<size_t>(weights_size()));
  for_each_product(shape(), layout(), [&](int64_t w, int64_t s, int64_t d) {
    want[static_cast<size_t>(w)] += static_cast<double>(src[s]) * diff_dst[d];
  });
  const WinogradBackwardWeights backward(shape(), layout(), threads(), kernels());
  const Buffer scratch(floats(backward.scratch_bytes()));
  const Buffer diff_weights(weights_size());
  backward.run(src.get(), diff_dst.get(), diff_weights.get(), scratch.get());
  EXPECT_LE(relative_l2(diff_weights, want), kBackwardTolerance);
  EXPECT_TRUE(diff_weights.guard_is_whole());
  EXPECT_TRUE(scratch.guard_is_whole());

  const Buffer again(weights_size());
  backward.run(src.get(), diff_dst.get(), again.get(), scratch.get());
  EXPECT_EQ(std::memcmp(diff_weights.get(), again.get(), sizeof(float) * static_cast<size_t>(weights_size())), 0);
}

// Every remainder of H and W by 4; last panels of 16 channels; one and several blocks of tiles a thread, with weights
// transformed before and within a run; more threads than tiles; channels divided among threads.
const Case kCases[] = {
    {{.N = 1, .C = 16, .K = 16, .H = 1, .W = 1}, 1},     {{.N = 1, .C = 16, .K = 48, .H = 3, .W = 2}, 4},
    {{.N = 2, .C = 32, .K = 16, .H = 8, .W = 12}, 2},    {{.N = 7, .C = 16, .K = 32, .H = 5, .W = 6}, 3},
    {{.N = 9, .C = 48, .K = 80, .H = 7, .W = 7}, 2},     {{.N = 5, .C = 16, .K = 16, .H = 14, .W = 9}, 1},
    {{.N = 3, .C = 32, .K = 48, .H = 11, .W = 16}, 4},   {{.N = 2, .C = 64, .K = 64, .H = 28, .W = 30}, 3},
    {{.N = 1, .C = 160, .K = 48, .H = 6, .W = 7}, 2},    {{.N = 2, .C = 256, .K = 272, .H = 7, .W = 6}, 2},
    {{.N = 130, .C = 272, .K = 256, .H = 2, .W = 1}, 4},
};

std::vector<const Kernels*> kernels_of_this_cpu() {
  std::vector<const Kernels*> all;
  if (cpu_isa() >= Isa::kAvx2) all.push_back(winograd::avx2_kernels());
  if (cpu_isa() >= Isa::kAvx512) all.push_back(winograd::avx512_kernels());
  return all;
}

std::string name_of(const ::testing::TestParamInfo<WinogradCase::ParamType>& info) {
  const auto& [c, layout, kernels] = info.param;
  const WinogradShape& s = c.shape;
  const char* layout_name = layout == WinogradLayout::kNhwc      ? "nhwc"
                            : layout == WinogradLayout::kNChw16c ? "nChw16c"
                            : layout == WinogradLayout::kNChw8c  ? "nChw8c"
                                                                 : "nhwc_bf16";
  return fmt::format("N{}C{}K{}H{}W{}_threads{}_{}_{}", s.N, s.C, s.K, s.H, s.W, c.threads, kernels->name, layout_name);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(WinogradCase);
INSTANTIATE_TEST_SUITE_P(Winograd, WinogradCase,
                         ::testing::Combine(::testing::ValuesIn(kCases),
                                            ::testing::Values(WinogradLayout::kNhwc, WinogradLayout::kNChw16c),
                                            ::testing::ValuesIn(kernels_of_this_cpu())),
                         name_of);
INSTANTIATE_TEST_SUITE_P(WinogradVectorsOfEight, WinogradCase,
                         ::testing::Combine(::testing::ValuesIn(kCases), ::testing::Values(WinogradLayout::kNChw8c),
                                            ::testing::ValuesIn(cpu_isa() >= Isa::kAvx2
                                                                    ? std::vector{winograd::avx2_kernels()}
                                                                    : std::vector<const Kernels*>{})),
                         name_of);

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(WinogradBf16);
INSTANTIATE_TEST_SUITE_P(Winograd, WinogradBf16,
                         ::testing::Combine(::testing::ValuesIn(kCases), ::testing::Values(WinogradLayout::kNhwcBf16),
                                            ::testing::ValuesIn(kernels_of_this_cpu())),
                         name_of);

TEST(Winograd, AppliesToMultiplesOfSixteenChannels) {
  for (const Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Vnni}) {
    const bool has_kernels = winograd::best_kernels(isa) != nullptr;
    EXPECT_EQ(winograd_applies({.N = 1, .C = 16, .K = 32, .H = 4, .W = 4}, isa), has_kernels);
    EXPECT_FALSE(winograd_applies({.N = 1, .C = 3, .K = 64, .H = 4, .W = 4}, isa));
  }
  EXPECT_EQ(winograd::best_kernels(Isa::kPlain), nullptr);
  EXPECT_FALSE(winograd_applies({.N = 1, .C = 3, .K = 64, .H = 4, .W = 4}));
  EXPECT_FALSE(winograd_applies({.N = 1, .C = 64, .K = 40, .H = 4, .W = 4}));
}

TEST(Winograd, ANotANumberIsNotClipped) {
  if (winograd::best_kernels() == nullptr) GTEST_SKIP() << "no kernels for this CPU";
  const WinogradShape shape{.N = 1, .C = 16, .K = 16, .H = 4, .W = 4};
  const WinogradForward forward(shape, WinogradLayout::kNhwc, WinogradForward::Weights::kAsTheyAre, 1);
  const Buffer src = random_buffer(16 * 16, 1);
  src[5 * 16] = std::numeric_limits<float>::quiet_NaN();
  const Buffer weights = random_buffer(16 * 16 * kTaps, 2);
  const Buffer dst(16 * 16);
  run(forward, weights, {.src = src.get(), .relu = true, .dst = dst.get()});
  EXPECT_TRUE(std::isnan(dst[5 * 16]));
}

TEST(Winograd, ANotANumberStaysOneInBf16) {
  for (const Kernels* kernels : kernels_of_this_cpu()) {
    const WinogradShape shape{.N = 1, .C = 16, .K = 16, .H = 4, .W = 4};
    const WinogradForward forward(shape, WinogradLayout::kNhwcBf16, WinogradForward::Weights::kAsTheyAre, 1, *kernels);
    const Halves src(random_buffer(16 * 16, 1));
    const Buffer weights = random_buffer(16 * 16 * kTaps, 2);
    const Buffer bias(16);
    // Of all bits set, rounding up would make a zero.
    std::fill_n(bias.get(), 16, std::bit_cast<float>(0xffffffffU));
    const Buffer dst(16 * 16);
    run(forward, weights, {.src = src.stored.get(), .bias = bias.get(), .relu = true, .dst = dst.get()});
    for (int64_t i = 0; i < 16 * 16; ++i) EXPECT_TRUE(std::isnan(float_of(reinterpret_cast<uint16_t*>(dst.get())[i])));
  }
}

}  // namespace
}  // namespace resflow
