#include "io/core/text.h"

#include <gtest/gtest.h>

namespace resflow {
namespace {

TEST(Text, PrintsNoControlCharacters) {
  EXPECT_EQ(printable("layer1.\xC3\xA4"), "layer1.\xC3\xA4");
  EXPECT_EQ(printable("\x1B[31mred\n\x7F\xC2\x9B"), "?[31mred???");
  EXPECT_EQ(printable("a\xFF\xC3"), "a??");
}

TEST(Text, PrintsNothingThatTurnsTheWritingRound) {
  EXPECT_EQ(printable("a\xE2\x80\xAEgpj\xE2\x81\xA9\xE2\x80\xA8\xD8\x9C."), "a?gpj???.");
  EXPECT_EQ(printable("\xD7\xA9\xE2\x80\xA6"), "\xD7\xA9\xE2\x80\xA6") << "Hebrew and an ellipsis stay";
}

TEST(Text, KeepsTheLinesOfATable) {
  EXPECT_EQ(printable_lines("a\x1B[2J\nb\r\n\n"), "a?[2J\nb?\n\n");
  EXPECT_EQ(printable_lines(""), "");
  const std::string name = "x\ny\x1B";
  EXPECT_EQ(format_printable("{:6}|{}|{}\n", name, "a\nb", 7), "x?y?  |a?b|7\n");
}

TEST(Text, CutsLongTextsBetweenCharacters) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdefg", 6), "abcdef...");
  EXPECT_EQ(printable("abcde\xC3\xA4", 6), "abcde...");
}

}  // namespace
}  // namespace resflow
