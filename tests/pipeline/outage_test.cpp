// What the loaders do when the machine fails, and when files are gone.
// Covers: pipeline/loader_flow
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "io/core/error.h"
#include "io/files/file.h"
#include "pipeline/loader.h"
#include "pipeline/stream_loader.h"
#include "tests/pipeline/made_picture.h"
#include "tests/pipeline/many_threads.h"
#include "tests/support/failing_disk.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::FailingDisk;
using ::testing::HasSubstr;
using testing::ManyThreads;
using testing::TemporaryFolder;

struct Given {
  int64_t number;
  std::vector<int64_t> samples, broken, unread;
  bool operator==(const Given&) const = default;
};

class OutageTest : public ::testing::Test {
 protected:
  void make(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string path = folder_ / (std::to_string(i) + ".jpg");
      replace_file(path, testing::picture(i));
      dataset_.samples.push_back({path, 0});
    }
    dataset_.classes = {"a"};
  }

  void take_away(int first, int end) {
    for (int i = first; i < end; ++i) disk_.fail("/" + std::to_string(i) + ".jpg", ENOENT);
  }

  LoaderOptions options(int batch, int threads, int64_t outage = 5) {
    return {.batch = batch,
            .threads = threads,
            .shuffle = false,
            .reading = {.outage = outage, .stop = {}, .files = &disk_}};
  }

  // What a run gave, and in `failure_` what it threw.
  std::vector<Given> run(Loader& loader, int64_t first_batch = 0) {
    std::vector<Given> all;
    failure_.clear();
    try {
      report_ = loader.run(0, first_batch, [&](const Batch& batch) {
        Given given = {batch.number, batch.samples, {}, {}};
        for (const BrokenPicture& one : batch.broken) (one.unread ? given.unread : given.broken).push_back(one.sample);
        all.push_back(given);
        return true;
      });
    } catch (const Outage& outage) {
      EXPECT_EQ(outage.kind(), ErrorKind::kSystem);
      failure_ = outage.what();
    }
    return all;
  }

  TemporaryFolder folder_;
  Dataset dataset_;
  Recipe recipe_ = Recipe::eval({.resize = 36, .crop = 32});
  FailingDisk disk_;
  std::string failure_;
  EpochReport report_;
};

TEST_F(OutageTest, AFailureThatPassesChangesNothing) {
  make(12);
  Loader undisturbed(dataset_, recipe_, options(4, 2));
  const auto wanted = run(undisturbed);
  disk_.fail("/5.jpg", ESTALE, 1);
  disk_.fail("/9.jpg", EMFILE, 3);
  Loader loader(dataset_, recipe_, options(4, 2));
  EXPECT_EQ(run(loader), wanted);
  EXPECT_EQ(failure_, "");
}

TEST_F(OutageTest, AMachineThatFailsEndsTheRunBehindWholeBatchesForAnyThreads) {
  const ManyThreads many;
  make(24);
  Loader undisturbed(dataset_, recipe_, options(4, 2));
  const auto wanted = run(undisturbed);
  for (const int threads : {1, 2, 8}) {
    disk_.fail("/10.jpg", EIO);
    Loader loader(dataset_, recipe_, options(4, threads));
    const auto before = run(loader);
    EXPECT_THAT(failure_, HasSubstr("10.jpg: cannot be opened: Input/output error")) << threads;
    ASSERT_EQ(before.size(), 2U) << threads;
    disk_.repair();
    const auto after = run(loader, 2);
    std::vector<Given> all = before;
    all.insert(all.end(), after.begin(), after.end());
    EXPECT_EQ(all, wanted) << threads;
  }
}

TEST_F(OutageTest, ManyFilesInARowThatAreGoneAreOneAndTheirBatchesAreNotGiven) {
  const ManyThreads many;
  make(30);
  // Picture 6 is the first that is gone, in the second batch of four; picture 10 the fifth.
  for (const int threads : {1, 2, 8})
    for (const int slots : {1, 3}) {
      take_away(6, 30);
      LoaderOptions o = options(4, threads);
      o.slots = slots;
      Loader loader(dataset_, recipe_, o);
      const auto before = run(loader);
      EXPECT_THAT(failure_, HasSubstr("the last 5 files in a row cannot be read"));
      EXPECT_THAT(failure_, HasSubstr("6.jpg: cannot be opened: No such file"));
      ASSERT_EQ(before.size(), 1U) << threads << " threads, " << slots << " slots";
      EXPECT_EQ(before[0].samples, (std::vector<int64_t>{0, 1, 2, 3}));
      disk_.repair();
      EXPECT_EQ(run(loader, 1).size(), 7U);
      EXPECT_EQ(failure_, "");
    }
}

