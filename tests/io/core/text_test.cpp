#include "io/core/text.h"

#include <gtest/gtest.h>

#include <string>

namespace resflow {
namespace {

TEST(Text, KnowsUtf8) {
  for (const char* text :
       {"", "ascii", "\xC3\xA4", "\xE4\xB8\xAD", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "\xEF\xBF\xBF"})
    EXPECT_TRUE(is_utf8(text)) << text;
  EXPECT_TRUE(is_utf8(std::string(3, '\0')));
}

TEST(Text, KnowsWhatIsNoUtf8) {
  for (const char* text : {"\x80", "\xC3", "a\xFFz", "\xE4\xB8", "\xC3z", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF",
                           "\xF0\x8F\xBF\xBF",                       // overlong
                           "\xED\xA0\x80", "\xED\xBF\xBF",           // surrogates
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80"})  // above U+10FFFF
    EXPECT_FALSE(is_utf8(text)) << text;
}

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
