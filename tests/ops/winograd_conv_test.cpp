#include "ops/winograd_conv.h"

#include <gtest/gtest.h>

#include "ops/kernels/winograd.h"
#include "ops/precision.h"
#include "tests/ops/op_run.h"

namespace resflow::testing {
namespace {

// Winograd's own error on top of a direct sum's, see op_test.cpp.
constexpr double kForwardLimit = 1.5e-6;

OpCase conv_case(bool training) {
  return {.name = "conv",
          .kind = Kind::kConv,
          .src = {3, 32, 14, 13},
          .out = 48,
          .conv = {.kernel = 3, .pad = 1},
          .training = training};
}

class WinogradConv : public ::testing::Test {
 protected:
  void SetUp() override {
    if (winograd::best_kernels() == nullptr) GTEST_SKIP() << "no kernels for this CPU";
  }
};

TEST_F(WinogradConv, TakesTheLayoutOfItsSource) {
  for (const Tag tag : {Tag::nhwc, Tag::nChw16c, Tag::nChw8c}) {
    OpCase c = conv_case(true);
    c.tag = tag;
    // Blocks of eight are those of plans for avx2, and no other CPU's.
    const Isa isa = tag == Tag::nChw8c ? Isa::kAvx2 : cpu_isa();
    OpRun run(c, 2, nullptr, std::make_shared<Compute>(2, isa));
    EXPECT_TRUE(run.op->implementation().starts_with("winograd")) << run.op->implementation();
    EXPECT_EQ(run.op->requirements().src[0], Desc(c.src, dnnl::memory::data_type::f32, tag));
    run.forward();
    run.backward();
    const Errors errors = errors_against_loops(run);
    EXPECT_LE(errors.forward, kForwardLimit);
    EXPECT_LE(errors.backward, kBackwardLimit);
  }
  OpCase last = conv_case(true);
  last.tag = Tag::nChw16c;
  last.layout = Layout::kChannelsLast;
  EXPECT_EQ(OpRun(last, 2).op->requirements().src[0], Desc(last.src, dnnl::memory::data_type::f32, Tag::nhwc));
}

TEST_F(WinogradConv, KeepsTheLayoutThatAnotherOpGaveTheWeight) {
  const OpCase c = conv_case(true);
  const auto compute = std::make_shared<Compute>(2);
  const auto parameters = std::make_shared<Parameters>(c, *compute);
  const Desc chosen({48, 32, 3, 3}, dnnl::memory::data_type::f32, Tag::hwio);
  parameters->kernel.value.relayout(chosen, *compute);
  parameters->kernel.laid_out = true;
  OpRun run(c, 2, parameters, compute);
  EXPECT_TRUE(run.op->implementation().starts_with("winograd")) << run.op->implementation();
  EXPECT_EQ(parameters->kernel.value.desc(), chosen);
  run.forward();
  run.backward();
  const Errors errors = errors_against_loops(run);
  EXPECT_LE(errors.forward, kForwardLimit);
  EXPECT_LE(errors.backward, kBackwardLimit);
}

TEST_F(WinogradConv, InferenceHoldsOneCopyOfTheWeights) {
  const OpRun run(conv_case(false), 2);
  // Transformed (36 values for 9) or not, and no more than the padding between points beside.
  EXPECT_LE(run.op->copy_bytes(), sizeof(float) * (32 * 48 * 36 + 36 * 16));
}

TEST_F(WinogradConv, LeavesWhatItCannotOrShouldNotDoToDirectConvolution) {
  const auto is_better = [](const ConvOptions& options, const Dims& src, int64_t out) {
    return winograd_is_better(
        ConvShape(options, src, {out, src[1] / options.groups, options.kernel, options.kernel}, ""), cpu_isa());
  };
  const ConvOptions plain{.kernel = 3, .pad = 1};
  EXPECT_TRUE(is_better(plain, {32, 64, 56, 56}, 64));
  EXPECT_TRUE(is_better(plain, {6, 512, 7, 7}, 512));
  EXPECT_TRUE(is_better(plain, {1, 256, 14, 14}, 256));
  // The weights cost more than the few tiles save.
  EXPECT_FALSE(is_better(plain, {1, 512, 7, 7}, 512));
  EXPECT_FALSE(is_better(plain, {64, 512, 1, 1}, 512));
  EXPECT_FALSE(is_better({.kernel = 3, .stride = 2, .pad = 1}, {32, 64, 56, 56}, 128));
  EXPECT_FALSE(is_better({.kernel = 3, .pad = 2, .dilation = 2}, {32, 64, 56, 56}, 64));
  EXPECT_FALSE(is_better({.kernel = 3, .pad = 1, .groups = 2}, {32, 64, 56, 56}, 64));
  EXPECT_FALSE(is_better({.kernel = 3, .pad = 0}, {32, 64, 56, 56}, 64));
  EXPECT_FALSE(is_better({.kernel = 1}, {32, 64, 56, 56}, 64));
  EXPECT_FALSE(is_better(plain, {32, 20, 56, 56}, 64));
}

// Direct sums of bf16 are twice as fast, in tiles many times.
TEST_F(WinogradConv, OfBf16WinsWithMoreTiles) {
  bool tiles = false;
  const auto is_better = [&](const Dims& src, int64_t out, bool bf16) {
    return winograd_is_better(ConvShape({.kernel = 3, .pad = 1}, src, {out, src[1], 3, 3}, ""), Isa::kAvx2, bf16,
                              tiles);
  };
  for (const bool has_tiles : {false, true}) {
    tiles = has_tiles;
    EXPECT_EQ(is_better({32, 64, 56, 56}, 64, true), !tiles);
    EXPECT_EQ(is_better({32, 512, 7, 7}, 512, true), !tiles);
    EXPECT_EQ(is_better({1, 128, 28, 28}, 128, true), !tiles);
    EXPECT_TRUE(is_better({32, 64, 56, 56}, 64, false));
  }
  tiles = false;
  for (const auto& [src, out] : std::vector<std::pair<Dims, int64_t>>{{{1, 256, 14, 14}, 256}, {{4, 512, 7, 7}, 512}}) {
    EXPECT_FALSE(is_better(src, out, true));
    EXPECT_TRUE(is_better(src, out, false));
  }
}

}  // namespace
}  // namespace resflow::testing