TEST_F(OutageTest, FewerInARowAreLeftOutInTheirPlace) {
  make(30);
  take_away(6, 10);
  take_away(11, 15);
  take_away(26, 30);
  for (const int batch : {1, 4}) {
    Loader loader(dataset_, recipe_, options(batch, 2));
    std::vector<int64_t> whole, unread;
    int64_t number = 0;
    for (const Given& given : run(loader)) {
      EXPECT_EQ(given.number, number++);
      whole.insert(whole.end(), given.samples.begin(), given.samples.end());
      unread.insert(unread.end(), given.unread.begin(), given.unread.end());
    }
    EXPECT_EQ(failure_, "");
    EXPECT_EQ(whole.size(), 18U);
    EXPECT_EQ(unread, (std::vector<int64_t>{6, 7, 8, 9, 11, 12, 13, 14, 26, 27, 28, 29}));
    EXPECT_EQ(report_.broken.size(), 12U);
  }
}

TEST_F(OutageTest, BrokenFilesAreNoneHoweverManyTheyAre) {
  make(20);
  for (int i = 4; i < 20; ++i) replace_text_file(folder_ / (std::to_string(i) + ".jpg"), "no picture");
  Loader loader(dataset_, recipe_, options(4, 2));
  const auto all = run(loader);
  EXPECT_EQ(failure_, "");
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[4].broken.size(), 4U);
  EXPECT_TRUE(all[4].unread.empty());
}

TEST_F(OutageTest, AnyNumberMayBeGoneWhereThatIsAskedFor) {
  make(20);
  take_away(0, 20);
  Loader loader(dataset_, recipe_, options(4, 2, 0));
  EXPECT_EQ(run(loader).size(), 5U);
  EXPECT_EQ(failure_, "");
}

TEST_F(OutageTest, ASmallSetThatCouldBeReadOnceIsGoneWhenAllOfItIs) {
  make(3);
  Loader loader(dataset_, recipe_, options(2, 2, 50));
  EXPECT_EQ(run(loader).size(), 2U);
  take_away(0, 3);
  EXPECT_EQ(run(loader).size(), 0U);
  EXPECT_THAT(failure_, HasSubstr("the last 3 files in a row"));

  Loader never(dataset_, recipe_, options(2, 2, 50));
  EXPECT_EQ(run(never).size(), 2U) << "of a set of which no file is there nothing is known";
  EXPECT_EQ(failure_, "");
}

TEST_F(OutageTest, FilesAreCountedFromOneEpochToTheNext) {
  make(8);
  take_away(5, 8);
  Loader loader(dataset_, recipe_, options(4, 2));
  EXPECT_EQ(run(loader).size(), 2U);
  take_away(0, 2);
  EXPECT_EQ(run(loader).size(), 0U);
  EXPECT_THAT(failure_, HasSubstr("5.jpg"));
}

TEST_F(OutageTest, AStopDuringTheWaitEndsTheRunAsAStop) {
  make(12);
  disk_.fail("/6.jpg", ETIMEDOUT);
  std::atomic<bool> stop = false;
  disk_.set_on_sleep([&] { stop = true; });
  LoaderOptions o = options(4, 2);
  o.reading.stop = [&] { return stop.load(); };
  Loader loader(dataset_, recipe_, o);
  EXPECT_EQ(run(loader).size(), 1U);
  EXPECT_EQ(failure_, "");
  EXPECT_TRUE(report_.stopped);
  EXPECT_LE(disk_.slept(), 0.2);
}

// Paths as they come; the end is reached, or the listing breaks off.
class Paths : public PictureSource {
 public:
  Paths(const Dataset& dataset, size_t breaks_off) : dataset_(dataset), breaks_off_(breaks_off) {}
  bool next(Picture& picture) override {
    if (next_ == breaks_off_) throw system_error("photos: the folder cannot be read to its end: Input/output error");
    if (next_ == dataset_.samples.size()) return false;
    picture.name = picture.path = dataset_.samples[next_++].path;
    picture.error.clear();
    return true;
  }

 private:
  const Dataset& dataset_;
  size_t next_ = 0, breaks_off_;
};

TEST_F(OutageTest, AStreamEndsTheSameWay) {
  make(20);
  for (const bool unordered : {false, true})
    for (const int threads : {1, 2}) {
      disk_.repair();
      take_away(9, 20);
      Paths source(dataset_, 100);
      StreamLoader loader(source, recipe_,
                          {.batch = 3,
                           .threads = threads,
                           .unordered = unordered,
                           .reading = {.outage = 5, .stop = {}, .files = &disk_}});
      int64_t given = 0;
      EXPECT_THROW(loader.run([&](const Batch& batch) {
        given += batch.size;
        EXPECT_TRUE(batch.broken.empty());
        return true;
      }),
                   Outage);
      if (!unordered) {
        EXPECT_EQ(given, 9);
      }
    }
}

TEST_F(OutageTest, WhereTheListingBreaksOffFilesBeforeThatAreGoneAreInDoubt) {
  make(20);
  take_away(8, 20);
  Paths source(dataset_, 11);
  StreamLoader loader(source, recipe_,
                      {.batch = 3, .threads = 2, .reading = {.outage = 5, .stop = {}, .files = &disk_}});
  int64_t given = 0;
  try {
    loader.run([&](const Batch& batch) {
      given += batch.size;
      EXPECT_TRUE(batch.broken.empty());
      return true;
    });
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("to its end"));
  }
  EXPECT_EQ(given, 6);
}

}  // namespace
}  // namespace resflow
