#include "io/core/setting.h"

#include <gtest/gtest.h>

#include <string>

#include "io/core/error.h"

namespace resflow {
namespace {

std::string shout(std::string_view name) { return "<" + std::string(name) + ">"; }

TEST(Setting, IsNamedByTheLibraryOrByWhoeverSpeaks) {
  const std::string sentence = setting("batch") + " is 0, and so is " + setting("image_size");
  EXPECT_EQ(without_marks(sentence), "batch is 0, and so is image_size");
  EXPECT_EQ(with_names(sentence, shout), "<batch> is 0, and so is <image_size>");
}

TEST(Setting, ASentenceWithoutOneStays) {
  for (const char* sentence : {"", "nothing here", "batch without marks"}) {
    EXPECT_EQ(without_marks(sentence), sentence);
    EXPECT_EQ(with_names(sentence, shout), sentence);
  }
}

TEST(Setting, ASingleMarkMarksNothing) {
  const std::string half = setting("batch").substr(0, 6);
  EXPECT_EQ(without_marks(half), "batch");
  EXPECT_EQ(with_names("a " + setting("b") + " c " + half, shout), "a <b> c batch");
}

TEST(Setting, AnErrorHasItBothWays) {
  const Error error = usage_error("{} is {}: wanted at least 1", setting("batch"), 0);
  EXPECT_STREQ(error.what(), "batch is 0: wanted at least 1");
  EXPECT_EQ(with_names(error.marked(), shout), "<batch> is 0: wanted at least 1");
  EXPECT_EQ(error.exit_code(), 2);
}

}  // namespace
}  // namespace resflow
