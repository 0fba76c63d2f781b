// Covers: io/files/folder_listing
#include "io/pictures/folder_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "io/pictures/dataset.h"
#include "tests/io/expect_error.h"
#include "tests/io/files/nobody.h"
#include "tests/io/live_bytes.h"
#include "tests/io/pictures/listed.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::HasSubstr;
using testing::names_of;
using testing::paths_of;
using testing::pictures_of;
using testing::TemporaryFolder;
using testing::touch;

// Names that sort in other ways than their folders do, that are no text, and links.
void make_tree(const TemporaryFolder& folder) {
  for (const char* name :
       {"b/2.jpg", "b/10.JPG", "b/text.txt", "sub/z.jpg", "sub-2/y.jpg", "sub/deeper/x.tif", "sub/deeper-2/x.tif",
        "sub.d/x.png", ".hidden/x.ppm", "b/.hidden.jpg", "b/.jpg", "x.bmp", "a b/x.webp", "a\nb/line\nfeed.jpg",
        "quote\"comma,.jpg", "\xFF\xFE no text/\x80.jpg", "\xC3\xA4/1.tiff", "empty/none.txt", "z/1/2/3/4.pgm"})
    touch(folder / name);
  fs::create_directory_symlink(folder.path() / "b", folder / "linked");
  fs::create_directory_symlink("..", folder / "z/1/up");
  fs::create_directory_symlink(".", folder / "z/self");
  fs::create_symlink("nowhere", folder / "z/broken link.jpg");
  fs::create_symlink("loop.jpg", folder / "z/loop.jpg");
}

TEST(FolderSource, GivesWhatListPicturesListsInItsOrder) {
  const TemporaryFolder folder;
  make_tree(folder);
  for (const std::string& root : {folder.path().string(), folder.path().string() + "/", folder / "linked"}) {
    const auto wanted = paths_of(list_pictures(root));
    ASSERT_GE(wanted.size(), 4U);
    FolderSource source(root);
    const auto pictures = pictures_of(source);
    EXPECT_EQ(names_of(pictures), wanted);
    for (const Picture& picture : pictures) EXPECT_EQ(picture.path, picture.name);
    Picture more;
    EXPECT_FALSE(source.next(more));
  }
}

TEST(FolderSource, ALargeFolderComesAsTheFileSystemHasItAndWholeAllTheSame) {
  const TemporaryFolder folder;
  make_tree(folder);
  const std::string root = folder.path().string();
  auto wanted = paths_of(list_pictures(root));
  std::sort(wanted.begin(), wanted.end());
  for (const size_t most : {0, 1, 2, 4}) {
    FolderSource source(root, most), again(root, most);
    auto names = names_of(pictures_of(source));
    EXPECT_EQ(names, names_of(pictures_of(again)));
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, wanted) << "sorted up to " << most;
  }
}

TEST(FolderSource, ManyNamesTakeNoMoreMemory) {
  const TemporaryFolder folder;
  constexpr int kFiles = 6000;
  for (int i = 0; i < kFiles; ++i) touch(folder / ("many/a rather long name of picture " + std::to_string(i) + ".jpg"));
  const auto peak = [&](size_t most) {
    testing::LiveBytes live;
    FolderSource source(folder.path().string(), most);
    Picture picture;
    int count = 0;
    while (source.next(picture))
      if (++count % 64 == 0) live.look();
    EXPECT_EQ(count, kFiles);
    return live.peak();
  };
  const size_t sorted = peak(kFiles), streamed = peak(100);
  EXPECT_GT(sorted, size_t{kFiles} * 40);  // all their names
  EXPECT_LT(streamed, 100'000U);           // a hundred names, and what the system reads of a folder at once
}

TEST(FolderSource, WhatGoesWhileItIsWalkedIsARowWithAnError) {
  const TemporaryFolder folder;
  for (const char* name : {"1.jpg", "a/2.jpg", "b/3.jpg", "c/4.jpg"}) touch(folder / name);
  FolderSource source(folder.path().string());
  Picture picture;
  ASSERT_TRUE(source.next(picture));
  ASSERT_TRUE(source.next(picture));
  EXPECT_EQ(picture.name, folder / "a/2.jpg");
  fs::remove_all(folder.path() / "b");
  ASSERT_TRUE(source.next(picture));
  EXPECT_EQ(picture.name, folder / "b");
  EXPECT_EQ(picture.error, "the folder cannot be read: No such file or directory");
  ASSERT_TRUE(source.next(picture));
  EXPECT_EQ(picture.name, folder / "c/4.jpg");
  EXPECT_EQ(picture.error, "");
  EXPECT_FALSE(source.next(picture));
}

TEST(FolderSource, WithoutPermissionASubFolderIsARowAndTheRootAnError) {
  const TemporaryFolder folder;
  for (const char* name : {"a/1.jpg", "locked/2.jpg", "z/3.jpg"}) touch(folder / name);
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder.path() / "locked", fs::perms::none);
  {
    const testing::Nobody nobody;
    if (!nobody) GTEST_SKIP() << "cannot be anybody but root, who reads everything";
    for (const size_t most : {size_t{0}, kMaxSorted}) {
      FolderSource source(folder.path().string(), most);
      auto pictures = pictures_of(source);
      ASSERT_EQ(pictures.size(), 3U);
      std::sort(pictures.begin(), pictures.end(), [](const auto& x, const auto& y) { return x.name < y.name; });
      EXPECT_EQ(pictures[1].name, folder / "locked");
      EXPECT_THAT(pictures[1].error, HasSubstr("Permission denied"));
      EXPECT_THAT(names_of(pictures), ElementsAre(folder / "a/1.jpg", folder / "z/3.jpg"));
    }
    expect_error(ErrorKind::kData, {folder / "locked", "Permission denied"}, [&] {
      FolderSource locked(folder / "locked");
      Picture picture;
      locked.next(picture);
    });
  }
  fs::permissions(folder.path() / "locked", fs::perms::all);
}

TEST(FolderSource, NamesARootThatIsAbsentOrHoldsNothing) {
  const TemporaryFolder folder;
  touch(folder / "texts/x.txt");
  const auto first = [&](const std::string& name) {
    FolderSource source(folder / name);
    Picture picture;
    source.next(picture);
  };
  expect_error(ErrorKind::kData, {folder / "absent", "No such file"}, [&] { first("absent"); });
  expect_error(ErrorKind::kData, {folder / "texts/x.txt", "Not a directory"}, [&] { first("texts/x.txt"); });
  expect_error(ErrorKind::kData, {folder / "texts", "holds no picture", ".jpeg"}, [&] { first("texts"); });
}

}  // namespace
}  // namespace resflow
