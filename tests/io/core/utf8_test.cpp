#include "io/core/utf8.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace resflow {
namespace {

using ::testing::ElementsAre;

TEST(Utf8, KnowsUtf8) {
  for (const char* text :
       {"", "ascii", "\xC3\xA4", "\xE4\xB8\xAD", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "\xEF\xBF\xBF"})
    EXPECT_TRUE(is_utf8(text)) << text;
  EXPECT_TRUE(is_utf8(std::string(3, '\0')));
}

TEST(Utf8, KnowsWhatIsNoUtf8) {
  for (const char* text : {"\x80", "\xC3", "a\xFFz", "\xE4\xB8", "\xC3z", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF",
                           "\xF0\x8F\xBF\xBF",                       // overlong
                           "\xED\xA0\x80", "\xED\xBF\xBF",           // surrogates
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80"})  // above U+10FFFF
    EXPECT_FALSE(is_utf8(text)) << text;
}

TEST(Utf8, TakesCharactersOffOneByOne) {
  std::string_view text = "a\xC3\xA4\xE4\xB8\xAD\xF0\x9F\x98\x80\xFF\xC3";
  std::vector<uint32_t> points;
  std::vector<size_t> bytes;
  std::vector<bool> valid;
  while (!text.empty()) {
    const Character character = next_character(text);
    points.push_back(character.point);
    bytes.push_back(character.bytes.size());
    valid.push_back(character.valid);
  }
  EXPECT_THAT(points, ElementsAre('a', 0xE4, 0x4E2D, 0x1F600, 0xFF, 0xC3));
  EXPECT_THAT(bytes, ElementsAre(1, 2, 3, 4, 1, 1));
  EXPECT_THAT(valid, ElementsAre(true, true, true, true, false, false));
}

TEST(Utf8, KnowsControlCharacters) {
  const auto is_control = [](std::string_view text) { return next_character(text).is_control(); };
  for (const char* text : {"\x1B", "\n", "\x7F", "\xC2\x80", "\xC2\x9F"}) EXPECT_TRUE(is_control(text)) << text;
  // The last two are bytes that are no characters at all.
  for (const char* text : {" ", "~", "\xC2\xA0", "\xE4\xB8\xAD", "\x80", "\x9F"})
    EXPECT_FALSE(is_control(text)) << text;
}

TEST(Utf8, TakesAByteOrderMarkOff) {
  EXPECT_EQ(without_byte_order_mark("\xEF\xBB\xBF"
                                    "a"),
            "a");
  EXPECT_EQ(without_byte_order_mark("\xEF\xBB\xBF\xEF\xBB\xBF"), "\xEF\xBB\xBF");
  for (const char* text : {"", "a", "\xEF\xBB", "a\xEF\xBB\xBF"}) EXPECT_EQ(without_byte_order_mark(text), text);
}

TEST(Utf8, CountsCharactersAndNotBytes) {
  EXPECT_EQ(letters(""), 0U);
  EXPECT_EQ(letters("abc"), 3U);
  EXPECT_EQ(letters("a\xC3\xA4\xF0\x9F\x98\x80"), 3U);
  EXPECT_EQ(letters("a\xFF\xC3"), 3U);
}

TEST(Utf8, SaysWhereATextMayBeCut) {
  EXPECT_THAT(character_starts(""), ElementsAre(0));
  EXPECT_THAT(character_starts("a\xC3\xA4\xE4\xB8\xAD."), ElementsAre(0, 1, 3, 6, 7));
  // A text that ends within a character is cut within its own bounds.
  EXPECT_THAT(character_starts("a\xF0\x9F"), ElementsAre(0, 1, 2, 3));
}

TEST(Utf8, AppendsWhatItTakesOff) {
  for (const uint32_t point : {0x00U, 0x7FU, 0x80U, 0x7FFU, 0x800U, 0xFFFFU, 0x10000U, 0x10FFFFU}) {
    std::string text;
    append_utf8(point, text);
    std::string_view rest = text;
    const Character character = next_character(rest);
    EXPECT_TRUE(character.valid) << point;
    EXPECT_EQ(character.point, point);
    EXPECT_TRUE(rest.empty()) << point;
  }
}

}  // namespace
}  // namespace resflow
