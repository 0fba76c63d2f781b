#include "apps/pages/html.h"

#include <gtest/gtest.h>

#include <vector>

namespace resflow {
namespace {

TEST(HtmlEscape, LeavesNothingThatATagOrAnAttributeCouldBeMadeOf) {
  EXPECT_EQ(html_escape("<img src='x' onerror=\"y\"> & co"),
            "&lt;img src=&#39;x&#39; onerror=&quot;y&quot;&gt; &amp; co");
  EXPECT_EQ(html_escape("caf\xC3\xA9 \xF0\x9F\x90\x9C"), "caf\xC3\xA9 \xF0\x9F\x90\x9C");
}

TEST(HtmlEscape, MakesTextOfAnyBytes) {
  const std::string unknown = "\xEF\xBF\xBD";
  EXPECT_EQ(html_escape("a\xFF\xC3"), "a" + unknown + unknown);
  EXPECT_EQ(html_escape("\xC3<b"), unknown + "&lt;b");  // a cut character does not swallow a tag's beginning
  EXPECT_EQ(html_escape("\x01\x7F\xC2\x85"), unknown + unknown + unknown);
  EXPECT_EQ(html_escape("a\tb\nc"), "a b c");
  EXPECT_EQ(html_escape(std::string_view("\0", 1)), unknown);
}

TEST(HtmlShorten, KeepsBothEndsAndCountsCharacters) {
  EXPECT_EQ(html_shorten("12345678", 8), "12345678");
  EXPECT_EQ(html_shorten("123456789", 8),
            "123\xE2\x80\xA6"
            "6789");
  EXPECT_EQ(html_shorten("\xC3\xA9\xC3\xA9\xC3\xA9", 3), "\xC3\xA9\xC3\xA9\xC3\xA9");
  EXPECT_EQ(html_shorten("<<<<<<", 4), "&lt;\xE2\x80\xA6&lt;&lt;");
}

TEST(DataUri, IsBase64) {
  const std::vector<uint8_t> bytes = {'h', 'e', 'l', 'l', 'o', ' ', 'w', 'o', 'r', 'l', 'd'};
  EXPECT_EQ(data_uri("image/jpeg", bytes), "data:image/jpeg;base64,aGVsbG8gd29ybGQ=");  // RFC 4648's coding
  EXPECT_EQ(data_uri("text/plain", {}), "data:text/plain;base64,");
}

}  // namespace
}  // namespace resflow
