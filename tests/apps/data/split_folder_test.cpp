// What the library does with a split that is stopped, fails or is killed half-way. What comes out of a whole one is in
// tests/apps/split_test.cpp.
#include "apps/data/split_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>
#include <utility>

#include "io/core/error.h"
#include "io/pictures/dataset.h"
#include "tests/apps/split_fixture.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Does something once so many files are done: its result says whether the job is to stop.
class After : public Listener {
 public:
  After(int64_t files, std::function<bool()> what) : files_(files), what_(std::move(what)) {}

  void progress(const ProgressState& state) override { done_ = state.done; }
  bool stop() override { return done_ >= files_ && what_(); }

 private:
  int64_t files_, done_ = 0;
  std::function<bool()> what_;
};

// The library, stopped and failing half-way.
class SplitFolder : public SplitFixture {
 protected:
  SplitJob job(SplitHow how) {
    SplitJob job = {.out = out_, .data = fs::canonical(data_), .how = how, .overwrite = true, .files = {}};
    int number = 0;
    for (const Sample& sample : list_image_folder(data_).samples) {
      const std::string name = fs::path(sample.path).lexically_relative(data_).string();
      job.files.push_back(
          {.source = fs::canonical(sample.path), .place = (number++ % 5 == 0 ? "val/" : "train/") + name});
    }
    return job;
  }
};

TEST_F(SplitFolder, StoppedOrFailedHalfWayEverythingIsAsItWas) {
  ASSERT_EQ(split({}).exit_code, 0);
  const auto all_before = files(folder_.path());
  for (const SplitHow how : {SplitHow::kSymlink, SplitHow::kHardlink, SplitHow::kCopy, SplitHow::kMove}) {
    After twenty(20, [] { return true; });
    EXPECT_FALSE(make_split_folder(job(how), twenty));
    EXPECT_EQ(files(folder_.path()), all_before) << split_how_name(how);
    SplitJob clash = job(how);
    clash.files[30].place = clash.files[2].place + "/below a file";
    EXPECT_THROW(make_split_folder(clash, silent()), Error);
    EXPECT_EQ(files(folder_.path()), all_before) << split_how_name(how);
    EXPECT_THAT(beside_data(), ElementsAre("data", "out"));
  }
}

TEST_F(SplitFolder, WhatCameIntoTheFormerSplitMeanwhileIsNotLost) {
  ASSERT_EQ(split({"--how", "copy"}).exit_code, 0);
  const auto [name, content] = *files(out_ + "/val").begin();
  After ten(10, [&] {
    write_text(out_ + "/val/" + name, "mine");
    return false;
  });
  EXPECT_THROW(make_split_folder(job(SplitHow::kCopy), ten), Error);
  EXPECT_EQ(read_text(out_ + "/val/" + name), "mine");
  EXPECT_THAT(beside_data(), ElementsAre("data", "out"));
  write_text(out_ + "/val/" + name, content);
  EXPECT_TRUE(make_split_folder(job(SplitHow::kCopy), silent()));
}

TEST_F(SplitFolder, WhatAKilledRunLeftIsPutRight) {
  for (const SplitHow how : {SplitHow::kCopy, SplitHow::kMove}) {
    // Killed after 20 files: the partial folder is as it is then.
    After twenty(20, [&]() -> bool {
      fs::create_directory(folder_ / "killed");
      fs::copy(out_ + ".partial", folder_ / "killed", fs::copy_options::recursive);
      throw std::runtime_error("killed");
    });
    EXPECT_THROW(make_split_folder(job(how), twenty), std::runtime_error);
    fs::rename(folder_ / "killed", out_ + ".partial");
    if (how == SplitHow::kMove)
      for (const auto& [name, content] : files(out_ + ".partial"))
        if (name != "split.json") fs::remove(data_ + name.substr(name.find('/')));
    const ProcessResult result = split({"--overwrite"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("of a split that did not end is removed"));
    EXPECT_EQ(files(data_), before_);
    EXPECT_EQ(united(), pictures());
    EXPECT_THAT(beside_data(), ElementsAre("data", "out"));
  }
  // What is not ours stays.
  write_text(out_ + ".partial/mine", "precious");
  EXPECT_EQ(split({"--overwrite"}).exit_code, 2);
  EXPECT_EQ(read_text(out_ + ".partial/mine"), "precious");
}

}  // namespace
}  // namespace resflow::testing
