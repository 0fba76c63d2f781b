#include "io/core/toml_value.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace resflow {
namespace {

TEST(TomlValue, QuotesTextsAndEscapesWhatMayNotStandInThem) {
  EXPECT_EQ(toml_value(std::string("photos")), R"("photos")");
  EXPECT_EQ(toml_value(std::string("a \"b\" \\ c")), R"("a \"b\" \\ c")");
  EXPECT_EQ(toml_value(std::string("a\nb\x7F")), R"("a\u000Ab\u007F")");
}

TEST(TomlValue, WritesNumbersAndListsAsTomlReadsThem) {
  EXPECT_EQ(toml_value(true), "true");
  EXPECT_EQ(toml_value(0.1), "0.1");
  EXPECT_EQ(toml_value(-3), "-3");
  EXPECT_EQ(toml_value(std::vector<double>{0.08, 1}), "[0.08, 1]");
  EXPECT_EQ(toml_value(std::vector<std::string>{}), "[]");
}

TEST(TomlValue, ATextHoldsWhatIsTooLargeForAnInteger) {
  EXPECT_EQ(toml_value(uint64_t{1} << 62U), "4611686018427387904");
  EXPECT_EQ(toml_value(uint64_t{1} << 63U), R"("9223372036854775808")");
}

// File names may be any bytes, TOML is UTF-8.
TEST(TomlValue, WhatIsNoUtf8IsATableWithItsBytes) {
  EXPECT_EQ(toml_value(std::string("caf\xE9")), R"({base64 = "Y2Fm6Q=="})");
  EXPECT_EQ(toml_value(std::vector<std::string>{"a", "\xFF"}), R"(["a", {base64 = "/w=="}])");
}

}  // namespace
}  // namespace resflow
