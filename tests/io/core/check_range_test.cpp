#include "io/core/check_range.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/io/expect_error.h"

namespace resflow {
namespace {

TEST(CheckRange, TakesItsLimits) {
  check_range("quality", 1, 1, 100);
  check_range("quality", 100, 1, 100);
}

TEST(CheckRange, SaysWhatWasWanted) {
  testing::expect_error(ErrorKind::kUsage, {"quality is 0: wanted 1 to 100"},
                        [] { check_range(setting("quality"), 0, 1, 100); });
  testing::expect_error(ErrorKind::kUsage, {"drop is 0.5: wanted 1 to 2"}, [] { check_range("drop", 0.5, 1, 2); });
  testing::expect_error(ErrorKind::kUsage, {"drop is nan"}, [] { check_range("drop", std::nan(""), 1, 2); });
}

}  // namespace
}  // namespace resflow
