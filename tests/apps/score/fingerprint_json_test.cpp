#include "apps/score/fingerprint_json.h"

#include <gtest/gtest.h>

#include <string>

#include "io/core/setting.h"

namespace resflow {
namespace {

TEST(FingerprintJson, ComesBackInItsOrderByteForByte) {
  const Fingerprint fingerprint = {
      {"model", "xxh3 0123456789abcdef"}, {setting("top"), "3"}, {"inputs", "a\nb"}, {"path", "\xFFz"}};
  EXPECT_EQ(fingerprint_of_json(json_of_fingerprint(fingerprint)), fingerprint);
  EXPECT_EQ(json_of_fingerprint({{setting("top"), "3"}}).dump(), R"([["--top","3"]])");
}

TEST(FingerprintJson, RefusesWhatIsNoListOfPairs) {
  EXPECT_ANY_THROW(fingerprint_of_json(nlohmann::ordered_json::parse(R"([["--top"]])")));
  EXPECT_ANY_THROW(fingerprint_of_json(nlohmann::ordered_json::parse(R"([[1, "3"]])")));
}

TEST(FingerprintJson, IsStoredWithSettingsAsTheyHaveAlwaysBeenSpelt) {
  const Fingerprint settings = {{"model", "m"}, {setting("top"), "1"}, {setting("all_scores"), ""}};
  const nlohmann::ordered_json json = json_of_fingerprint(settings);
  EXPECT_EQ(json.dump(), R"([["model","m"],["--top","1"],["--all-scores",""]])");
  EXPECT_EQ(fingerprint_of_json(json), settings);
  EXPECT_EQ(stored_name("out"), "out");
  EXPECT_EQ(name_of_stored("out"), "out");
  EXPECT_EQ(name_of_stored(stored_name(setting("embeddings_dtype"))), setting("embeddings_dtype"));
}

}  // namespace
}  // namespace resflow
