#include "io/core/json_number.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using Json = nlohmann::ordered_json;

TEST(JsonNumber, WholeNumbersThatFitAreTaken) {
  EXPECT_EQ(int64_of_json(Json::parse("9223372036854775807")), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(int64_of_json(Json::parse("-9223372036854775808")), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(int_of_json(Json::parse("2147483647")), std::numeric_limits<int>::max());
  EXPECT_EQ(int_of_json(Json::parse("-7")), -7);
}

TEST(JsonNumber, OthersAreBadData) {
  for (const char* text :
       {"9223372036854775808", "44444444000000011267068134020990749", "1.0", "1e3", "\"1\"", "null", "[1]"})
    testing::expect_error(ErrorKind::kData, {"is no whole number"}, [&] { int64_of_json(Json::parse(text)); });
  for (const char* text : {"2147483648", "-2147483649"})
    testing::expect_error(ErrorKind::kData, {text, "too large"}, [&] { int_of_json(Json::parse(text)); });
}

}  // namespace
}  // namespace resflow
