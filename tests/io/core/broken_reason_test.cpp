#include "io/core/broken_reason.h"

#include <gtest/gtest.h>

#include "tests/io/expect_error.h"

namespace resflow {
namespace {

TEST(BrokenReason, IsTheSentenceWithoutTheName) {
  EXPECT_EQ(broken_reason(data_error("a/1.jpg: is empty: 0 bytes"), "a/1.jpg"), "is empty: 0 bytes");
  EXPECT_EQ(broken_reason(data_error("pack: is damaged"), "pack/1.jpg"), "pack: is damaged");
}

TEST(BrokenReason, AFaultThatIsNotTheFilesIsThrownOn) {
  testing::expect_error(ErrorKind::kSystem, {"no memory"}, [] { broken_reason(system_error("no memory"), "1.jpg"); });
}

}  // namespace
}  // namespace resflow
