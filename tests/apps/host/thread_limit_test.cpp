#include "apps/host/thread_limit.h"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include "io/core/error.h"

namespace resflow {
namespace {

TEST(ThreadLimit, HoldsTbbAsLongAsItLives) {
  const auto allowed = [] { return tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism); };
  const size_t before = allowed();
  {
    const ThreadLimit limit(1);
    EXPECT_EQ(allowed(), 1U);
  }
  EXPECT_EQ(allowed(), before);
}

TEST(ThreadLimit, RefusesNoThreads) {
  try {
    const ThreadLimit limit(0);
    FAIL() << "0 threads were accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kUsage);
    EXPECT_STREQ(e.what(), "--threads is 0: wanted at least 1");
  }
}

}  // namespace
}  // namespace resflow
