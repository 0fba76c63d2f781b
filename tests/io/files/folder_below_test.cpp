#include "io/files/folder_below.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

TEST(FolderBelow, IsReachedThroughFoldersAlone) {
  const TemporaryFolder folder;
  write_text(folder / "a/b/file", "x");
  fs::create_directory_symlink(folder / "a", folder / "link");
  fs::create_directory_symlink("b", folder / "a/link");
  EXPECT_GE(FolderBelow(folder.path(), "a/b").descriptor(), 0);
  EXPECT_GE(FolderBelow(folder.path(), "").descriptor(), 0);
  for (const char* below : {"link", "link/b", "a/link", "a/b/file", "a/../a"}) {
    const FolderBelow none(folder.path(), below);
    EXPECT_LT(none.descriptor(), 0) << below;
    EXPECT_TRUE(none.error()) << below;
    EXPECT_FALSE(none.remove("file")) << below;
  }
  EXPECT_LT(FolderBelow(folder / "link", "b").descriptor(), 0);
  EXPECT_EQ(FolderBelow(folder.path(), "absent/b").error(), std::errc::no_such_file_or_directory);
  EXPECT_EQ(read_text(folder / "a/b/file"), "x");
}

TEST(FolderBelow, RemovesAndRenamesWithoutReplacing) {
  const TemporaryFolder folder;
  write_text(folder / "a/file", "x");
  write_text(folder / "b/other", "y");
  fs::create_symlink("file", folder / "a/link");
  const FolderBelow a(folder.path(), "a"), b(folder.path(), "b");
  EXPECT_EQ(a.type_of("file"), fs::file_type::regular);
  EXPECT_EQ(a.type_of("link"), fs::file_type::symlink);
  EXPECT_EQ(a.type_of("none"), fs::file_type::not_found);
  EXPECT_EQ(rename_to_new(a, "file", b, "other"), std::errc::file_exists);
  EXPECT_FALSE(rename_to_new(a, "file", b, "file"));
  EXPECT_EQ(read_text(folder / "b/file"), "x");
  EXPECT_EQ(read_text(folder / "b/other"), "y");
  EXPECT_TRUE(a.remove("link"));
  EXPECT_TRUE(a.remove("link")) << "it is gone already";
  EXPECT_FALSE(b.remove_folder("other"));
  EXPECT_TRUE(FolderBelow(folder.path(), "").remove_folder("a"));
  EXPECT_FALSE(FolderBelow(folder.path(), "").remove_folder("b")) << "it is not empty";
}

}  // namespace
}  // namespace resflow
