#include "io/pictures/selection.h"

#include <gtest/gtest.h>

#include <string>

#include "io/core/setting.h"
#include "tests/io/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

bool leaves_out(const std::string& pattern, const std::string& path, bool folder = false) {
  return excluding_pattern({.exclude = {"zebra", pattern}}, path, folder) == 1U;
}

TEST(Selection, APatternIsComparedWithAsManyNamesAsItHas) {
  EXPECT_TRUE(leaves_out(".ipynb_checkpoints", "d/.ipynb_checkpoints", true));
  EXPECT_TRUE(leaves_out("._*", "d/cats/._1.jpg"));
  EXPECT_TRUE(leaves_out("*.jpg", "d/cats/.hidden.jpg"));
  EXPECT_FALSE(leaves_out("cat", "d/cats", true));
  EXPECT_FALSE(leaves_out("*", "zebra"));  // the first one that matches counts
  EXPECT_TRUE(leaves_out("cats/1.jpg", "d/cats/1.jpg"));
  EXPECT_TRUE(leaves_out("c*/[12].jpg", "cats/1.jpg"));
  EXPECT_FALSE(leaves_out("cats/1.jpg", "d/cats/x/1.jpg"));
  EXPECT_FALSE(leaves_out("d/cats/1.jpg", "cats/1.jpg"));
  EXPECT_FALSE(leaves_out("*.jpg", "d/a.jpg/x.png"));
  EXPECT_TRUE(leaves_out("/d/*/1.jpg", "/d/cats/1.jpg"));
  EXPECT_FALSE(leaves_out("/cats/1.jpg", "/d/cats/1.jpg"));
  EXPECT_TRUE(leaves_out("cats/", "d/cats", true));
  EXPECT_FALSE(leaves_out("cats/", "d/cats", false));
}

TEST(Selection, AFolderIsLeftOutWithAllBelowIt) {
  const Selection selection = {.exclude = {"__MACOSX", "*.tmp.jpg"}};
  EXPECT_EQ(excluding_pattern_within(selection, "a.zip", "__MACOSX/cats/1.jpg"), 0U);
  EXPECT_EQ(excluding_pattern_within(selection, "a.zip", "cats/1.tmp.jpg"), 1U);
  EXPECT_EQ(excluding_pattern_within(selection, "__MACOSX", "cats/1.jpg"), std::nullopt);
}

TEST(Selection, EndingsMayBeAdded) {
  EXPECT_TRUE(is_picture_name({}, "a.JPG"));
  EXPECT_FALSE(is_picture_name({}, "a.jfif"));
  const Selection more = {.extensions = {".JFIF", "."}};
  for (const char* name : {"a.jpg", "a.jfif", "x/b.JfIf", "x.y/picture"})
    EXPECT_TRUE(is_picture_name(more, name)) << name;
  for (const char* name : {"a.txt", "x/.hidden", "jfif.x"}) EXPECT_FALSE(is_picture_name(more, name)) << name;
}

TEST(Selection, RefusesWhatIsNoPatternAndNoEnding) {
  check({.exclude = {"a b", "*/"}, .extensions = {".jfif", "."}});
  for (const char* pattern : {"", "/"})
    expect_error(ErrorKind::kUsage, {"exclude", "wanted the name"}, [&] { check(Selection{.exclude = {pattern}}); });
  for (const char* ending : {"", "jfif", ".a/b", ".tar.gz"})
    expect_error(ErrorKind::kUsage, {"extensions", "wanted the end"},
                 [&] { check(Selection{.extensions = {ending}}); });
}

TEST(Selection, SaysWhatWasPassedOverAndWhatItBeginsAs) {
  const TemporaryFolder folder;
  EXPECT_EQ(left_out_sentence({}), "");
  PassedOver passed;
  passed.add_file(folder / ".DS_Store");
  EXPECT_EQ(left_out_sentence(passed), "");
  testing::write_text(folder / "a.jfif", "\xFF\xD8\xFF\xE0");
  passed.add_file(folder / "a.jfif");
  EXPECT_EQ(without_marks(left_out_sentence(passed)),
            "1 file left out by its ending: .jfif 1; they begin as JPEG: extensions .jfif takes them");
  passed.add_file(folder / "b.JFIF");
  testing::write_text(folder / "notes.txt", "\xFF\xD8 is how a JPEG begins");
  passed.add_file(folder / "notes.txt");
  testing::write_text(folder / "plain", "\x89PNG\r\n\x1A\n");
  PassedOver more;
  more.add_file(folder / "plain");
  passed.add(more);
  EXPECT_EQ(
      without_marks(left_out_sentence(passed)),
      "4 files left out by their ending: .jfif 2, without an ending 1, .txt 1; .jfif begin as JPEG, those without "
      "an ending begin as PNG: extensions .jfif,. takes them");
}

TEST(Selection, OfEndlessEndingsSoManyAreToldApart) {
  PassedOver passed;
  for (int i = 0; i < 1000; ++i) passed.add_file("x." + std::to_string(i));
  EXPECT_EQ(passed.endings.size(), PassedOver::kMostEndings);
  EXPECT_EQ(passed.other_endings, 900);
  EXPECT_EQ(left_out_sentence(passed).find("1,000 files left out by their ending: .0 1, "), 0U);
}

TEST(Selection, PatternsThatMatchedNothingAreKnown) {
  EXPECT_EQ(idle_patterns({.exclude = {"a", "b", "c"}}, {1}), (std::vector<std::string>{"a", "c"}));
}

TEST(Selection, KnowsFoldersThatNobodyMade) {
  for (const char* name : {".ipynb_checkpoints", "__MACOSX", "@eaDir", ".Trash-1000", "lost+found", ".git"})
    EXPECT_TRUE(is_stray_folder(name)) << name;
  for (const char* name : {"cats", "lost", "_x", "train"}) EXPECT_FALSE(is_stray_folder(name)) << name;
  EXPECT_TRUE(is_apple_double_name("a/._x.jpg"));
  EXPECT_FALSE(is_apple_double_name("._a/x.jpg"));
}

}  // namespace
}  // namespace resflow
