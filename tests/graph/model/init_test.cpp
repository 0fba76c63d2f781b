#include "graph/model/init.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "graph/model/model_zoo.h"

namespace resflow {
namespace {

struct Moments {
  double mean = 0, deviation = 0, kurtosis = 0;
};

Moments moments(std::span<const float> values) {
  Moments m;
  const auto n = static_cast<double>(values.size());
  for (const float v : values) m.mean += v / n;
  double second = 0, fourth = 0;
  for (const float v : values) {
    second += std::pow(v - m.mean, 2) / n;
    fourth += std::pow(v - m.mean, 4) / n;
  }
  m.deviation = std::sqrt(second);
  m.kurtosis = fourth / (second * second);
  return m;
}

ParameterSpec spec_of(const ModelDescription& description, const std::string& name) {
  for (const ParameterSpec& spec : build_model(description).parameters())
    if (spec.name == name) return spec;
  throw std::out_of_range(name);
}

TEST(Init, ConvolutionsAreKaimingNormalByFanOut) {
  for (const char* name : {"conv1.weight", "layer2.0.conv1.weight", "layer4.1.conv2.weight"}) {
    const ParameterSpec spec = spec_of({.architecture = "resnet18"}, name);
    const Array value = initial_value(spec, 3);
    const Moments m = moments(value.values<float>());
    const auto n = static_cast<double>(value.size());
    const double wanted = std::sqrt(2.0 / static_cast<double>(spec.dims[0] * spec.dims[2] * spec.dims[3]));
    // Five standard errors of each statistic.
    EXPECT_NEAR(m.mean, 0, 5 * wanted / std::sqrt(n)) << name;
    EXPECT_NEAR(m.deviation / wanted, 1, 5 / std::sqrt(2 * n)) << name;
    EXPECT_NEAR(m.kurtosis, 3, 5 * std::sqrt(24 / n)) << name;  // 3 is the normal distribution's
  }
}

TEST(Init, FanOutIsNotDividedByGroups) {
  const ParameterSpec spec = spec_of({.architecture = "resnext50_32x4d"}, "layer3.1.conv2.weight");
  ASSERT_EQ(spec.dims, (Dims{512, 16, 3, 3}));
  const Array value = initial_value(spec, 3);
  EXPECT_NEAR(moments(value.values<float>()).deviation, std::sqrt(2.0 / (512 * 9)),
              5 * std::sqrt(2.0 / (512 * 9)) / std::sqrt(2.0 * static_cast<double>(value.size())));
}

TEST(Init, TheLinearLayerIsUniformByFanIn) {
  for (const char* name : {"fc.weight", "fc.bias"}) {
    const Array value = initial_value(spec_of({.architecture = "resnet50"}, name), 3);
    const auto values = value.values<float>();
    const double bound = 1 / std::sqrt(2048.0);
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    EXPECT_GE(*low, -bound);
    EXPECT_LE(*high, bound);
    EXPECT_LT(*low, -0.99 * bound);
    EXPECT_GT(*high, 0.99 * bound);
    // A uniform distribution deviates by bound / sqrt(3); the bias has 1000 values only.
    EXPECT_NEAR(moments(values).deviation, bound / std::sqrt(3.0), 0.05 * bound);
  }
}

TEST(Init, NormsStartAsIdentity) {
  const auto all = [](const Array& array, float wanted) {
    const auto values = array.values<float>();
    return std::all_of(values.begin(), values.end(), [&](float v) { return v == wanted; });
  };
  const ModelDescription r18 = {.architecture = "resnet18"};
  EXPECT_TRUE(all(initial_value(spec_of(r18, "bn1.weight"), 3), 1));
  EXPECT_TRUE(all(initial_value(spec_of(r18, "bn1.bias"), 3), 0));
  EXPECT_TRUE(all(initial_value(spec_of(r18, "bn1.running_mean"), 3), 0));
  EXPECT_TRUE(all(initial_value(spec_of(r18, "bn1.running_var"), 3), 1));
  const Array count = initial_value(spec_of(r18, "bn1.num_batches_tracked"), 3);
  EXPECT_EQ(count.dtype(), DType::kI64);
  EXPECT_EQ(count.values<int64_t>()[0], 0);
}

TEST(Init, ValuesDependOnSeedAndNameAlone) {
  const ParameterSpec a = spec_of({.architecture = "resnet18"}, "layer1.0.conv1.weight");
  const ParameterSpec b = spec_of({.architecture = "resnet18"}, "layer1.0.conv2.weight");
  const ParameterSpec elsewhere = spec_of({.architecture = "resnet34", .num_classes = 7}, "layer1.0.conv1.weight");
  EXPECT_EQ(initial_value(a, 3), initial_value(elsewhere, 3));
  EXPECT_FALSE(initial_value(a, 3) == initial_value(a, 4));
  EXPECT_FALSE(initial_value(a, 3) == initial_value(b, 3));
}

}  // namespace
}  // namespace resflow
