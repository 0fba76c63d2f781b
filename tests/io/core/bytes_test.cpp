#include "io/core/bytes.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace resflow {
namespace {

TEST(Bytes, OfATextAndBack) {
  const std::string_view text("a\0\xFF", 3);
  const std::span<const uint8_t> bytes = bytes_of(text);
  EXPECT_EQ(std::vector<uint8_t>(bytes.begin(), bytes.end()), (std::vector<uint8_t>{'a', 0, 0xFF}));
  EXPECT_EQ(text_of(bytes), text);
  EXPECT_TRUE(bytes_of(std::string_view()).empty());
}

TEST(Bytes, OfAValue) {
  const uint32_t value = 0x01010101;
  const std::span<const uint8_t> bytes = bytes_of_value(value);
  EXPECT_EQ(std::vector<uint8_t>(bytes.begin(), bytes.end()), std::vector<uint8_t>(4, 1));
}

TEST(Bytes, BeginWithAText) {
  const std::span<const uint8_t> bytes = bytes_of("RIFF1234WEBP");
  EXPECT_TRUE(begins_with(bytes, "RIFF"));
  EXPECT_TRUE(begins_with(bytes, "WEBP", 8));
  EXPECT_TRUE(begins_with(bytes, "", 12));
  EXPECT_FALSE(begins_with(bytes, "WEBPS", 8));
  EXPECT_FALSE(begins_with(bytes, "", 13));
  EXPECT_FALSE(begins_with({}, "R"));
}

}  // namespace
}  // namespace resflow
