// resflow split: the folder that comes out of it, and that nothing is lost whatever happens.
//
// Covers: apps/data/split_folder apps/data/split_manifest apps/data/split_removal
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "io/files/file_lock.h"
#include "io/pictures/dataset.h"
#include "tests/apps/split_fixture.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SplitProgram : public SplitFixture {};

TEST_F(SplitProgram, EveryWayHoldsEachPictureOnce) {
  for (const char* how : {"symlink", "hardlink", "copy"}) {
    const ProcessResult result = split({"--how", how, "--test", "0.2", "--overwrite"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(united(), pictures()) << how;
    EXPECT_EQ(files(data_), before_) << how;
    EXPECT_EQ(files(out_ + "/val").size(), 7U);
    EXPECT_EQ(files(out_ + "/test").size(), 7U);
    const fs::path one = fs::path(out_) / "train" / files(out_ + "/train").begin()->first;
    EXPECT_EQ(fs::is_symlink(one), how == std::string("symlink"));
    EXPECT_EQ(fs::hard_link_count(one), how == std::string("hardlink") ? 2U : 1U);
    EXPECT_THAT(beside_data(), ElementsAre("data", "out"));
  }
  const ProcessResult moved = split({"--how", "move", "--overwrite"});
  ASSERT_EQ(moved.exit_code, 0) << moved.err;
  EXPECT_EQ(united(), pictures());
  EXPECT_THAT(files(data_), ElementsAre(::testing::Pair("ant/notes.txt", "no picture")));
  EXPECT_THAT(moved.out, HasSubstr("35 files moved out of " + data_));
}

TEST_F(SplitProgram, TorchvisionReadsTheSamePicturesBack) {
  if (!python_has({"torchvision"})) GTEST_SKIP() << "/usr/bin/python3 has no torchvision to read it with";
  const std::string photos = folder_ / "photos";
  draw_photos(photos, 3, 6);
  ASSERT_EQ(resflow({"split", photos, "--out", out_, "--val", "0.34"}).exit_code, 0);
  std::set<std::string> wanted, seen;
  for (const Sample& sample : list_image_folder(photos).samples)
    wanted.insert(fs::path(sample.path).parent_path().filename().string() + " " + fs::canonical(sample.path).string());
  for (const char* part : {"/train", "/val"}) {
    std::istringstream lines(run_python("apps/split.py", {out_ + part}));
    for (std::string line; std::getline(lines, line);) EXPECT_TRUE(seen.insert(line).second) << line;
  }
  EXPECT_EQ(seen, wanted);
  const ProcessResult train = resflow(train_arguments(out_, folder_ / "run"));
  EXPECT_EQ(train.exit_code, 0) << train.err;
  EXPECT_THAT(train.out + train.err, HasSubstr("12 pictures, 3 classes"));
}

TEST_F(SplitProgram, IsTheSameForTheSameSeed) {
  const auto val = [&](const char* seed) {
    EXPECT_EQ(split({"--seed", seed, "--overwrite"}).exit_code, 0);
    return files(out_ + "/val");
  };
  const auto first = val("1");
  EXPECT_NE(val("2"), first);
  EXPECT_EQ(val("1"), first);
}

TEST_F(SplitProgram, ListsNamePathAndClass) {
  ASSERT_EQ(split({"--how", "list"}).exit_code, 0);
  EXPECT_THAT(beside_data(), ElementsAre("data", "out"));
  std::vector<std::string> names;
  for (const auto& [name, content] : files(out_)) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("split.json", "train.txt", "val.txt"));
  size_t lines = 0;
  for (const char* list : {"/train.txt", "/val.txt"}) {
    std::istringstream stream(read_text(out_ + list));
    for (std::string line; std::getline(stream, line); ++lines) {
      const size_t tab = line.find('\t');
      const std::string path = line.substr(0, tab);
      EXPECT_TRUE(fs::exists(path)) << line;
      EXPECT_THAT(path, HasSubstr("/" + line.substr(tab + 1) + "/"));
    }
  }
  EXPECT_EQ(lines, 35U);
  write_text(data_ + "/ant/a\tb.jpg", "x");
  EXPECT_EQ(split({"--how", "list", "--overwrite"}).exit_code, 3);
}

TEST_F(SplitProgram, CopiesOfAPictureStayOnOneSide) {
  for (int i = 0; i < 8; ++i) write_text(data_ + "/bee/again" + std::to_string(i) + ".jpg", "copies of one");
  write_text(data_ + "/cat/not a bee.jpg", "copies of one");
  const auto sides = [&] {
    std::set<std::string> found;
    for (const char* part : {"/train", "/val"})
      for (const auto& [name, content] : files(out_ + part))
        if (content == "copies of one") found.insert(part);
    return found.size();
  };
  for (const char* seed : {"0", "1", "2"}) {
    const ProcessResult result = split({"--val", "0.5", "--seed", seed, "--overwrite"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(sides(), 1U) << seed;
    EXPECT_THAT(result.out, HasSubstr("9 files with the same content as another, in 1 group"));
    EXPECT_THAT(result.err, HasSubstr("1 group of the same content in different classes"));
  }
  ASSERT_EQ(split({"--val", "0.5", "--no-group-duplicates", "--overwrite"}).exit_code, 0);
  EXPECT_EQ(sides(), 2U);
}

TEST_F(SplitProgram, ClassesThatAPartLacksAreSaid) {
  write_text(data_ + "/single/1.jpg", "the only one");
  fs::create_directories(data_ + "/empty");
  const ProcessResult result = split({});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("no picture in empty: left out"));
  EXPECT_THAT(result.err, HasSubstr("val: no picture of single"));
  EXPECT_TRUE(fs::exists(out_ + "/train/single/1.jpg"));
}

TEST_F(SplitProgram, OverwritesNothingButASplit) {
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& words) {
    const auto before = files(folder_.path());
    const ProcessResult result = split(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(words));
    EXPECT_EQ(files(folder_.path()), before);
  };
  write_text(out_ + "/mine", "precious");
  refused({}, "holds files that no split made");
  refused({"--overwrite"}, "holds files that no split made");
  write_text(out_ + "/split.json", R"({"made_by": "somebody else"})");
  refused({"--overwrite"}, "holds files that no split made");
  write_text(out_ + "/split.json",
             R"({"made_by": "resflow split", "version": 1, "how": "list", "files": [{"place": "../data/ant/0.jpg"}]})");
  refused({"--overwrite"}, "holds files that no split made");
  fs::remove_all(out_);

  ASSERT_EQ(split({"--how", "copy"}).exit_code, 0);
  refused({}, "--overwrite replaces it");
  const std::string one = out_ + "/val/" + files(out_ + "/val").begin()->first;
  write_text(out_ + "/val/ant/mine.jpg", "precious");
  refused({"--overwrite"}, "mine.jpg was not made by the split");
  fs::remove(out_ + "/val/ant/mine.jpg");
  const std::string content = read_text(one);
  write_text(one, "changed by hand");
  refused({"--overwrite"}, "was changed");
  write_text(one, content);
  const std::string source = data_ + "/" + files(out_ + "/val").begin()->first;
  fs::remove(source);
  refused({"--overwrite"}, "is the only one: its source is gone");
  write_text(source, content);
  ASSERT_EQ(split({"--overwrite", "--how", "move"}).exit_code, 0);
  make_data(data_);
  refused({"--overwrite"}, "was moved here and is the only one");
}

TEST_F(SplitProgram, AFormerSplitGoesWhole) {
  ASSERT_EQ(split({"--how", "copy", "--test", "0.3"}).exit_code, 0);
  ASSERT_EQ(split({"--overwrite"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(out_ + "/test"));
  EXPECT_EQ(united(), pictures());
  EXPECT_THAT(beside_data(), ElementsAre("data", "out"));
}

TEST_F(SplitProgram, RefusesWhatCannotBe) {
  const auto refused = [&](const std::vector<std::string>& arguments, int exit_code, const std::string& words) {
    const ProcessResult result = resflow(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(words));
    EXPECT_EQ(files(data_), before_);
    EXPECT_THAT(beside_data(), ElementsAre("data"));
  };
  refused({"split", data_, "--out", data_ + "/split"}, 2, "lies within");
  refused({"split", data_, "--out", data_}, 2, "lies within");
  refused({"split", data_, "--out", folder_.path()}, 2, "the photographs to split");
  refused({"split", data_, "--out", out_, "--how", "teleport"}, 2, "--how 'teleport'");
  refused({"split", data_, "--out", out_, "--val", "1"}, 2, "--val 1");
  refused({"split", data_, "--out", out_, "--stratify", "--no-stratify"}, 2, "excludes");
  refused({"split", folder_ / "absent", "--out", out_}, 3, "No such file or directory");
  ASSERT_EQ(split({}).exit_code, 0);
  const ProcessResult again = resflow({"split", out_, "--out", folder_ / "again"});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.err, HasSubstr("is split already"));
}

TEST_F(SplitProgram, MoveTakesNoLinks) {
  fs::create_symlink(data_ + "/ant/0.jpg", data_ + "/cat/link.jpg");
  const ProcessResult result = split({"--how", "move"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("link.jpg is a link"));
  EXPECT_THAT(beside_data(), ElementsAre("data"));
}

TEST_F(SplitProgram, NamesThatAreNoUtf8AreSplitAndForgottenAgain) {
  write_text(data_ + "/ant/caf\xe9.jpg", "Latin-1");
  before_ = files(data_);
  for (const char* how : {"symlink", "copy"}) {
    ASSERT_EQ(split({"--how", how, "--overwrite"}).exit_code, 0);
    EXPECT_EQ(united(), pictures());
  }
}

// A folder of this name may come with a data set that somebody else made.
TEST_F(SplitProgram, AForeignManifestReachesNoFileOutsideItsFolderAndData) {
  const std::string partial = out_ + ".partial", elsewhere = folder_ / "elsewhere";
  const auto refused = [&](const std::string& how, const std::string& place, const std::string& source) {
    write_text(partial + "/split.json", R"({"made_by": "resflow split", "version": 1, "how": ")" + how +
                                            R"(", "files": [{"place": ")" + place + R"(", "source": ")" + source +
                                            R"(", "bytes": 4}]})");
    const auto before = files(folder_.path());
    const ProcessResult result = split({});
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr("in the way"));
    EXPECT_EQ(files(folder_.path()), before) << how << " " << place << " " << source;
    fs::remove_all(partial);
  };
  write_text(elsewhere + "/cat/1.jpg", "mine");
  for (const std::string& source : {elsewhere + "/pwned", data_ + "/../elsewhere/pwned", std::string("pwned"),
                                    data_ + "more/pwned", elsewhere + "/cat/1.jpg"}) {
    write_text(partial + "/train/x", "evil");
    refused("move", "train/x", source);
  }
  fs::create_directory_symlink(elsewhere, data_ + "/link");
  write_text(partial + "/train/x", "evil");
  write_text(partial + "/split.json",
             R"({"made_by": "resflow split", "version": 1, "how": "move", "files": [{"place": "train/x", "source": ")" +
                 data_ + R"(/link/pwned"}]})");
  EXPECT_EQ(split({}).exit_code, 4);
  EXPECT_FALSE(fs::exists(elsewhere + "/pwned"));
  fs::remove(data_ + "/link");
  fs::remove_all(partial);

  fs::create_directories(partial);
  fs::create_directory_symlink(elsewhere, partial + "/train");
  refused("copy", "train/cat/1.jpg", elsewhere + "/cat/1.jpg");
  fs::create_directories(partial);
  fs::create_directory_symlink(elsewhere, partial + "/train");
  refused("list", "train/cat/1.jpg", "");
  fs::create_directory_symlink(elsewhere, partial);
  write_text(
      elsewhere + "/split.json",
      R"({"made_by": "resflow split", "version": 1, "how": "list", "files": [{"place": "cat/1.jpg", "bytes": 4}]})");
  EXPECT_EQ(split({}).exit_code, 2);
  EXPECT_EQ(read_text(elsewhere + "/cat/1.jpg"), "mine");
}

TEST_F(SplitProgram, AKillBetweenTwoRenamesIsPutRight) {
  ASSERT_EQ(split({"--how", "copy"}).exit_code, 0);
  const auto former = files(out_);
  fs::rename(out_, out_ + ".old");
  const ProcessResult result = split({});
  EXPECT_EQ(result.exit_code, 2) << "the former split is there again";
  EXPECT_EQ(files(out_), former);
  // And behind the second of them.
  fs::copy(out_, out_ + ".old", fs::copy_options::recursive);
  EXPECT_EQ(split({"--overwrite"}).exit_code, 0);
  EXPECT_THAT(beside_data(), ElementsAre("data", "out"));
}

TEST_F(SplitProgram, HasOneWriter) {
  const FileLock other(out_ + ".lock", "another");
  const ProcessResult result = split({});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("is in use by process"));
}

}  // namespace
}  // namespace resflow::testing
