#include "io/pictures/folder_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "io/files/folder_listing.h"
#include "tests/io/expect_error.h"
#include "tests/io/pictures/listed.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::TemporaryFolder;
using testing::touch;

std::vector<std::string> walked(FolderWalk&& walk, const std::string& root) {
  std::vector<std::string> files;
  std::string path, failure;
  while (walk.next(path, failure)) {
    EXPECT_EQ(failure, "") << path;
    files.push_back(fs::path(path).lexically_relative(root).string());
  }
  return files;
}

TEST(FolderWalk, GivesFoldersInTheOrderOfTheirPathsAndTheirFilesByName) {
  const TemporaryFolder folder;
  for (const char* name : {"b.jpg", "a.jpg", "z.txt", "a/1.jpg", "a/b/2.jpg", "a-b/3.jpg"}) touch(folder / name);
  const std::string root = folder.path().string();
  // '-' comes before '/', in which a path goes on.
  EXPECT_THAT(walked(FolderWalk(root, kMaxSorted), root),
              ElementsAre("a.jpg", "b.jpg", "a/1.jpg", "a-b/3.jpg", "a/b/2.jpg"));
}

TEST(FolderWalk, FollowsNoLinkBackToTheFolderThatItLiesIn) {
  const TemporaryFolder folder;
  for (const char* name : {"ant/1.jpg", "bee/2.jpg"}) touch(folder / name);
  fs::create_directory_symlink("..", folder / "ant/up");
  const std::string root = folder.path().string();
  EXPECT_THAT(walked(FolderWalk(folder / "ant", kMaxSorted, root), root), ElementsAre("ant/1.jpg"));
  // Where nobody says that it lies in the root, the link leads to other pictures once.
  EXPECT_THAT(walked(FolderWalk(folder / "ant", kMaxSorted), root), ElementsAre("ant/1.jpg", "ant/up/bee/2.jpg"));
}

TEST(FolderWalk, GivesAFolderThatCannotBeReadWithItsReason) {
  const TemporaryFolder folder;
  FolderWalk walk(folder / "absent", kMaxSorted);
  std::string path, failure;
  ASSERT_TRUE(walk.next(path, failure));
  EXPECT_EQ(path, folder / "absent");
  EXPECT_EQ(failure, "the folder cannot be read: No such file or directory");
  EXPECT_FALSE(walk.next(path, failure));
  testing::expect_error(ErrorKind::kData, {folder / "absent", "No such file"},
                        [&] { FolderWalk(folder / "absent/ant", kMaxSorted, folder / "absent"); });
}

}  // namespace
}  // namespace resflow
