// Covers: ops/vector_math
#include "graph/train/ema.h"

#include <gtest/gtest.h>

#include <cmath>

#include "graph/model/freeze.h"
#include "graph/train/trainer.h"
#include "io/core/error.h"
#include "tests/graph/cases.h"
#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using testing::kSide;
using testing::kSmall;

std::vector<double> floats(const std::vector<NamedArray>& state) {
  std::vector<double> all;
  for (const NamedArray& value : state) {
    if (value.array.dtype() != DType::kF32) continue;
    const auto values = value.array.values<float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

class EmaOfSteps : public ::testing::Test {
 protected:
  EmaOfSteps() : model_(kSmall, compute_) {
    testing::settle(model_, 11);
    trainer_ = std::make_unique<Trainer>(model_, 4, kSide, OptimizerOptions{.name = "sgd", .lr = 0.05});
  }
  void step(uint64_t number) {
    trainer_->step(testing::noise_pixels(4, kSide, kSide, number).data(), testing::noise_labels(4, 10, number));
  }

  const Compute compute_{2};
  Model model_;
  std::unique_ptr<Trainer> trainer_;
};

TEST_F(EmaOfSteps, IsTheFormulasOfParametersAndStatistics) {
  Ema ema(model_, 0.8);
  std::vector<double> wanted;
  for (uint64_t s = 0; s < 4; ++s) {
    step(s);
    ema.update();
    const std::vector<double> now = floats(model_.state());
    if (wanted.empty()) wanted = now;
    for (size_t i = 0; i < now.size(); ++i) wanted[i] = 0.8 * wanted[i] + 0.2 * now[i];
  }
  const std::vector<double> values = floats(model_.state());
  ema.swap();
  const std::vector<double> average = floats(model_.state());
  ASSERT_EQ(average.size(), wanted.size());
  double distance = 0, length = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    distance += std::pow(average[i] - wanted[i], 2);
    length += std::pow(wanted[i] - values[i], 2);
  }
  EXPECT_GT(length, 0);
  EXPECT_LE(std::sqrt(distance), 1e-4 * std::sqrt(length));  // f32 beside f64, of a small difference
  ema.swap();
  EXPECT_EQ(floats(model_.state()), values);
}

TEST_F(EmaOfSteps, GoesOnFromItsStateToTheSameBits) {
  Ema whole(model_, 0.9), after(model_, 0.9);
  EXPECT_TRUE(whole.state().empty());
  step(0);
  whole.update();
  std::vector<NamedArray> state = whole.state();
  state.insert(state.begin(), {"fc.bias/exp_avg", Array(DType::kF32, {10})});
  after.take(state);
  ASSERT_EQ(state.size(), 1U);
  EXPECT_EQ(state[0].name, "fc.bias/exp_avg");
  step(1);
  whole.update();
  after.update();
  EXPECT_EQ(floats(whole.state()), floats(after.state()));
}

TEST_F(EmaOfSteps, HalfAStateIsRefused) {
  Ema ema(model_, 0.9);
  ema.update();
  std::vector<NamedArray> state = ema.state();
  state.pop_back();
  testing::expect_error(ErrorKind::kData, {"fc.bias/ema is missing"}, [&] { ema.take(state); });
  testing::expect_error(ErrorKind::kUsage, {"decay of the average is 1"}, [&] { Ema(model_, 1); });
}

TEST(Ema, LeavesWhatIsFrozenToTheBit) {
  const Compute compute(2);
  Model model(kSmall, compute);
  testing::settle(model, 3);
  freeze(model, {"conv1", "bn1", "layer1"}, FreezeBatchNorm::kEval);
  const std::vector<NamedArray> before = model.state();
  Trainer trainer(model, 4, kSide, {.name = "sgd", .lr = 0.05});
  Ema ema(model, 0.7);
  for (uint64_t s = 0; s < 5; ++s) {
    trainer.step(testing::noise_pixels(4, kSide, kSide, s).data(), testing::noise_labels(4, 10, s));
    ema.update();
  }
  ema.swap();
  const std::vector<NamedArray> after = model.state();
  for (size_t i = 0; i < before.size(); ++i) {
    const std::string& name = before[i].name;
    const bool frozen = name.starts_with("conv1.") || name.starts_with("bn1.") || name.starts_with("layer1.");
    if (name.ends_with("num_batches_tracked")) continue;
    EXPECT_EQ(before[i].array == after[i].array, frozen) << name;
  }
}

}  // namespace
}  // namespace resflow
