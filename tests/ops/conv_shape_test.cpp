#include "ops/conv_shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/core/error.h"

namespace resflow {
namespace {

TEST(ConvShape, CountsPixelsAsPyTorchDoes) {
  const ConvShape stem({.kernel = 7, .stride = 2, .pad = 3}, {2, 3, 224, 223}, {64, 3, 7, 7}, "conv1");
  EXPECT_EQ(stem.dst, (Dims{2, 64, 112, 112}));
  EXPECT_EQ(stem.multiply_adds(), int64_t{2} * 64 * 112 * 112 * 3 * 49);
  const ConvShape dilated({.kernel = 3, .pad = 2, .dilation = 2}, {1, 8, 9, 10}, {16, 8, 3, 3}, "c");
  EXPECT_EQ(dilated.dst, (Dims{1, 16, 9, 10}));
  EXPECT_EQ(dilated.dilates, (Dims{1, 1}));  // oneDNN's count
}

TEST(ConvShape, GroupsStandBeforeTheWeights) {
  const ConvShape grouped({.kernel = 3, .pad = 1, .groups = 4}, {1, 8, 5, 5}, {16, 2, 3, 3}, "c");
  EXPECT_EQ(grouped.weights, (Dims{4, 4, 2, 3, 3}));
  EXPECT_EQ(grouped.multiply_adds(), int64_t{16} * 25 * 2 * 9);
}

TEST(ConvShape, RefusesWhatDoesNotFit) {
  const auto sentence = [](const ConvOptions& options, const Dims& src, const Dims& weight) {
    try {
      const ConvShape shape(options, src, weight, "layer1.0.conv1");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return std::string(error.what());
    }
    return std::string("taken");
  };
  using ::testing::StartsWith;
  EXPECT_THAT(sentence({.kernel = 0}, {1, 8, 5, 5}, {8, 8, 0, 0}), StartsWith("layer1.0.conv1: kernel 0"));
  EXPECT_THAT(sentence({.kernel = 3}, {8, 5, 5}, {8, 8, 3, 3}), StartsWith("layer1.0.conv1: src is"));
  EXPECT_THAT(sentence({.kernel = 3}, {1, 8, 5, 5}, {8, 4, 3, 3}), StartsWith("layer1.0.conv1: weight"));
  EXPECT_THAT(sentence({.kernel = 3, .groups = 3}, {1, 8, 5, 5}, {9, 2, 3, 3}), StartsWith("layer1.0.conv1: weight"));
  EXPECT_THAT(sentence({.kernel = 7}, {1, 8, 5, 9}, {8, 8, 7, 7}), StartsWith("layer1.0.conv1: a window of 7"));
}

}  // namespace
}  // namespace resflow
