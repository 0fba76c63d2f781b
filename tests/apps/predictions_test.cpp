// Probabilities of several views of a picture: those of the views by themselves, averaged.
#include "apps/predictions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "io/error.h"
#include "tests/io/expect_error.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::TemporaryFolder;

class Predictions : public ::testing::Test {
 protected:
  Predictions() : compute_(2) {
    trained_.model = std::make_unique<Model>(ModelDescription{.architecture = "resnet18", .num_classes = 3}, compute_);
    trained_.model->initialise(1);
    trained_.classes = {"a", "b", "c"};
    trained_.preprocessing.resize = 54;
    trained_.preprocessing.crop = 48;
  }

  std::vector<std::vector<double>> predict(const std::vector<std::string>& paths, Views views) {
    std::vector<Sample> samples;
    for (const std::string& path : paths) samples.push_back({.path = path, .label = 0});
    std::vector<std::vector<double>> all;
    predict_samples(trained_, samples, {.batch = 3, .threads = 2, .views = views}, [&](const Prediction& p) {
      EXPECT_EQ(p.sample, static_cast<int64_t>(all.size()));
      EXPECT_EQ(p.error, "");
      all.emplace_back(p.probabilities.begin(), p.probabilities.end());
    });
    return all;
  }

  Compute compute_;
  TrainedModel trained_;
};

TEST_F(Predictions, OfSeveralViewsAreTheMeanOfTheirs) {
  if (!testing::python_has({"PIL", "torchvision"})) GTEST_SKIP() << "needs python3-torchvision and python3-pil";
  const TemporaryFolder folder;
  testing::run_python("apps/make_views.py", {folder.path().string(), "54", "48"});
  const std::string whole = folder / "whole.png";
  std::vector<std::string> views;
  for (int i = 0; i < 10; ++i) views.push_back(folder / ("view" + std::to_string(i) + ".png"));
  const auto single = predict(views, Views::kOne);
  const auto mean = [&](const std::vector<size_t>& of) {
    std::vector<double> sum(3);
    for (const size_t i : of)
      for (size_t k = 0; k < 3; ++k) sum[k] += single[i][k] / static_cast<double>(of.size());
    return sum;
  };
  // Where a picture lies in a batch may change the last bits of f32.
  const auto near = ::testing::Pointwise(::testing::DoubleNear(1e-5), mean({4, 9}));
  EXPECT_THAT(predict({whole}, Views::kOne)[0], ::testing::Pointwise(::testing::DoubleNear(1e-5), single[4]));
  EXPECT_THAT(predict({whole}, Views::kFlip)[0], near);
  EXPECT_THAT(predict({whole}, Views::kTenCrop)[0],
              ::testing::Pointwise(::testing::DoubleNear(1e-5), mean({0, 1, 2, 3, 4, 5, 6, 7, 8, 9})));
  // The views are told apart: each differs from the mean by far more than that.
  EXPECT_THAT(single[4], ::testing::Not(near));
  EXPECT_GT(std::abs(single[0][0] - single[3][0]), 1e-4);
}

TEST_F(Predictions, TenCropsNeedRoom) {
  trained_.preprocessing.resize = 48;
  testing::expect_error(ErrorKind::kUsage, {"resizes pictures to 48 and takes 48"},
                        [&] { predict({"x.jpg"}, Views::kTenCrop); });
}

TEST_F(Predictions, WhatIsNoNumberIsAnError) {
  if (!testing::python_has({"PIL", "torchvision"})) GTEST_SKIP() << "needs python3-torchvision and python3-pil";
  const TemporaryFolder folder;
  testing::run_python("apps/make_views.py", {folder.path().string(), "54", "48"});
  auto state = trained_.model->state();
  for (NamedArray& named : state)
    if (named.name == "fc.bias") named.array.values<float>()[1] = std::numeric_limits<float>::quiet_NaN();
  trained_.model->load(state);
  std::vector<std::string> errors;
  const PredictSummary summary = predict_samples(trained_, {{folder / "whole.png", 0}, {folder / "absent.png", 0}},
                                                 {.batch = 2, .threads = 1}, [&](const Prediction& p) {
                                                   EXPECT_TRUE(p.probabilities.empty());
                                                   errors.push_back(p.error);
                                                 });
  EXPECT_EQ(summary.files, 2);
  EXPECT_EQ(summary.failed, 2);
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_THAT(errors[0], ::testing::HasSubstr("not finite"));
  EXPECT_THAT(errors[1], ::testing::HasSubstr("No such file"));
}

}  // namespace
}  // namespace resflow
