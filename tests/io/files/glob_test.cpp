#include "io/files/glob.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/io/files/nobody.h"
#include "tests/io/pictures/listed.h"
#include "tests/support/process.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TemporaryFolder;
using testing::touch;

std::vector<std::string> matches(const std::string& pattern) {
  std::vector<std::string> paths;
  Glob glob(pattern);
  for (Glob::Match match; glob.next(match);) {
    EXPECT_EQ(match.error, "");
    paths.push_back(match.path);
  }
  return paths;
}

// What the shell makes of it, in its order; nothing where it leaves the pattern as it is.
std::vector<std::string> shell_matches(const std::string& pattern) {
  const auto result = testing::run_process({"sh", "-c", "for f in " + pattern + "; do printf '%s\\0' \"$f\"; done"},
                                           {.input = {}, .environment = {"LC_ALL=C"}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::vector<std::string> paths;
  for (size_t begin = 0; begin < result.out.size();) {
    const size_t end = result.out.find('\0', begin);
    paths.push_back(result.out.substr(begin, end - begin));
    begin = end + 1;
  }
  if (paths.size() == 1 && !fs::exists(fs::symlink_status(paths[0]))) paths.clear();
  return paths;
}

TEST(Glob, HasWildcardsUnlessABackslashTakesThem) {
  for (const char* text : {"*", "a?b", "[ab]", "a/b*/c", "\\\\*"}) EXPECT_TRUE(has_wildcard(text)) << text;
  for (const char* text : {"", "a", "\\*", "a\\?", "\\[a]", "a\\"}) EXPECT_FALSE(has_wildcard(text)) << text;
}

TEST(Glob, MatchesWhatTheShellDoes) {
  const TemporaryFolder folder;
  for (const char* name : {"a/1.jpg", "a/2.png", "a/.hidden.jpg", "b/1.jpg", "b/sub/3.jpg", "c.jpg", ".d/1.jpg",
                           "ab/1.jpg", "star*/x.jpg", "line\nfeed/1.jpg", "\xFF/1.jpg", "a/10.jpg"})
    touch(folder / name);
  fs::create_symlink("nowhere", folder / "a/broken.jpg");
  fs::create_directory_symlink("a", folder / "link");
  const std::string root = folder.path().string() + "/";
  for (const char* pattern :
       {"*",     "*/*.jpg",   "*/?.jpg",      "[ab]/*.jpg", "[!a]*/1.jpg", "b/*/3.jpg", "*/sub/*.jpg",
        "*/",    "*/sub/",    ".*/1.jpg",     "*/.h*",      "a/*",         "star\\*/*", "*/*/*",
        "*.jpg", "./*/1.jpg", "a/../*/2.png", "none*/x",    "a/none*",     "link/*.png"})
    EXPECT_EQ(matches(root + pattern), shell_matches(root + pattern)) << pattern;
}

TEST(Glob, IsRelativeToTheWorkingDirectory) {
  const TemporaryFolder folder;
  touch(folder / "a/1.jpg");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  EXPECT_THAT(matches("*/1.*"), ElementsAre("a/1.jpg"));
  EXPECT_THAT(matches("a*"), ElementsAre("a"));
  EXPECT_THAT(matches("./a/*"), ElementsAre("./a/1.jpg"));
  fs::current_path(before);
}

TEST(Glob, MatchesNothingWhereNothingIs) {
  const TemporaryFolder folder;
  touch(folder / "file");
  for (const char* pattern : {"f*/x", "absent/*.jpg", "file/*", "*/sub/*.jpg"})
    EXPECT_THAT(matches(folder / pattern), IsEmpty()) << pattern;
}

TEST(Glob, SaysWhatItCannotLookInto) {
  const TemporaryFolder folder;
  for (const char* name : {"a/1.jpg", "locked/2.jpg", "z/3.jpg"}) touch(folder / name);
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder.path() / "locked", fs::perms::none);
  {
    const testing::Nobody nobody;
    if (!nobody) GTEST_SKIP() << "cannot be anybody but root, who reads everything";
    Glob glob(folder / "*/*.jpg");
    std::vector<Glob::Match> all;
    for (Glob::Match match; glob.next(match);) all.push_back(match);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[1].path, folder / "locked/");
    EXPECT_THAT(all[1].error, ::testing::HasSubstr("Permission denied"));
    EXPECT_EQ(all[2].path, folder / "z/3.jpg");
  }
  fs::permissions(folder.path() / "locked", fs::perms::all);
}

}  // namespace
}  // namespace resflow
