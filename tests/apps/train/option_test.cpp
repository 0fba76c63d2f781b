#include "apps/train/option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/train/augment_options.h"
#include "io/core/error.h"

namespace resflow {
namespace {

struct Small {
  double rate = 0.5;
  bool loud = false;
  std::vector<std::string> parts = {};
  AugmentOptions augment = {};
};

const std::vector<Option<Small>>& small_table() {
  static const std::vector<Option<Small>> all = {{{.name = "rate", .none = "-1"}, option_at<&Small::rate>},
                                                 {{.name = "loud"}, option_at<&Small::loud>},
                                                 {{.name = "parts"}, option_at<&Small::parts>}};
  return all;
}

TEST(Option, ValuesGoThroughTextAndToml) {
  Small one = {.rate = 0.1 + 0.2, .loud = true, .parts = {"conv1", "layer1.*"}}, other;
  for (const Option<Small>& option : small_table()) set_text(option.at(other), option.name, text_of(option, one));
  EXPECT_EQ(other.rate, one.rate);  // to the bit
  EXPECT_TRUE(other.loud);
  EXPECT_EQ(other.parts, one.parts);
  EXPECT_EQ(toml_of(value_of(*find_option(small_table(), "parts"), one)), "[\"conv1\", \"layer1.*\"]");
  EXPECT_EQ(find_option(small_table(), "quiet"), nullptr);
}

TEST(Option, SomeTextsStandForNotGiven) {
  const Option<Small>& rate = *find_option(small_table(), "rate");
  EXPECT_TRUE(is_none(rate, "-1"));
  EXPECT_FALSE(is_none(rate, "0"));
  EXPECT_TRUE(is_none(*find_option(small_table(), "parts"), ""));
}

TEST(Option, TextThatIsNoValueIsRefusedByName) {
  Small small;
  for (const char* text : {"fast", "0.5x", ""}) {
    try {
      set_text(&small.rate, "rate", text);
      FAIL() << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::kData);
      EXPECT_THAT(e.what(), ::testing::HasSubstr("the checkpoint's rate is \""));
    }
  }
}

// As the options of a training run hold them.
TEST(Option, IsLiftedIntoLargerOptions) {
  const AugmentOptions augment = {.hflip = 0.25, .mixup = 0.2};
  Small whole;
  for (const auto& option : augment_option_table()) {
    const auto lifted = option_of_part(option, &Small::augment);
    EXPECT_EQ(lifted.name, option.name);
    set_text(lifted.at(whole), lifted.name, text_of(option, augment));
    EXPECT_EQ(text_of(lifted, whole), text_of(option, augment));
  }
  EXPECT_EQ(whole.augment.mixup, 0.2);
}

}  // namespace
}  // namespace resflow
