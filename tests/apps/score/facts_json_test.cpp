// Covers: apps/score/facts
#include "apps/score/facts_json.h"

#include <gtest/gtest.h>

#include <string>

namespace resflow {
namespace {

TEST(FactsJson, ComesBackInItsOrderByteForByte) {
  const Facts facts = {{"model", "xxh3 0123456789abcdef"}, {"--top", "3"}, {"inputs", "a\nb"}, {"path", "\xFFz"}};
  EXPECT_EQ(facts_of_json(json_of_facts(facts)), facts);
  EXPECT_EQ(json_of_facts({{"--top", "3"}}).dump(), R"([["--top","3"]])");
}

TEST(FactsJson, RefusesWhatIsNoListOfPairs) {
  EXPECT_ANY_THROW(facts_of_json(nlohmann::ordered_json::parse(R"([["--top"]])")));
  EXPECT_ANY_THROW(facts_of_json(nlohmann::ordered_json::parse(R"([[1, "3"]])")));
}

}  // namespace
}  // namespace resflow
