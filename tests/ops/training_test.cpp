// What ops promise beyond their values: frozen parameters, several plans of one model, no allocation, running
// statistics.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/ops/op_run.h"

// Counts the allocations that code of this program asks for while it is told to. Libraries are not ours: a call
// from outside of the program's own text is not counted.
extern "C" const char __executable_start, etext;

namespace {
std::atomic<bool> counting{false};
std::atomic<int> allocations{0};

void* counted_allocation(size_t bytes, size_t alignment, const void* caller) {
  if (counting && caller >= &__executable_start && caller < &etext) ++allocations;
  void* memory = alignment <= alignof(std::max_align_t)
                     ? std::malloc(bytes)
                     : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

// Never inlined: where these return to is who asked.
[[gnu::noinline]] void* operator new(size_t bytes) { return counted_allocation(bytes, 1, __builtin_return_address(0)); }
[[gnu::noinline]] void* operator new[](size_t bytes) {
  return counted_allocation(bytes, 1, __builtin_return_address(0));
}
[[gnu::noinline]] void* operator new(size_t bytes, std::align_val_t alignment) {
  return counted_allocation(bytes, static_cast<size_t>(alignment), __builtin_return_address(0));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace resflow::testing {
namespace {

const OpCase& case_named(const std::string& name) {
  for (const OpCase& c : op_cases())
    if (c.name == name) return c;
  throw std::runtime_error("no case " + name);
}

int allocations_of(OpRun& run) {
  run.forward();
  if (run.c.training) run.backward();
  allocations = 0;
  counting = true;
  run.forward();
  if (run.c.training) run.backward();
  counting = false;
  return allocations;
}

TEST(Allocations, AreSeenByThisTest) {
  counting = true;
  allocations = 0;
  auto* p = new std::vector<int>(100);
  counting = false;
  delete p;
  EXPECT_GE(allocations, 2);
}

TEST(Allocations, NoneOfOursInForwardAndBackward) {
  for (const OpCase& c : op_cases()) {
    if (c.bench) continue;
    OpRun run(c, 2);
    EXPECT_EQ(allocations_of(run), 0) << c.name;
  }
}

TEST(Conv, FrozenWeightGetsNoGradientAndStaysAsItIs) {
  OpCase c = case_named("conv_k3s1p1d1g1_32to64_14x14_n2_any");
  const Compute compute(1);
  auto parameters = std::make_shared<Parameters>(c, compute);
  parameters->kernel.frozen = true;
  OpRun run(c, 2, parameters);
  EXPECT_TRUE(run.op->parameters().empty());
  EXPECT_FALSE(run.op->requirements().backward_reads_src);
  const Doubles before = export_doubles(parameters->kernel.value, run.compute);
  run.forward();
  run.backward();
  EXPECT_FALSE(parameters->kernel.gradient);
  EXPECT_EQ(export_doubles(parameters->kernel.value, run.compute), before);
  EXPECT_LE(errors_against_loops(run).backward, 1e-5);
}

TEST(BatchNorm, FrozenScaleAndShiftStillPassTheGradientOn) {
  OpCase c = case_named("batch_norm_64_7x9_n2_nhwc_residual_relu");
  const Compute compute(1);
  auto parameters = std::make_shared<Parameters>(c, compute);
  parameters->weight.frozen = parameters->bias.frozen = true;
  OpRun run(c, 2, parameters);
  EXPECT_TRUE(run.op->parameters().empty());
  run.forward();
  run.backward();
  EXPECT_LE(errors_against_loops(run).backward, 1e-5);
}

TEST(BatchNorm, WithNothingToTrainBeforeOrInItNeedsNoSource) {
  OpCase c = case_named("batch_norm_64_7x9_n2_nhwc_relu");
  c.need_diff_src = false;
  const Compute compute(1);
  auto parameters = std::make_shared<Parameters>(c, compute);
  parameters->weight.frozen = parameters->bias.frozen = true;
  OpRun run(c, 2, parameters);
  EXPECT_FALSE(run.op->requirements().backward_reads_src);
  run.forward();
  run.backward();
  EXPECT_TRUE(run.diff_src.empty());
}

TEST(Linear, OneFrozenParameterLeavesTheOtherTrained) {
  for (const bool weight_frozen : {false, true}) {
    const OpCase c = case_named("linear");
    const Compute compute(1);
    auto parameters = std::make_shared<Parameters>(c, compute);
    (weight_frozen ? parameters->kernel : parameters->bias).frozen = true;
    OpRun run(c, 2, parameters);
    ASSERT_EQ(run.op->parameters().size(), 1U);
    run.forward();
    run.backward();
    EXPECT_LE(errors_against_loops(run).backward, 1e-5);
  }
}

TEST(Conv, PlansOfTwoBatchSizesAndALayoutShareOneWeight) {
  for (const char* name : {"conv_k3s1p1d1g1_32to64_14x14_n2_any", "conv_k3s1p1d1g32_128to128_14x14_n2_any",
                           "conv_k1s1p0d1g1_64to128_14x14_n2_any", "conv_k7s2p3d1g1_3to64_33x35_n2_any"}) {
    const OpCase c = case_named(name);
    auto compute = std::make_shared<Compute>(2);
    auto parameters = std::make_shared<Parameters>(c, *compute);
    OpRun first(c, 2, parameters, compute);
    const Desc layout = parameters->kernel.value.desc();
    const void* place = parameters->kernel.value.data();
    OpCase other = c;
    other.src[0] = 1;
    other.layout = Layout::kChannelsLast;
    OpRun second(other, 2, parameters, compute);
    EXPECT_EQ(parameters->kernel.value.desc(), layout) << name;
    EXPECT_EQ(parameters->kernel.value.data(), place) << name;
    second.forward();
    second.backward();
    EXPECT_LE(errors_against_loops(second).forward, 1e-6) << name;
    EXPECT_LE(errors_against_loops(second).backward, 1e-5) << name;
    // A plan for inference computes on a copy, and follows the weight when told.
    OpCase evaluation = c;
    evaluation.training = false;
    OpRun third(evaluation, 2, parameters, compute);
    third.forward();
    EXPECT_LE(errors_against_loops(third).forward, 1e-6) << name;
    for (double& x : third.values.weight) x *= 2;
    import_doubles(parameters->kernel.value, third.values.weight, *compute);
    third.op->refresh();
    third.forward();
    EXPECT_LE(errors_against_loops(third).forward, 1e-6) << name;
  }
}

TEST(Op, SecondBindMovesAllBuffers) {
  for (const char* name : {"conv_k3s1p1d1g1_32to64_14x14_n2_any", "batch_norm_64_7x9_n2_nChw16c_residual_relu",
                           "max_pool_nhwc", "linear", "folded_k3s1p1d1g1_32to64_14x14_n2_any_residual_relu"}) {
    OpRun run(case_named(name), 2);
    run.forward();
    const std::vector<Tensor> old = run.src;
    for (const Tensor& tensor : old) std::memset(tensor.data(), 0xff, tensor.bytes());
    run.bind();
    run.forward();
    if (run.c.training) run.backward();
    EXPECT_LE(errors_against_loops(run).forward, 1e-6) << name;
    EXPECT_LE(errors_against_loops(run).backward, 1e-5) << name;
  }
}

TEST(FoldedConv, FollowsTheParametersWhenRefreshed) {
  OpRun run(case_named("folded_k3s1p1d1g1_32to64_14x14_n2_any_relu"), 2);
  for (double& x : run.values.var) x *= 4;
  import_doubles(run.p->var.value, run.values.var, run.compute);
  run.op->refresh();
  run.forward();
  EXPECT_LE(errors_against_loops(run).forward, 1e-6);
}

TEST(BatchNorm, RunningStatisticsAreThoseOfTheUnbiasedVariance) {
  for (const int threads : {1, 2, 4}) {
    OpRun run(case_named("batch_norm_20_5x5_n3_nhwc"), threads);
    const Moments batch = moments(run.c, run.values);
    const double n = 3 * 5 * 5;
    Doubles mean = run.values.mean, var = run.values.var;
    for (int step = 1; step <= 3; ++step) {
      run.forward();
      for (size_t k = 0; k < mean.size(); ++k) {
        mean[k] = 0.9 * mean[k] + 0.1 * batch.mean[k];
        var[k] = 0.9 * var[k] + 0.1 * batch.var[k] * n / (n - 1);
      }
      EXPECT_LE(relative_l2(export_doubles(run.p->mean.value, run.compute), mean), 1e-6);
      EXPECT_LE(relative_l2(export_doubles(run.p->var.value, run.compute), var), 1e-6);
      EXPECT_EQ(run.p->count.count, step);
      EXPECT_EQ(run.p->mean.version, static_cast<uint64_t>(step));
    }
  }
}

TEST(BatchNorm, SameBitsOnEveryRun) {
  for (const char* name : {"batch_norm_512_7x7_n5_nhwc_residual_relu", "batch_norm_512_7x7_n5_nChw16c_residual_relu"}) {
    OpRun run(case_named(name), 4);
    run.forward();
    run.backward();
    const Doubles dst = run.dst_values(), diff = run.diff_src_values(0);
    for (int i = 0; i < 5; ++i) {
      run.forward();
      run.backward();
      ASSERT_EQ(run.dst_values(), dst);
      ASSERT_EQ(run.diff_src_values(0), diff);
    }
  }
}

TEST(BatchNorm, OneValueAChannelCannotBeTrained) {
  OpCase c = case_named("batch_norm_64_7x9_n2_nhwc");
  c.src = {1, 64, 1, 1};
  EXPECT_THROW(OpRun(c, 1), Error);
  c.training = false;
  OpRun run(c, 1);
  run.forward();
  EXPECT_LE(errors_against_loops(run).forward, 1e-6);
}

// The buffer of diff_dst may take diff_src[0], as the requirements say.
TEST(BatchNorm, BackwardRunsInPlace) {
  for (const char* name : {"batch_norm_64_7x9_n2_nhwc_relu", "batch_norm_64_7x9_n2_nChw16c_residual_relu"}) {
    OpRun run(case_named(name), 2);
    ASSERT_TRUE(run.op->requirements().backward_in_place);
    run.forward();
    run.backward();
    const Doubles wanted = run.diff_src_values(0);
    Buffers b;
    OpRun again(case_named(name), 2);
    for (const Tensor& t : again.src) b.src.push_back(t.data());
    b.diff_src.push_back(again.diff_dst.data());
    if (again.diff_src.size() == 2) b.diff_src.push_back(again.diff_src[1].data());
    b.dst = again.dst.data();
    b.diff_dst = again.diff_dst.data();
    std::vector<std::byte> workspace(again.op->requirements().workspace_bytes + 64);
    std::vector<std::byte> scratch(again.op->requirements().scratch_bytes + 64);
    b.workspace = workspace.data();
    b.scratch = scratch.data();
    again.compute.run([&] { again.op->bind(b); });
    again.forward();
    again.backward();
    EXPECT_EQ(export_doubles(again.diff_dst, again.compute), wanted) << name;
  }
}

TEST(Conv, RefusesWhatDoesNotFit) {
  OpCase c = case_named("conv_k3s1p1d1g1_32to64_14x14_n2_any");
  c.src = {2, 32, 14, 1};
  c.conv.pad = 0;
  EXPECT_THROW(OpRun(c, 1), Error);
  c = case_named("conv_k3s1p1d1g1_32to64_14x14_n2_any");
  const Compute compute(1);
  auto parameters = std::make_shared<Parameters>(c, compute);
  const OpContext context{.compute = compute};
  EXPECT_THROW(make_conv(context, c.conv, plain_desc({2, 16, 14, 14}), parameters->kernel), Error);
  EXPECT_THROW(make_conv(context, {.kernel = 3, .groups = 5}, plain_desc(c.src), parameters->kernel), Error);
  EXPECT_THROW(make_conv(context, {.kernel = 3, .stride = 0}, plain_desc(c.src), parameters->kernel), Error);
}

}  // namespace
}  // namespace resflow::testing
