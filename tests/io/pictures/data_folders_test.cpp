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

TEST(DataFolders, PartsAreKnownByOtherNames) {
  const TemporaryFolder folder;
  for (const char* file : {"a/Train/ant/1.jpg", "a/Val/ant/1.jpg", "b/train/ant/1.jpg", "b/valid/ant/1.jpg",
                           "b/TEST/ant/1.jpg", "c/training/ant/1.jpg", "c/validation/ant/1.jpg", "d/train/ant/1.jpg",
                           "d/valid/ant/1.jpg", "d/val/ant/1.jpg", "d/dev_set/ant/1.jpg"})
    make_picture(folder / file);
  EXPECT_EQ(parts_of(folder, "a"), "train=a/Train val=a/Val");
  EXPECT_EQ(parts_of(folder, "b"), "train=b/train val=b/valid test=b/TEST");
  EXPECT_EQ(parts_of(folder, "c"), "train=c/training val=c/validation");
  EXPECT_EQ(parts_of(folder, "d"), "train=d/train val=d/val");
  EXPECT_EQ(evaluation_root(folder / "a", {"ant"}), folder / "a/Val");
  EXPECT_EQ(evaluation_root(folder / "b", {"ant"}), folder / "b/valid");
  EXPECT_EQ(evaluation_root(folder / "b", {"valid"}), folder / "b");
  const std::vector<DataPart> others = untaken_parts(folder / "d", data_parts(folder / "d"));
  ASSERT_EQ(others.size(), 2U);
  EXPECT_EQ(others[0].root, folder / "d/dev_set");
  EXPECT_EQ(others[1].root, folder / "d/valid");
  EXPECT_EQ(others[1].name, "val");
}

TEST(DataFolders, AClassWithAFolderThatNobodyMadeIsNoPart) {
  const TemporaryFolder folder;
  for (const char* file : {"car/1.jpg", "train/1.jpg", "train/@eaDir/1.jpg/T.jpg"}) make_picture(folder / file);
  EXPECT_EQ(data_parts(folder.path().string()).front().root, folder.path().string());
}

// "train=a/b test=a/c", with paths below `folder`; "" where nothing is mistaken.
std::string mistaken_in(const TemporaryFolder& folder, const std::string& root) {
  std::string text;
  for (const DataPart& part : mistaken_parts(folder / root).parts)
    text +=
        (text.empty() ? "" : " ") + part.name + "=" + fs::path(part.root).lexically_relative(folder.path()).string();
  return text;
}

TEST(DataFolders, PartsThatWouldBeClassesAreFound) {
  const TemporaryFolder folder;
  for (const char* file :
       {"sets/training_set/cats/1.jpg", "sets/test_set/cats/1.jpg", "sets/.git/x", "flat/train/1.jpg",
        "flat/test/1.jpg", "deep/animals/train/cats/1.jpg", "deep/animals/valid/cats/1.jpg", "cars/train/1.jpg",
        "cars/bus/1.jpg", "tests/test1/1.jpg", "tests/test2/1.jpg", "one/train/1.jpg", "coco/train2017/cats/1.jpg",
        "coco/val2017/cats/1.jpg"})
    make_picture(folder / file);
  EXPECT_EQ(mistaken_in(folder, "sets"), "train=sets/training_set test=sets/test_set");
  EXPECT_TRUE(mistaken_parts(folder / "sets").labelled);
  EXPECT_FALSE(mistaken_parts(folder / "sets").parted);
  EXPECT_EQ(mistaken_in(folder, "flat"), "train=flat/train test=flat/test");
  EXPECT_FALSE(mistaken_parts(folder / "flat").labelled);
  EXPECT_EQ(mistaken_in(folder, "deep"), "train=deep/animals/train val=deep/animals/valid");
  EXPECT_TRUE(mistaken_parts(folder / "deep").parted);
  EXPECT_EQ(mistaken_parts(folder / "deep").above, folder / "deep/animals");
  EXPECT_EQ(mistaken_in(folder, "coco"), "train=coco/train2017 val=coco/val2017");
  for (const char* root : {"cars", "tests", "one", "absent"}) EXPECT_EQ(mistaken_in(folder, root), "") << root;
}

TEST(DataFolders, FoldersThatAreTheSameInEachAreNamed) {
  const TemporaryFolder folder;
  for (const char* file :
       {"a/x/cats/1.jpg", "a/x/dogs/1.jpg", "a/y/cats/1.jpg", "a/y/dogs/1.jpg", "b/x/cats/1.jpg", "b/x/dogs/1.jpg",
        "b/y/cats/1.jpg", "b/y/dogs/1.jpg", "b/y/2.jpg", "c/x/left/1.jpg", "c/y/left/1.jpg"})
    make_picture(folder / file);
  EXPECT_EQ(repeated_folders(folder / "a"), (std::vector<std::string>{"cats", "dogs"}));
  EXPECT_TRUE(repeated_folders(folder / "b").empty());
  EXPECT_TRUE(repeated_folders(folder / "c").empty());
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
