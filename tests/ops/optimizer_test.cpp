#include "ops/optimizer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <vector>

#include "io/core/error.h"
#include "tests/support/python.h"
#include "tests/support/raw_values.h"

namespace resflow {
namespace {

using testing::TemporaryFolder;
using testing::write_raw;

constexpr int kSteps = 10;
constexpr size_t kElements = 40003;  // several threads have work, and the last vector is not full

std::vector<float> normal(size_t count, unsigned seed, float deviation) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> distribution(0, deviation);
  std::vector<float> values(count);
  for (float& x : values) x = distribution(generator);
  return values;
}

std::vector<float> read(const std::string& path, size_t count) {
  std::vector<float> values(count);
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(float)));
  return values;
}

struct OptimizerCase {
  std::string name;
  std::string kind;
  SgdOptions sgd{};
  AdamOptions adam{};
  RmsPropOptions rmsprop{};
  LambOptions lamb{};
};

const std::vector<OptimizerCase>& optimizer_cases() {
  static const std::vector<OptimizerCase> cases = {
      {.name = "sgd", .kind = "sgd", .sgd = {.lr = 0.1}},
      {.name = "sgd_decay", .kind = "sgd", .sgd = {.lr = 0.1, .weight_decay = 0.01}},
      {.name = "sgd_momentum", .kind = "sgd", .sgd = {.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-4}},
      {.name = "sgd_dampening", .kind = "sgd", .sgd = {.lr = 0.1, .momentum = 0.9, .dampening = 0.3}},
      {.name = "sgd_nesterov",
       .kind = "sgd",
       .sgd = {.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-3, .nesterov = true}},
      {.name = "adam", .kind = "adam"},
      {.name = "adam_decay", .kind = "adam", .adam = {.lr = 3e-3, .weight_decay = 0.1}},
      {.name = "adam_betas", .kind = "adam", .adam = {.lr = 1e-2, .beta1 = 0.5, .beta2 = 0.99, .eps = 1e-3}},
      {.name = "adamw", .kind = "adamw", .adam = {.weight_decay = 1e-2, .decoupled = true}},
      {.name = "adamw_strong", .kind = "adamw", .adam = {.lr = 0.05, .weight_decay = 0.5, .decoupled = true}},
      {.name = "rmsprop", .kind = "rmsprop"},
      {.name = "rmsprop_decay", .kind = "rmsprop", .rmsprop = {.lr = 1e-3, .alpha = 0.9, .weight_decay = 0.1}},
      {.name = "rmsprop_momentum", .kind = "rmsprop", .rmsprop = {.lr = 1e-3, .eps = 1e-3, .momentum = 0.9}},
      // Without the layers' own scale LAMB is AdamW.
      {.name = "lamb", .kind = "lamb", .adam = {.lr = 3e-3, .eps = 1e-6}},
      {.name = "lamb_decay",
       .kind = "lamb",
       .adam = {.lr = 0.05, .beta1 = 0.5, .beta2 = 0.99, .eps = 1e-3, .weight_decay = 0.5},
       .lamb = {.beta1 = 0.5, .beta2 = 0.99, .eps = 1e-3, .weight_decay = 0.5}},
  };
  return cases;
}

void lamb_update(const Compute& compute, const OptimizerCase& c, int64_t step, std::vector<UpdateSlice> slices) {
  lamb_direction(compute, c.lamb, step, slices);
  for (UpdateSlice& slice : slices) slice.gradient = slice.direction;
  sgd_update(compute, {.lr = c.adam.lr}, step, slices);
}

