#include "io/core/text.h"

#include <gtest/gtest.h>

namespace resflow {
namespace {

TEST(Text, PrintsNoControlCharacters) {
  EXPECT_EQ(printable("layer1.\xC3\xA4"), "layer1.\xC3\xA4");
  EXPECT_EQ(printable("\x1B[31mred\n\x7F\xC2\x9B"), "?[31mred???");
  EXPECT_EQ(printable("a\xFF\xC3"), "a??");
}

TEST(Text, CutsLongTextsBetweenCharacters) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdefg", 6), "abcdef...");
  EXPECT_EQ(printable("abcde\xC3\xA4", 6), "abcde...");
}

}  // namespace
}  // namespace resflow
