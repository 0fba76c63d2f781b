#include "io/pictures/dataset.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "tests/io/expect_error.h"
#include "tests/io/files/nobody.h"
#include "tests/io/pictures/listed.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::paths_of;
using testing::TemporaryFolder;
using testing::touch;

std::string text_of(const Dataset& dataset) {
  std::ostringstream text;
  for (const auto& name : dataset.classes) text << name << '\n';
  for (const auto& sample : dataset.samples) text << sample.label << ' ' << sample.path << '\n';
  return text.str();
}

TEST(Dataset, ListsAsTorchvisionDoes) {
  if (!testing::python_has({"torchvision"})) GTEST_SKIP() << "no torchvision for /usr/bin/python3";
  const TemporaryFolder folder;
  for (const char* name : {"b/2.jpg",
                           "b/10.jpg",
                           "b/B.JPG",
                           "b/a.jpeg",
                           "b/text.txt",
                           "B/x.png",
                           "a b/x.webp",
                           "\xC3\xA4/1.tiff",
                           "b/sub/z.jpg",
                           "b/sub-2/y.jpg",
                           "b/sub/deeper/x.tif",
                           "b/.hidden.jpg",
                           ".hidden/x.ppm",
                           "b/.jpg",
                           "b/nojpg",
                           "b/double.jpg.png",
                           "loose.jpg",
                           "b/x.gif",
                           "b/x.bmp",
                           "b/x.pgm",
                           "\xF0\x9F\x90\x9C/1.jpg",
                           "\xEF\xBC\xA1/1.jpg"})
    touch(folder / name);
  fs::create_directory_symlink(folder.path() / "B", folder / "linked class");
  fs::create_symlink(folder.path() / "B/x.png", folder / "b/link.png");
  fs::create_directory_symlink(folder.path() / "a b", folder / "b/linked folder");
  fs::create_symlink("nowhere", folder / "b/broken link.jpg");
  EXPECT_EQ(text_of(list_image_folder(folder.path().string())),
            testing::run_python("io/pictures/image_folder.py", {folder.path().string()}));
}

TEST(Dataset, ListsTheSharedPhotographsAsTorchvisionDoes) {
  const std::string root = std::string(RESFLOW_SHARED_DIR) + "/data/animals4/train";
  if (!fs::exists(root)) GTEST_SKIP() << "no " << root;
  if (!testing::python_has({"torchvision"})) GTEST_SKIP() << "no torchvision for /usr/bin/python3";
  EXPECT_EQ(text_of(list_image_folder(root)), testing::run_python("io/pictures/image_folder.py", {root}));
}

TEST(Dataset, EndsWhereLinksLeadBack) {
  const TemporaryFolder folder;
  touch(folder / "a/1.jpg");
  touch(folder / "b/2.jpg");
  fs::create_directory_symlink("..", folder / "a/up");
  fs::create_directory_symlink(".", folder / "b/self");
  fs::create_symlink("loop.jpg", folder / "b/loop.jpg");
  const Dataset dataset = list_image_folder(folder.path().string());
  EXPECT_EQ(paths_of(dataset.samples),
            (std::vector<std::string>{folder / "a/1.jpg", folder / "b/2.jpg", folder / "b/loop.jpg"}));
}

TEST(Dataset, TakesOneClass) {
  const TemporaryFolder folder;
  touch(folder / "only/1.jpg");
  const Dataset dataset = list_image_folder(folder.path().string());
  EXPECT_EQ(dataset.classes, std::vector<std::string>{"only"});
  ASSERT_EQ(dataset.samples.size(), 1U);
  EXPECT_EQ(dataset.samples[0].label, 0);
}

TEST(Dataset, NamesWhatIsWrongWithTheRoot) {
  const TemporaryFolder folder;
  const std::string root = folder.path().string();
  expect_error(ErrorKind::kData, {folder / "absent", "no such folder"}, [&] { list_image_folder(folder / "absent"); });
  expect_error(ErrorKind::kData, {root, "empty"}, [&] { list_image_folder(root); });
  touch(folder / "loose.jpg");
  touch(folder / "loose.txt");
  expect_error(ErrorKind::kData, {root, "no class folders", "2 files", "1 of them"}, [&] { list_image_folder(root); });
  expect_error(ErrorKind::kData, {folder / "loose.jpg", "is a file"}, [&] { list_image_folder(folder / "loose.jpg"); });
}

