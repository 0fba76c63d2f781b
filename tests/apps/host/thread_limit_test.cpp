#include "apps/host/thread_limit.h"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include "io/core/error.h"

namespace resflow {
namespace {

TEST(ThreadLimit, RefusesNoThreads) {
  try {
    const ThreadLimit limit(0);
    FAIL() << "0 threads were accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::kUsage);
    EXPECT_STREQ(e.what(), "--threads is 0: wanted at least 1");
  }
}

TEST(ThreadLimit, HoldsAllOfTbbAsLongAsItLives) {
  const auto allowed = [] { return tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism); };
  const size_t before = allowed();
  for (const int threads : {1, 2}) {
    const ThreadLimit limit(threads);
    EXPECT_EQ(allowed(), static_cast<size_t>(threads));
  }
  EXPECT_EQ(allowed(), before);
}

}  // namespace
}  // namespace resflow
