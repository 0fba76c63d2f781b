#include "io/checkpoint/description.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using testing::expect_error;

TEST(Description, HeadsHaveNames) {
  for (const Head::Kind kind : {Head::Kind::kSoftmax, Head::Kind::kOneVsRest})
    EXPECT_EQ(head_of_name(head_name(kind)), kind);
  EXPECT_EQ(head_name(Head::Kind::kOneVsRest), "one_vs_rest");
  expect_error(ErrorKind::kData, {"\"sigmoid\"", "softmax and one_vs_rest"}, [] { head_of_name("sigmoid"); });
}

TEST(Description, AHeadHasAsManyValuesAsItsKindWants) {
  check_head({}, 3);
  check_head({.kind = Head::Kind::kOneVsRest, .platt_a = {1, 2}, .platt_b = {3, 4}}, 2);
  expect_error(ErrorKind::kData, {"softmax head has 1 and 0", "wanted 0"}, [] { check_head({.platt_a = {1}}, 1); });
  expect_error(ErrorKind::kData, {"one_vs_rest head has 2 and 1", "wanted 2"}, [] {
    check_head({.kind = Head::Kind::kOneVsRest, .platt_a = {1, 2}, .platt_b = {3}}, 2);
  });
  expect_error(ErrorKind::kData, {"no numbers"},
               [] { check_head({.kind = Head::Kind::kOneVsRest, .platt_a = {std::nan("")}, .platt_b = {3}}, 1); });
}

// What no picture can be prepared with would be a division by zero or gigabytes of pixels later on.
TEST(Description, PreprocessingHasItsRanges) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
  const auto refused = [](const std::string& says, Preprocessing p) {
    expect_error(ErrorKind::kData, {"its preprocessing", says}, [&] { check_preprocessing(p); });
  };
  check_preprocessing({});
  check_preprocessing({.resize = 1, .crop = 1, .std = {1e-6F, 1, 1e6F}});
  check_preprocessing({.resize = kMaxPictureSide, .crop = kMaxCrop});
  refused("crop 0, wanted 1 to 4096", {.crop = 0});
  refused("crop -1, wanted 1", {.crop = -1});
  refused("resize 0, wanted 1", {.resize = 0});
  refused("resize 2147483647, wanted 1", {.resize = 2147483647});
  refused("crop 4097, wanted 1", {.crop = kMaxCrop + 1});
  refused("resize 65537, wanted 1", {.resize = kMaxPictureSide + 1});
  refused("2 means", {.mean = {0, 0}});
  refused("4 deviations", {.std = {1, 1, 1, 1}});
  for (const float bad : {kNan, kInf, -kInf, 1e7F}) refused("mean", {.mean = {0, bad, 0}});
  for (const float bad : {kNan, kInf, 0.0F, -1.0F, 1e-40F}) refused("std", {.std = {1, 1, bad}});
}

TEST(Description, ScaledPreprocessingKeepsThePartOfThePictureThatIsSeen) {
  const Preprocessing scaled = scaled_preprocessing({.resize = 256, .crop = 224, .exif = true}, 112);
  EXPECT_EQ(scaled.resize, 128);
  EXPECT_EQ(scaled.crop, 112);
  EXPECT_TRUE(scaled.exif);
  EXPECT_EQ(scaled_preprocessing({.resize = 1, .crop = 224}, 1).resize, 1);
  expect_error(ErrorKind::kData, {"crop 0"}, [] { scaled_preprocessing({.crop = 0}, 64); });
  expect_error(ErrorKind::kData, {"resize 65536 for a crop 1 would be 4194304"},
               [] { scaled_preprocessing({.resize = kMaxPictureSide, .crop = 1}, 64); });
}

TEST(Description, AModelHasItsRanges) {
  check_model({});
  expect_error(ErrorKind::kData, {"num_classes 0, wanted 1"},
               [] { check_model({.architecture = "", .num_classes = 0}); });
  expect_error(ErrorKind::kData, {"num_classes -3"}, [] { check_model({.architecture = "", .num_classes = -3}); });
  expect_error(ErrorKind::kData, {"groups -1, wanted 0"}, [] { check_model({.architecture = "", .groups = -1}); });
  expect_error(ErrorKind::kData, {"width_per_group"},
               [] { check_model({.architecture = "", .width_per_group = int64_t{1} << 40}); });
  expect_error(ErrorKind::kData, {"stages 64, wanted 0 to 8"},
               [] { check_model({.architecture = "", .layers = std::vector<int64_t>(64, 1)}); });
  expect_error(ErrorKind::kData, {"blocks in a stage 0, wanted 1"}, [] {
    check_model({.architecture = "", .layers = {2, 0}});
  });
  expect_error(ErrorKind::kData, {"norm_groups -1"}, [] { check_model({.architecture = "", .norm_groups = -1}); });
}

TEST(Description, WordsThatALaterVersionMayHaveAreRefused) {
  check_model({.architecture = "", .block = "basic", .norm = "group", .shortcut = "padding", .stem = "cifar"});
  expect_error(ErrorKind::kData, {"its model has the norm \"layer\", this resflow knows batch and group"},
               [] { check_model({.architecture = "", .norm = "layer"}); });
  expect_error(ErrorKind::kData, {"the shortcut \"pool\"", "projection and padding"},
               [] { check_model({.architecture = "", .shortcut = "pool"}); });
  expect_error(ErrorKind::kData, {"the stem \"deep\""}, [] { check_model({.architecture = "", .stem = "deep"}); });
  expect_error(ErrorKind::kData, {"the block \"wide\""}, [] { check_model({.architecture = "", .block = "wide"}); });
}

TEST(Description, RangesOfActivationsAreFiniteAndNamedOnce) {
  check_quantization({.pictures = 1, .activations = {{"input", -1, 1}, {"conv1", 0, 0}}});
  expect_error(ErrorKind::kData, {"0 pictures"}, [] { check_quantization({}); });
  expect_error(ErrorKind::kData, {"input is 1 to 0"}, [] {
    check_quantization({.pictures = 1, .activations = {{"input", 1, 0}}});
  });
  expect_error(ErrorKind::kData, {"input is 0 to inf"}, [] {
    check_quantization({.pictures = 1, .activations = {{"input", 0, std::numeric_limits<float>::infinity()}}});
  });
  expect_error(ErrorKind::kData, {"input", "twice"}, [] {
    check_quantization({.pictures = 1, .activations = {{"input", 0, 1}, {"input", 0, 1}}});
  });
}

}  // namespace
}  // namespace resflow
