#include "io/core/base64.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using testing::expect_error;

TEST(Base64, EqualsTheExamplesOfTheStandard) {
  const std::pair<const char*, const char*> examples[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, EveryByteComesBack) {
  std::string bytes;
  for (int b = 0; b < 256; ++b) bytes += static_cast<char>(b);
  EXPECT_EQ(from_base64(base64(bytes)), bytes);
}

TEST(Base64, RefusesWhatItDoesNotGive) {
  for (const char* text : {"Zg", "Zg=", "Z===", "Zm9v!", "Zg==Zg=="})
    expect_error(ErrorKind::kData, {}, [&] { from_base64(text); });
}

TEST(Base64, JsonHoldsUtf8AsItIsAndOtherBytesInBase64) {
  EXPECT_EQ(json_of_bytes("a\xC3\xA4").dump(), "\"a\xC3\xA4\"");
  EXPECT_EQ(json_of_bytes("a\xFF").dump(), R"({"base64":"Yf8="})");
  for (const std::string& bytes : {std::string("plain"), std::string("\xFF\0x", 3), std::string()})
    EXPECT_EQ(bytes_of_json(json_of_bytes(bytes)), bytes);
  expect_error(ErrorKind::kData, {}, [] { bytes_of_json(nlohmann::ordered_json(3)); });
}

}  // namespace
}  // namespace resflow
