// Every case of the table against plain f64 loops, under several thread counts.
//
// Covers: ops/add ops/batch_norm ops/compute ops/conv ops/conv_shape ops/fold_batch_norm ops/folded_conv
// Covers: ops/global_avg_pool ops/linear ops/max_pool ops/pool ops/primitive ops/relu
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
    const bool ours =
        c.kind == Kind::kBatchNorm || ((c.kind == Kind::kConv || c.kind == Kind::kFoldedConv) && c.conv.kernel == 3);
    if (ours && !c.bench) cases.push_back(c);
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Table, OpOnOlderCpu, ::testing::ValuesIn(cases_with_kernels_of_ours()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace resflow::testing