// The values after each of ten steps, with the elements in slices of unequal sizes.
std::vector<float> ten_steps(const OptimizerCase& c, const Compute& compute, const std::vector<float>& start,
                             const std::vector<float>& gradients, size_t slice_elements) {
  std::vector<float> value = start, state0(start.size()), state1(start.size()), direction(start.size()), rows;
  for (int step = 1; step <= kSteps; ++step) {
    const float* gradient = gradients.data() + static_cast<size_t>(step - 1) * start.size();
    std::vector<UpdateSlice> slices;
    for (size_t at = 0, size = slice_elements; at < start.size(); at += slices.back().elements, size = size * 2 + 3)
      slices.push_back({.value = value.data() + at,
                        .gradient = gradient + at,
                        .state0 = state0.data() + at,
                        .state1 = state1.data() + at,
                        .direction = direction.data() + at,
                        .elements = std::min(size, start.size() - at)});
    if (c.kind == "sgd")
      sgd_update(compute, c.sgd, step, slices);
    else if (c.kind == "rmsprop")
      rmsprop_update(compute, c.rmsprop, slices);
    else if (c.kind == "lamb")
      lamb_update(compute, c, step, slices);
    else
      adam_update(compute, c.adam, step, slices);
    rows.insert(rows.end(), value.begin(), value.end());
  }
  return rows;
}

class OptimizerTest : public ::testing::TestWithParam<OptimizerCase> {};

TEST_P(OptimizerTest, EqualsPyTorchForTenSteps) {
  static const bool has_torch = testing::python_has({"torch", "numpy"});
  if (!has_torch) GTEST_SKIP() << "no PyTorch";
  const OptimizerCase& c = GetParam();
  const TemporaryFolder folder;
  const std::vector<float> start = normal(kElements, 1, 0.1F), gradients = normal(kElements * kSteps, 2, 0.5F);
  write_raw<float>(folder / "values.f32", start);
  write_raw<float>(folder / "gradients.f32", gradients);
  const bool sgd = c.kind == "sgd", rmsprop = c.kind == "rmsprop";
  const auto of = [&](double for_sgd, double for_adam, double for_rmsprop) {
    return fmt::format("{}", sgd ? for_sgd : rmsprop ? for_rmsprop : for_adam);
  };
  testing::run_python(
      "ops/optimizer_steps.py",
      {folder.path().string(), c.kind == "lamb" ? "adamw" : c.kind, of(c.sgd.lr, c.adam.lr, c.rmsprop.lr),
       of(c.sgd.momentum, 0, c.rmsprop.momentum), fmt::format("{}", c.sgd.dampening), c.sgd.nesterov ? "1" : "0",
       of(c.sgd.weight_decay, c.adam.weight_decay, c.rmsprop.weight_decay), of(0, c.adam.beta1, c.rmsprop.alpha),
       fmt::format("{}", c.adam.beta2), of(0, c.adam.eps, c.rmsprop.eps)});
  const std::vector<float> wanted = read(folder / "wanted.f32", kElements * kSteps);
  const Compute compute(2);
  const std::vector<float> got = ten_steps(c, compute, start, gradients, 1000);
  ASSERT_EQ(got.size(), wanted.size());
  // The same operations in the same order; fused multiply-adds round once where PyTorch rounds twice.
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], wanted[i], 2e-6 * std::max(1.0F, std::abs(wanted[i]))) << i;
}

TEST_P(OptimizerTest, SameBitsForAnyThreadsAndSlices) {
  const std::vector<float> start = normal(kElements, 1, 0.1F), gradients = normal(kElements * kSteps, 2, 0.5F);
  const Compute one(1), four(4);
  const std::vector<float> wanted = ten_steps(GetParam(), one, start, gradients, kElements);
  EXPECT_EQ(ten_steps(GetParam(), four, start, gradients, 7), wanted);
}

// The kernels of older CPUs run here, too.
TEST_P(OptimizerTest, EveryInstructionSetComputesTheSame) {
  const std::vector<float> start = normal(kElements, 1, 0.1F), gradients = normal(kElements * kSteps, 2, 0.5F);
  const std::vector<float> wanted = ten_steps(GetParam(), Compute(2), start, gradients, 1000);
  for (const Isa isa : {Isa::kPlain, Isa::kAvx2, Isa::kAvx512}) {
    if (isa >= cpu_isa()) break;
    const std::vector<float> got = ten_steps(GetParam(), Compute(2, isa), start, gradients, 1000);
    // As against PyTorch: fused multiply-adds round once where others round twice.
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got[i], wanted[i], 2e-6 * std::max(1.0F, std::abs(wanted[i]))) << isa_name(isa) << ", " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, OptimizerTest, ::testing::ValuesIn(optimizer_cases()),
                         [](const auto& info) { return info.param.name; });

