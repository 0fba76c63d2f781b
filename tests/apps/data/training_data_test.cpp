#include "apps/data/training_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "io/core/error.h"
#include "tests/apps/program.h"
#include "tests/io/expect_error.h"
#include "tests/io/files/nobody.h"
#include "tests/support/heard_sentences.h"

namespace resflow {
namespace {

using testing::HeardSentences;
using testing::TemporaryFolder;
using testing::write_text;

TEST(TrainingData, AFolderWithTrainAndValIsBoth) {
  const TemporaryFolder folder;
  for (const char* file : {"train/a/1.jpg", "train/b/1.jpg", "train/b/2.jpg", "val/a/1.jpg", "val/b/1.jpg"})
    write_text(folder / file, "x");
  const TrainingData data = load_training_data(folder.path(), "", silent());
  EXPECT_EQ(data.train_root, folder / "train");
  EXPECT_EQ(data.val_root, folder / "val");
  EXPECT_EQ(data.train.samples.size(), 3U);
  EXPECT_EQ(data.val.samples.size(), 2U);
}

TEST(TrainingData, FoldersThatMayNotBeReadAreWarnedOfOrStopTheRun) {
  const TemporaryFolder folder;
  for (const char* file : {"a/1.jpg", "a/private/2.jpg", "b/1.jpg", "lost+found/x"}) write_text(folder / file, "x");
  const std::filesystem::perms before = std::filesystem::status(folder.path()).permissions();
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  for (const char* name : {"a/private", "lost+found"})
    std::filesystem::permissions(folder / name, std::filesystem::perms::none);
  {
    const testing::Nobody nobody;
    if (!nobody) GTEST_SKIP() << "cannot be anybody but root, who reads everything";
    HeardSentences heard;
    const TrainingData data = load_training_data(folder.path(), "", heard);
    EXPECT_THAT(data.train.classes, ::testing::ElementsAre("a", "b"));
    EXPECT_EQ(data.train.samples.size(), 2U);
    for (const char* name : {"a/private", "lost+found"})
      EXPECT_THAT(heard.warnings(),
                  ::testing::HasSubstr(folder / name + ": the folder cannot be read: Permission denied: left out"));
    testing::expect_error(ErrorKind::kData, {folder / "a/private", "Permission denied"},
                          [&] { load_training_data(folder.path(), "", silent(), OnError::kStop); });
  }
  std::filesystem::permissions(folder.path(), before);
  for (const char* name : {"a/private", "lost+found"})
    std::filesystem::permissions(folder / name, std::filesystem::perms::all);
}

TEST(TrainingData, AClassMayBeCalledTrain) {
  const TemporaryFolder folder;
  for (const char* file : {"train/1.jpg", "car/1.jpg"}) write_text(folder / file, "x");
  const TrainingData data = load_training_data(folder.path(), "", silent());
  EXPECT_THAT(data.train.classes, ::testing::ElementsAre("car", "train"));
  EXPECT_EQ(data.val_root, "");
}

TEST(TrainingData, ValidationClassesAreMatchedByName) {
  const TemporaryFolder folder;
  for (const char* file : {"t/ant/1.jpg", "t/bee/1.jpg", "t/cat/1.jpg", "v/bee/1.jpg", "v/aardvark/1.jpg"})
    write_text(folder / file, "x");
  HeardSentences heard;
  const TrainingData data = load_training_data(folder / "t", folder / "v", heard);
  const std::string said = heard.warnings();
  ASSERT_EQ(data.val.samples.size(), 1U);
  EXPECT_EQ(data.val.samples[0].label, 1);  // bee, as in training
  EXPECT_THAT(said, ::testing::HasSubstr("1 picture of aardvark left out"));
  EXPECT_THAT(said, ::testing::HasSubstr("no pictures of ant, cat"));
}

TEST(TrainingData, AnEmptyClassIsSaidAndLeftOut) {
  const TemporaryFolder folder;
  for (const char* file :
       {"train/ant/1.jpg", "train/bee/note.txt", "train/cat/1.jpg", "val/bee/1.jpg", "val/cat/1.jpg"})
    write_text(folder / file, "x");
  HeardSentences heard;
  const TrainingData data = load_training_data(folder.path(), "", heard);
  const std::string said = heard.warnings();
  EXPECT_THAT(data.train.classes, ::testing::ElementsAre("ant", "cat"));
  ASSERT_EQ(data.val.samples.size(), 1U);
  EXPECT_EQ(data.val.samples[0].label, 1);
  EXPECT_THAT(said, ::testing::HasSubstr("no picture in bee: left out of the classes"));
  EXPECT_THAT(said, ::testing::HasSubstr("1 picture of bee left out"));
  EXPECT_THAT(said, ::testing::HasSubstr("no pictures of ant to validate with"));
}

TEST(TrainingData, IdentityChangesWithNamesAndNotWithThePlace) {
  const TemporaryFolder folder;
  for (const char* file : {"x/a/1.jpg", "x/b/1.jpg", "y/a/1.jpg", "y/b/1.jpg", "z/a/1.jpg", "z/b/2.jpg"})
    write_text(folder / file, "x");
  const auto identity = [&](const char* name) { return load_training_data(folder / name, "", silent()).identity; };
  EXPECT_EQ(identity("x"), identity("y"));
  EXPECT_NE(identity("x"), identity("z"));
}

TEST(TrainingData, OtherClassesThanTheTrainingsAreRefused) {
  const TemporaryFolder folder;
  for (const char* file : {"t/a/1.jpg", "t/b/1.jpg", "v/c/1.jpg"}) write_text(folder / file, "x");
  EXPECT_THROW(load_training_data(folder / "t", folder / "v", silent()), Error);
}

}  // namespace
}  // namespace resflow