TEST(Dataset, FoldersThatMayNotBeReadAreNamedAndLeftOut) {
  const TemporaryFolder folder;
  touch(folder / "cats/1.jpg");
  touch(folder / "cats/private/2.jpg");
  touch(folder / "dogs/1.jpg");
  touch(folder / "lost+found/x");
  for (const char* name : {"cats/private", "lost+found"}) fs::permissions(folder / name, fs::perms::none);
  fs::permissions(folder.path(), fs::perms::all);
  {
    const testing::Nobody nobody;
    if (!nobody) GTEST_SKIP() << "cannot be anybody but root, who reads everything";
    const Dataset dataset = list_image_folder(folder.path().string());
    EXPECT_EQ(dataset.classes, (std::vector<std::string>{"cats", "dogs"}));
    EXPECT_TRUE(dataset.empty_classes.empty());
    EXPECT_EQ(dataset.samples.size(), 2U);
    ASSERT_EQ(dataset.unread.size(), 2U);
    EXPECT_EQ(dataset.unread[0].path, folder / "cats/private");
    EXPECT_EQ(dataset.unread[1].path, folder / "lost+found");
    EXPECT_EQ(dataset.unread[1].reason, "the folder cannot be read: Permission denied");
  }
  for (const char* name : {"cats/private", "lost+found"}) fs::permissions(folder / name, fs::perms::all);
}

TEST(Dataset, ClassFoldersWithoutAPictureAreNamedAndNoClasses) {
  const TemporaryFolder folder;
  touch(folder / "bees/1.txt");
  fs::create_directory(folder / "ants");
  expect_error(ErrorKind::kData, {folder.path().string(), "ants, bees", ".jpg"},
               [&] { list_image_folder(folder.path().string()); });
  touch(folder / "cats/1.jpg");
  touch(folder / "dogs/1.jpg");
  const Dataset dataset = list_image_folder(folder.path().string());
  EXPECT_EQ(dataset.classes, (std::vector<std::string>{"cats", "dogs"}));
  EXPECT_EQ(dataset.empty_classes, (std::vector<std::string>{"ants", "bees"}));
  ASSERT_EQ(dataset.samples.size(), 2U);
  EXPECT_EQ(dataset.samples[0].label, 0);
  EXPECT_EQ(dataset.samples[1].label, 1);
}

TEST(Dataset, CountsThePicturesOfEachClass) {
  const TemporaryFolder folder;
  for (const char* name : {"ant/1.jpg", "ant/2.jpg", "bee/1.jpg"}) touch(folder / name);
  EXPECT_EQ(class_sizes(list_image_folder(folder.path().string())), (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(class_sizes(std::vector<int32_t>{2, 0, 2}, 3), (std::vector<int64_t>{1, 0, 2}));
}

TEST(Dataset, NamesPicturesBelowTheirRoot) {
  const TemporaryFolder folder;
  touch(folder / "ant/sub/1.jpg");
  for (const std::string& root :
       {folder.path().string(), folder.path().string() + "/", folder / "../" + folder.path().filename().string()})
    EXPECT_EQ(path_below(root, list_image_folder(root).samples.at(0).path), "ant/sub/1.jpg") << root;
  EXPECT_EQ(path_below(".", "./ant/1.jpg"), "ant/1.jpg");
}

TEST(ListPictures, ListsAFolderRecursivelyAndAFileAsItself) {
  const TemporaryFolder folder;
  touch(folder / "b.jpg");
  touch(folder / "a/x.png");
  touch(folder / "a/x.txt");
  touch(folder / "c.JPEG");
  EXPECT_EQ(paths_of(list_pictures(folder.path().string())),
            (std::vector<std::string>{folder / "b.jpg", folder / "c.JPEG", folder / "a/x.png"}));
  for (const char* name : {"a/x.txt", "absent.jpg"}) {
    const auto samples = list_pictures(folder / name);
    EXPECT_EQ(paths_of(samples), std::vector<std::string>{folder / name});
    EXPECT_EQ(samples[0].label, -1);
  }
}

TEST(ListPictures, NamesAFolderWithoutPictures) {
  const TemporaryFolder folder;
  touch(folder / "x.txt");
  expect_error(ErrorKind::kData, {folder.path().string(), "no picture"},
               [&] { list_pictures(folder.path().string()); });
}

}  // namespace
}  // namespace resflow