TEST(Optimizer, DecaySparesTheSlicesThatSaySo) {
  const Compute compute(1);
  std::vector<float> value(64, 1.0F);
  const std::vector<float> gradient(64, 0.0F);
  const std::vector<UpdateSlice> slices = {
      {.value = value.data(), .gradient = gradient.data(), .elements = 32},
      {.value = value.data() + 32, .gradient = gradient.data() + 32, .elements = 32, .decay = false}};
  sgd_update(compute, {.lr = 0.5, .weight_decay = 0.5}, 1, slices);
  EXPECT_EQ(value[31], 0.75F);
  EXPECT_EQ(value[32], 1.0F);
}

TEST(Optimizer, PaddingStaysZero) {
  const Compute compute(1);
  std::vector<float> value(16), m(16), v(16);
  const std::vector<float> gradient(16, 0.0F);
  const std::vector<UpdateSlice> slices = {
      {.value = value.data(), .gradient = gradient.data(), .state0 = m.data(), .state1 = v.data(), .elements = 16}};
  for (int step = 1; step <= 3; ++step) adam_update(compute, {.weight_decay = 0.1}, step, slices);
  EXPECT_EQ(value, std::vector<float>(16));
}

TEST(Optimizer, ATrustScalesGradientAndDecayBeforeTheMomentum) {
  const Compute compute(1);
  std::vector<float> value(32, 2.0F), buffer(32);
  const std::vector<float> gradient(32, 1.0F);
  const UpdateSlice slice = {
      .value = value.data(), .gradient = gradient.data(), .state0 = buffer.data(), .elements = 32, .trust = 0.25};
  sgd_update(compute, {.lr = 0.5, .momentum = 0.5, .weight_decay = 0.5}, 1, std::span(&slice, 1));
  EXPECT_EQ(buffer[31], 0.5F);  // (1 + 0.5 * 2) / 4
  EXPECT_EQ(value[31], 1.75F);
  sgd_update(compute, {.lr = 0.5, .momentum = 0.5}, 2, std::span(&slice, 1));
  EXPECT_EQ(buffer[31], 0.5F);  // 0.5 * 0.5 + 1 / 4
}

TEST(Optimizer, StepsCountFromOne) {
  const Compute compute(1);
  EXPECT_THROW(adam_update(compute, {}, 0, {}), Error);
  EXPECT_THROW(lamb_direction(compute, {}, 0, {}), Error);
}

// Parameter groups: a slice's scale of the rate is the same as that rate for all, for decoupled decay too.
TEST(Optimizer, ASlicesScaleIsItsOwnLearningRate) {
  const Compute compute(2);
  const std::vector<float> gradient = normal(kElements, 1, 0.1F), start = normal(kElements, 2, 1.0F);
  for (const bool adam : {false, true}) {
    const auto updated = [&](double lr, double scale) {
      std::vector<float> value = start, state0(kElements), state1(kElements);
      const UpdateSlice slice = {.value = value.data(),
                                 .gradient = gradient.data(),
                                 .state0 = state0.data(),
                                 .state1 = state1.data(),
                                 .elements = kElements,
                                 .lr_scale = scale};
      for (int64_t step = 1; step <= 3; ++step) {
        if (adam)
          adam_update(compute, {.lr = lr, .weight_decay = 0.1, .decoupled = true}, step, std::span(&slice, 1));
        else
          sgd_update(compute, {.lr = lr, .momentum = 0.9, .weight_decay = 0.1}, step, std::span(&slice, 1));
      }
      return value;
    };
    EXPECT_EQ(updated(0.5, 0.25), updated(0.125, 1));  // powers of two: no rounding between them
    EXPECT_NE(updated(0.5, 0.25), updated(0.5, 1));
    EXPECT_EQ(updated(0.5, 0), start);
  }
}

}  // namespace
}  // namespace resflow
