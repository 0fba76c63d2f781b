#include "ops/softmax_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <random>

#include "io/core/error.h"
#include "tests/support/python.h"
#include "tests/support/raw_values.h"

namespace resflow {
namespace {

struct Drawn {
  std::vector<float> logits, weights;
  std::vector<int32_t> labels;
  std::vector<float> targets;  // of each row, two classes' mixture
};

Drawn draw(int64_t rows, int64_t classes, float spread) {
  std::mt19937 generator(5);
  std::normal_distribution<float> normal(0, spread);
  std::uniform_real_distribution<float> weight(0.1F, 3);
  std::uniform_int_distribution<int32_t> label(0, static_cast<int32_t>(classes) - 1);
  Drawn d;
  for (int64_t i = 0; i < rows * classes; ++i) d.logits.push_back(normal(generator));
  for (int64_t i = 0; i < classes; ++i) d.weights.push_back(weight(generator));
  for (int64_t i = 0; i < rows; ++i) d.labels.push_back(label(generator));
  d.targets.resize(d.logits.size());
  std::uniform_real_distribution<float> part(0, 1);
  for (int64_t i = 0; i < rows; ++i) {
    const float mine = part(generator);
    d.targets[static_cast<size_t>(i * classes + d.labels[static_cast<size_t>(i)])] += mine;
    d.targets[static_cast<size_t>(i * classes + label(generator))] += 1 - mine;
  }
  return d;
}

TEST(SoftmaxLoss, EqualsPyTorch) {
  static const bool has_torch = testing::python_has({"torch", "numpy"});
  if (!has_torch) GTEST_SKIP() << "no PyTorch";
  struct Row {
    int64_t rows, classes;
    float spread;
    double smoothing;
    bool weighted, soft = false;
  };
  for (const Row& r :
       {Row{5, 4, 1, 0, false}, Row{32, 1000, 3, 0, false}, Row{32, 1000, 3, 0.1, false}, Row{7, 10, 20, 0.1, true},
        Row{3, 10, 1, 0, true}, Row{1, 1, 1, 0, false}, Row{4, 5, 1, 1, true}, Row{32, 4, 2, 0, false, true},
        Row{16, 1000, 3, 0.1, false, true}, Row{7, 10, 5, 0.1, true, true}}) {
    const testing::TemporaryFolder folder;
    const Drawn d = draw(r.rows, r.classes, r.spread);
    testing::write_raw<float>(folder / "logits.f32", d.logits);
    testing::write_raw<int32_t>(folder / "labels.i32", d.labels);
    testing::write_raw<float>(folder / "targets.f32", d.targets);
    testing::write_raw<float>(folder / "weights.f32", d.weights);
    const double loss = std::stod(testing::run_python(
        "ops/cross_entropy.py", {folder.path().string(), std::to_string(r.rows), std::to_string(r.classes),
                                 std::to_string(r.smoothing), r.weighted ? "1" : "0", r.soft ? "1" : "0"}));
    std::vector<double> gradient(d.logits.size());
    std::ifstream(folder / "gradient.f64", std::ios::binary)
        .read(reinterpret_cast<char*>(gradient.data()), static_cast<std::streamsize>(gradient.size() * sizeof(double)));
    for (const int threads : {1, 2, 4}) {
      const Compute compute(threads);
      SoftmaxLoss op(compute, r.rows, r.classes,
                     {.label_smoothing = r.smoothing, .class_weights = r.weighted ? d.weights : std::vector<float>{}});
      std::vector<float> diff(d.logits.size());
      const LossResult result = r.soft ? op.run(d.logits.data(), d.targets.data(), r.rows, diff.data())
                                       : op.run(d.logits.data(), d.labels, diff.data());
      // Log-softmax is f32: a few units of its last place, which spread over logits of 20 grow by as much.
      EXPECT_NEAR(result.loss, loss, 1e-6 * std::max(1.0, std::abs(loss)));
      double distance = 0, length = 0;
      for (size_t i = 0; i < diff.size(); ++i) {
        distance += std::pow(diff[i] - gradient[i], 2);
        length += std::pow(gradient[i], 2);
      }
      EXPECT_LE(std::sqrt(distance), 1e-5 * std::sqrt(length)) << r.rows << " x " << r.classes;
    }
  }
}

TEST(SoftmaxLoss, CountsTheRightAnswers) {
  const Compute compute(2);
  SoftmaxLoss op(compute, 4, 3);
  const std::vector<float> logits = {1, 2, 0, 5, 5, 1, -1, -2, -3, 0, 0, 1};
  // The first of two equal logits is the answer.
  EXPECT_EQ(op.run(logits.data(), std::vector<int32_t>{1, 0, 0, 2}, nullptr).correct, 4);
  EXPECT_EQ(op.run(logits.data(), std::vector<int32_t>{1, 1, 1, 2}, nullptr).correct, 2);
}

TEST(SoftmaxLoss, TargetsOfOneClassAreLabels) {
  const Compute compute(2);
  const Drawn d = draw(6, 5, 2);
  std::vector<float> targets(30), diff(30), wanted(30);
  for (size_t i = 0; i < 6; ++i) targets[i * 5 + static_cast<size_t>(d.labels[i])] = 1;
  SoftmaxLoss op(compute, 6, 5);
  const LossResult a = op.run(d.logits.data(), targets.data(), 6, diff.data());
  const LossResult b = op.run(d.logits.data(), d.labels, wanted.data());
  EXPECT_DOUBLE_EQ(a.loss, b.loss);
  EXPECT_EQ(a.correct, b.correct);
  // Divided in another order: a unit in the last place.
  for (size_t i = 0; i < 30; ++i) EXPECT_NEAR(diff[i], wanted[i], 1e-7);
}

TEST(SoftmaxLoss, FewerLabelsThanRowsCountAloneAndLeaveZeros) {
  const Compute compute(2);
  const Drawn d = draw(4, 6, 1);
  SoftmaxLoss whole(compute, 4, 6), part(compute, 2, 6);
  std::vector<float> diff(24, 7.0F), wanted(12);
  const std::vector<int32_t> labels(d.labels.begin(), d.labels.begin() + 2);
  const LossResult a = whole.run(d.logits.data(), labels, diff.data());
  const LossResult b = part.run(d.logits.data(), labels, wanted.data());
  EXPECT_EQ(a.loss, b.loss);
  EXPECT_EQ(a.correct, b.correct);
  EXPECT_EQ(std::vector<float>(diff.begin(), diff.begin() + 12), wanted);
  EXPECT_EQ(std::vector<float>(diff.begin() + 12, diff.end()), std::vector<float>(12));
}

TEST(SoftmaxLoss, StandsLargeLogits) {
  const Compute compute(1);
  SoftmaxLoss op(compute, 1, 3);
  const std::vector<float> logits = {1e4F, -1e4F, 0};
  std::vector<float> diff(3);
  const LossResult result = op.run(logits.data(), std::vector<int32_t>{2}, diff.data());
  EXPECT_EQ(result.loss, 1e4);
  EXPECT_EQ(diff, (std::vector<float>{1, 0, -1}));
}

TEST(SoftmaxLoss, RefusesWhatCannotBe) {
  const Compute compute(1);
  EXPECT_THROW(SoftmaxLoss(compute, 2, 3, {.label_smoothing = 1.5, .class_weights = {}}), Error);
  EXPECT_THROW(SoftmaxLoss(compute, 2, 3, {.label_smoothing = 0, .class_weights = {1, 2}}), Error);
  EXPECT_THROW(SoftmaxLoss(compute, 2, 3, {.label_smoothing = 0, .class_weights = {1, 2, -1}}), Error);
  SoftmaxLoss op(compute, 2, 3);
  const std::vector<float> logits(6);
  std::vector<float> diff(6, 7.0F);
  EXPECT_THROW(op.run(logits.data(), std::vector<int32_t>{0, 3}, diff.data()), Error);
  EXPECT_EQ(diff, std::vector<float>(6, 7.0F));
}

}  // namespace
}  // namespace resflow
