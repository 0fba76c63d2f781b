#include "graph/head/platt.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <random>
#include <sstream>
#include <vector>

#include "tests/support/python.h"

namespace resflow {
namespace {

struct LabelledValues {
  std::vector<double> values;
  std::vector<uint8_t> positive;
};

// Labels that really follow a sigmoid of the values; std::mt19937 gives the same numbers everywhere.
LabelledValues drawn(int n, double a, double b, unsigned seed) {
  std::mt19937 random(seed);
  const auto uniform = [&] { return (static_cast<double>(random()) + 0.5) / 4294967296.0; };
  LabelledValues sample;
  for (int i = 0; i < n; ++i) {
    const double x = 6 * uniform() - 3;
    sample.values.push_back(x);
    sample.positive.push_back(uniform() < 1 / (1 + std::exp(a * x + b)) ? 1 : 0);
  }
  return sample;
}

double loss(const LabelledValues& sample, double a, double b) {
  double positives = 0;
  for (const uint8_t p : sample.positive) positives += p;
  const double negatives = static_cast<double>(sample.values.size()) - positives;
  double sum = 0;
  for (size_t i = 0; i < sample.values.size(); ++i) {
    const double target = sample.positive[i] != 0 ? (positives + 1) / (positives + 2) : 1 / (negatives + 2);
    const double p = 1 / (1 + std::exp(a * sample.values[i] + b));
    sum -= target * std::log(p) + (1 - target) * std::log1p(-p);
  }
  return sum;
}

TEST(Platt, FitsAsScikitLearnDoes) {
  const std::vector<LabelledValues> samples = {drawn(400, -2, 0.5, 1),         drawn(60, -0.3, -1, 2),
                                               drawn(1000, -5, 3, 3),          drawn(30, 1, 0, 4),
                                               {{-2, -1, 1, 2}, {0, 0, 1, 1}},  // apart: only the targets keep A finite
                                               {{-1, 0.5, 2, 3}, {0, 0, 0, 0}}};  // one class alone
  const testing::TemporaryFolder folder;
  std::vector<std::string> files;
  for (const LabelledValues& sample : samples) {
    files.push_back(folder / std::to_string(files.size()));
    std::ofstream file(files.back());
    for (size_t k = 0; k < sample.values.size(); ++k)
      file << fmt::format("{} {}\n", sample.values[k], static_cast<int>(sample.positive[k]));
  }
  const std::string printed = testing::run_python("graph/head/platt.py", files);
  if (printed.starts_with("absent")) GTEST_SKIP() << printed;
  std::istringstream theirs(printed);
  for (size_t i = 0; i < samples.size(); ++i) {
    double a = 0, b = 0;
    ASSERT_TRUE(theirs >> a >> b);
    const PlattSigmoid fitted = fit_platt(samples[i].values, samples[i].positive);
    // Both minimize one convex function; theirs stops where its gradient is below 1e-5.
    EXPECT_NEAR(fitted.a, a, 2e-4 * (1 + std::abs(a))) << i;
    EXPECT_NEAR(fitted.b, b, 2e-4 * (1 + std::abs(b))) << i;
    EXPECT_LE(loss(samples[i], fitted.a, fitted.b), loss(samples[i], a, b) + 1e-12) << i;
  }
}

TEST(Platt, TheOtherClassIsTheOtherProbability) {
  LabelledValues sample = drawn(200, -1.5, 0.7, 5);
  const PlattSigmoid one = fit_platt(sample.values, sample.positive);
  for (double& x : sample.values) x = -x;
  for (uint8_t& p : sample.positive) p = 1 - p;
  const PlattSigmoid other = fit_platt(sample.values, sample.positive);
  EXPECT_NEAR(other.a, one.a, 1e-9);
  EXPECT_NEAR(other.b, -one.b, 1e-9);
}

TEST(Platt, HugeValuesGiveFiniteParameters) {
  const LabelledValues sample = {{-1e6, -9e5, 8e5, 1e6, 1e-3}, {0, 0, 1, 1, 0}};
  const PlattSigmoid fitted = fit_platt(sample.values, sample.positive);
  EXPECT_TRUE(std::isfinite(fitted.a) && std::isfinite(fitted.b));
  EXPECT_LT(fitted.a, 0);
}

}  // namespace
}  // namespace resflow
