// Every case of the table against plain f64 loops, under several thread counts.
//
// Covers: ops/add ops/batch_norm ops/conv ops/fold_batch_norm ops/folded_conv
// Covers: ops/group_norm ops/kernels/norm_kernels ops/linear ops/norm_geometry ops/relu
// Covers: ops/pooling/global_avg_pool ops/pooling/max_pool ops/pooling/pad_shortcut ops/pooling/pool
//
// What an op does on other CPUs is tested here, too, as far as it is ours: a Compute of a lower Isa runs the kernels of
// older CPUs (OpOnOlderCpu). What needs the CPU itself skips elsewhere, for oneDNN has no code for it there:
//   ops  bf16_training_test   no avx512_core and no avx_ne_convert: oneDNN has no primitives of bf16
//        precision_test       PrecisionOp: no instructions for bf16 (avx512_bf16, amx, avx_ne_convert) or 8 bits (vnni)
//        winograd_test        kernels above the CPU's level
//   graph/plan  precision_test, allocations_test; graph/train  bf16_training_test: networks of these ops
// Everything around them runs on every CPU: rounding and f64 loops in op_run_test, the choice of kernels and the words
// for what is missing in precision_test and winograd_conv_test with made-up CPUs, and the first op's pixels in bf16 and
// 8 bits in graph/plan/pixels_test.
#include <gtest/gtest.h>

#include "ops/kernels/simd.h"
#include "tests/ops/op_run.h"

namespace resflow::testing {
namespace {

class OpTest : public ::testing::TestWithParam<OpCase> {};

// The project's limit. A chain of f32 additions loses with the root of its length: beyond 2048 products the limit
// grows so. Winograd's transforms round before and after the sums: measured up to 1.26e-6 (128 channels, mean 0).
double forward_limit(const OpCase& c, const std::string& implementation) {
  const auto products = static_cast<double>(c.src[1] / c.conv.groups * c.conv.kernel * c.conv.kernel);
  const double limit = 1e-6 * std::max(1.0, std::sqrt(products / 2048));
  return implementation.starts_with("winograd") ? 1.5 * limit : limit;
}

TEST_P(OpTest, EqualsLoopsInF64) {
  for (const int threads : {1, 2, 4}) {
    if (GetParam().bench && threads != 2) continue;  // the large ones once
    OpRun run(GetParam(), threads);
    SCOPED_TRACE(::testing::Message() << run.op->implementation() << ", " << threads << " threads");
    // Blocks of sixteen are avx512's: no plan of avx2 has them, and oneDNN adds padded ones by reference there.
    const bool foreign_sum = GetParam().kind == Kind::kAdd && GetParam().tag == Tag::nChw16c;
    if (!foreign_sum || cpu_isa() >= Isa::kAvx512) {
      EXPECT_EQ(run.op->implementation().find("ref"), std::string::npos);
    }
    // Twice: nothing of the first run may show in the second.
    for (int repeat = 0; repeat < 2; ++repeat) {
      run.write_inputs();
      run.forward();
      if (GetParam().training) run.backward();
      const Errors errors = errors_against_loops(run);
      EXPECT_LE(errors.forward, forward_limit(GetParam(), run.op->implementation()));
      EXPECT_LE(errors.backward, kBackwardLimit);
      if (GetParam().bench) break;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, OpTest, ::testing::ValuesIn(op_cases()),
                         [](const auto& info) { return info.param.name; });

// The ops that have kernels of ours run those of older CPUs here, too.
class OpOnOlderCpu : public ::testing::TestWithParam<OpCase> {};

TEST_P(OpOnOlderCpu, EqualsLoopsInF64) {
  for (const Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512}) {
    if (isa >= cpu_isa()) break;
    OpRun run(GetParam(), 2, nullptr, std::make_shared<Compute>(2, isa));
    SCOPED_TRACE(::testing::Message() << run.op->implementation() << " for " << isa_name(isa));
    run.forward();
    if (GetParam().training) run.backward();
    const Errors errors = errors_against_loops(run);
    EXPECT_LE(errors.forward, forward_limit(GetParam(), run.op->implementation()));
    EXPECT_LE(errors.backward, kBackwardLimit);
  }
}

std::vector<OpCase> cases_with_kernels_of_ours() {
  std::vector<OpCase> cases;
  for (const OpCase& c : op_cases()) {
    const bool ours = c.kind == Kind::kBatchNorm || c.kind == Kind::kGroupNorm ||
                      ((c.kind == Kind::kConv || c.kind == Kind::kFoldedConv) && c.conv.kernel == 3);
    if (ours && !c.bench) cases.push_back(c);
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Table, OpOnOlderCpu, ::testing::ValuesIn(cases_with_kernels_of_ours()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace resflow::testing
