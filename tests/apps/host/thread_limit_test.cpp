#include "apps/host/thread_limit.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace resflow
