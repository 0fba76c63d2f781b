// Training ops that store src, dst and their gradients in bf16, against the f64 loops on the very values that are
// stored.
#include <gtest/gtest.h>

#include "ops/primitive.h"
#include "tests/ops/op_run.h"

namespace resflow::testing {
namespace {

bool is_of_body(Kind kind) {
  return kind == Kind::kConv || kind == Kind::kBatchNorm || kind == Kind::kRelu || kind == Kind::kAdd ||
         kind == Kind::kMaxPool;
}

// The cases of the table that a network trains in bf16, all but its head; large ones by a sample.
std::vector<OpCase> bf16_cases() {
  std::vector<OpCase> cases;
  for (OpCase c : op_cases()) {
    if (!c.training || !is_of_body(c.kind) || c.layout != Layout::kAny) continue;
    if (c.bench && c.name != "conv_k3s1p1d1g1_64to64_56x56_n8_any" && c.name != "batch_norm_256_56x56_n8_nhwc_relu")
      continue;
    if (c.mean != 0) continue;  // bf16 has no digits for a deviation of a hundredth of the mean
    c.name = "bf16_" + c.name;
    c.dst_storage = {Type::bf16, 1};
    c.src_storage.assign(c.residual ? 2 : 1, c.dst_storage);
    cases.push_back(c);
  }
  return cases;
}

void skip_without_primitives() {
  if (!has_bf16_primitives(Compute(1))) GTEST_SKIP() << "oneDNN has no bf16 for this CPU";
}

class Bf16TrainingOp : public ::testing::TestWithParam<OpCase> {
 protected:
  void SetUp() override { skip_without_primitives(); }
};

class Bf16Training : public ::testing::Test {
 protected:
  void SetUp() override { skip_without_primitives(); }
};

// A rounding to 8 binary digits changes a value by 2^-8 of it at most, by 2^-9.3 in the mean square: a tensor that is
// rounded once or, with the weights that a convolution multiplies, twice, by less than 2^-8.6. Rounded towards zero it
// would be 2^-8.3.
constexpr double kRounded = 2.6e-3;
// Gradients of parameters are f32 sums of products of values that both sides have.
constexpr double kParameters = 1e-5;

TEST_P(Bf16TrainingOp, RoundsWhatLoopsInF64Compute) {
  const OpCase& c = GetParam();
  for (const int threads : {1, 2}) {
    if (c.bench && threads != 2) continue;
    OpRun run(c, threads);
    const Requirements& r = run.op->requirements();
    SCOPED_TRACE(::testing::Message() << run.op->implementation() << ", " << threads << " threads");
    // Where the CPU has no instructions for it a convolution may be f32 all the same, and other ops have plain code.
    if (precision_obstacle(Precision::kBf16).empty()) {
      EXPECT_EQ(run.op->implementation().find("ref"), std::string::npos);
      EXPECT_EQ(r.src[0].get_data_type(), Type::bf16);
      EXPECT_EQ(r.dst.get_data_type(), Type::bf16);
      EXPECT_EQ(r.diff_dst.get_data_type(), Type::bf16);
    }
    for (int repeat = 0; repeat < 2; ++repeat) {  // nothing of the first run may show in the second
      run.write_inputs();
      run.forward();
      run.backward();
      const Errors errors = errors_against_loops(run);
      EXPECT_LE(errors.forward, kRounded);
      EXPECT_LE(errors.backward, kRounded);
      EXPECT_LE(errors.parameters, kParameters);
      if (c.bench) break;
    }
  }
}

TEST_P(Bf16TrainingOp, StoresNoMoreDigitsThanItSays) {
  OpRun run(GetParam(), 2);
  if (run.op->requirements().dst.get_data_type() != Type::bf16) GTEST_SKIP() << "f32 on this CPU";
  run.forward();
  run.backward();
  const Storage bf16 = {Type::bf16, 1};
  for (const double value : run.dst_values()) ASSERT_EQ(value, snapped(value, bf16));
  for (size_t i = 0; i < run.diff_src.size(); ++i)
    for (const double value : run.diff_src_values(i)) ASSERT_EQ(value, snapped(value, bf16));
}

INSTANTIATE_TEST_SUITE_P(Table, Bf16TrainingOp, ::testing::ValuesIn(bf16_cases()),
                         [](const auto& info) { return info.param.name; });

OpCase bf16_case(const std::string& name) {
  for (const OpCase& c : bf16_cases())
    if (c.name == "bf16_" + name) return c;
  throw std::runtime_error("no case " + name);
}

// A plan in f32 came first: its layout stays, and the gradient has it too.
TEST_F(Bf16Training, ConvTakesAWeightAsAnF32PlanHasLaidItOut) {
  for (const char* name : {"conv_k3s1p1d1g1_32to64_14x14_n2_any", "conv_k3s1p1d1g32_128to128_14x14_n2_any",
                           "conv_k1s1p0d1g1_64to128_14x14_n2_any", "conv_k7s2p3d1g1_3to64_33x35_n2_any"}) {
    OpCase c = bf16_case(name);
    auto compute = std::make_shared<Compute>(2);
    auto parameters = std::make_shared<Parameters>(c, *compute);
    OpCase f32 = c;
    f32.src_storage = {};
    f32.dst_storage = {};
    OpRun first(f32, 2, parameters, compute);
    const Desc layout = parameters->kernel.value.desc();
    OpRun second(c, 2, parameters, compute);
    EXPECT_EQ(parameters->kernel.value.desc(), layout) << name;
    second.forward();
    second.backward();
    const Errors errors = errors_against_loops(second);
    EXPECT_LE(errors.forward, kRounded) << name;
    EXPECT_LE(errors.backward, kRounded) << name;
    EXPECT_LE(errors.parameters, kParameters) << name;
  }
}

TEST_F(Bf16Training, AFrozenConvPassesTheGradientOnAndHasNone) {
  for (const char* name : {"conv_k3s1p1d1g1_32to64_14x14_n2_any", "conv_k3s1p1d1g32_128to128_14x14_n2_any"}) {
    const OpCase c = bf16_case(name);
    const Compute compute(1);
    auto parameters = std::make_shared<Parameters>(c, compute);
    parameters->kernel.frozen = true;
    OpRun run(c, 2, parameters);
    EXPECT_TRUE(run.op->parameters().empty());
    EXPECT_FALSE(run.op->requirements().backward_reads_src);
    run.forward();
    run.backward();
    EXPECT_LE(errors_against_loops(run).forward, kRounded) << name;
    EXPECT_LE(errors_against_loops(run).backward, kRounded) << name;
  }
}

TEST_F(Bf16Training, BatchNormPassesOnWhatIsNoNumber) {
  OpCase c{.name = "nan", .kind = Kind::kBatchNorm, .src = {2, 32, 3, 3}, .relu = false, .tag = Tag::nhwc};
  c.dst_storage = {Type::bf16, 1};
  c.src_storage = {c.dst_storage};
  OpRun run(c, 1);
  run.values.src[0][0] = std::numeric_limits<double>::quiet_NaN();
  run.write_inputs();
  run.forward();
  const Doubles dst = run.dst_values();
  EXPECT_TRUE(std::isnan(dst[0]));  // and with it the statistics of the channel, but of no other
  EXPECT_TRUE(std::isnan(dst[1]));
  EXPECT_FALSE(std::isnan(dst[9]));
}

}  // namespace
}  // namespace resflow::testing
