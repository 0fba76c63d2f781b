#include "apps/score/fingerprint.h"

#include <gtest/gtest.h>

#include "io/core/setting.h"

namespace resflow {
namespace {

const Fingerprint kOne = {{"model", "m"}, {setting("top"), "1"}, {setting("all_scores"), ""}};

TEST(Fingerprint, NamesTheFirstDifference) {
  EXPECT_FALSE(first_difference(kOne, kOne));
  const auto difference = [](const Fingerprint& other) {
    const auto found = first_difference(kOne, other);
    return found ? without_marks(found->first) + " | " + without_marks(found->second) : "";
  };
  EXPECT_EQ(difference({{"model", "n"}, {setting("top"), "2"}, {setting("all_scores"), ""}}), "model m | model n");
  EXPECT_EQ(difference({{"model", "m"}, {setting("top"), "2"}, {setting("all_scores"), ""}}), "top 1 | top 2");
  EXPECT_EQ(difference({{"model", "m"}, {setting("top"), "1"}, {setting("all_scores"), "given"}}),
            "all_scores not given | all_scores given");
  // One of them has a setting more.
  Fingerprint more = kOne;
  more.emplace_back(setting("unordered"), "given");
  EXPECT_EQ(difference(more), "unordered not given | unordered given");
  EXPECT_EQ(without_marks(first_difference(more, kOne)->first), "unordered given");
}

TEST(Fingerprint, KeepsItsMarksForWhoeverNamesSettingsOtherwise) {
  const auto found = first_difference(kOne, {{"model", "m"}, {setting("top"), "2"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->second, setting("top") + " 2");
}

}  // namespace
}  // namespace resflow
