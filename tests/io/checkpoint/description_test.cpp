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
