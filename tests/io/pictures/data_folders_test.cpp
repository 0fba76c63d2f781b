#include "io/pictures/data_folders.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <string>
#include <vector>

#include "io/pack/writer.h"
#include "io/pictures/dataset.h"
#include "tests/io/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/python.h"
#include "tests/support/sanitized.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

// "train=photos/train val=photos/val", with paths below `folder`.
std::string parts_of(const TemporaryFolder& folder, const std::string& data) {
  std::string text;
  for (const DataPart& part : data_parts(folder / data))
    text +=
        (text.empty() ? "" : " ") + part.name + "=" + fs::path(part.root).lexically_relative(folder.path()).string();
  return text;
}

void make_picture(const std::string& path) {
  fs::create_directories(fs::path(path).parent_path());
  testing::write_text(path, "not looked at");
}

TEST(DataFolders, PartsAreFoldersOfClassFolders) {
  const TemporaryFolder folder;
  make_picture(folder / "photos/train/ant/1.jpg");
  make_picture(folder / "photos/val/ant/2.jpg");
  make_picture(folder / "photos/test/3.jpg");  // no class folders: not a part
  EXPECT_EQ(parts_of(folder, "photos"), "train=photos/train val=photos/val");
  EXPECT_EQ(parts_of(folder, "photos/train"), "train=photos/train");
  EXPECT_EQ(parts_of(folder, "absent"), "train=absent");
  // Without train/ the folder is its own training part, whatever else it holds.
  make_picture(folder / "other/val/ant/1.jpg");
  EXPECT_EQ(parts_of(folder, "other"), "train=other");
  // A class may be called train.
  make_picture(folder / "vehicles/train/1.jpg");
  make_picture(folder / "vehicles/car/1.jpg");
  EXPECT_EQ(parts_of(folder, "vehicles"), "train=vehicles");
}

TEST(DataFolders, ModelsAreEvaluatedWithValWhereThereIsOne) {
  const TemporaryFolder folder;
  make_picture(folder / "photos/val/ant/1.jpg");
  EXPECT_EQ(evaluation_root(folder / "photos", {"ant"}), folder / "photos/val");
  EXPECT_EQ(evaluation_root(folder / "photos/", {"ant"}), folder / "photos/val");
  EXPECT_EQ(evaluation_root(folder / "photos/val", {"ant"}), folder / "photos/val");
  // These are the pictures of a class that is called val.
  EXPECT_EQ(evaluation_root(folder / "photos", {"ant", "val"}), folder / "photos");
  make_picture(folder / "flat/val/1.jpg");
  EXPECT_EQ(evaluation_root(folder / "flat", {"ant"}), folder / "flat");
}

TEST(DataFolders, ClassFoldersHaveNoPicturesBesideThem) {
  const TemporaryFolder folder;
  make_picture(folder / "photos/ant/1.jpg");
  testing::write_text(folder / "photos/list.txt", "");
  EXPECT_TRUE(holds_classes(folder / "photos"));
  EXPECT_TRUE(holds_folders(folder / "photos"));
  make_picture(folder / "photos/2.jpg");
  EXPECT_FALSE(holds_classes(folder / "photos"));
  EXPECT_TRUE(holds_folders(folder / "photos"));
  EXPECT_FALSE(holds_classes(folder / "photos/ant"));
  EXPECT_FALSE(holds_classes(folder / "absent"));
}

TEST(DataFolders, PicturesAreLabelledWhereAClassHasAFolderOrAPackListsIt) {
  const TemporaryFolder folder;
  make_picture(folder / "photos/ant/1.jpg");
  EXPECT_TRUE(has_class_of(folder / "photos", {"bee", "ant"}));
  EXPECT_FALSE(has_class_of(folder / "photos", {"bee", ""}));
  PackWriter writer(folder / "pack", {.classes = {"ant", "wasp"}}, 0);
  const std::vector<uint8_t> picture = {1, 2, 3};
  writer.add("ant/1.jpg", 0, picture);
  writer.commit();
  EXPECT_TRUE(has_class_of(folder / "pack", {"wasp"}));
  EXPECT_FALSE(has_class_of(folder / "pack", {"bee"}));
}

// A folder that cannot be opened for want of file handles is not a folder without pictures, and no fault of the data.
TEST(DataFolders, NoMoreFileHandlesAreTheMachinesFault) {
  if (testing::kSanitized) GTEST_SKIP() << "UndefinedBehaviorSanitizer opens a pipe to look at objects";
  const testing::TemporaryFolder folder;
  testing::write_text(folder / "train/ant/1.jpg", "");
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const std::string root = folder.path().string();
  testing::expect_error(ErrorKind::kSystem, {root}, [&] { data_parts(root); });
  testing::expect_error(ErrorKind::kSystem, {root}, [&] { list_image_folder(root + "/train"); });
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(data_parts(root).front().root, root + "/train");
}

}  // namespace
}  // namespace resflow
