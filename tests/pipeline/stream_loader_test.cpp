#include "pipeline/stream_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/core/error.h"
#include "pipeline/pixels/random.h"
#include "tests/io/live_bytes.h"
#include "tests/pipeline/made_picture.h"
#include "tests/pipeline/many_threads.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ManyThreads;
using testing::picture;
using testing::TemporaryFolder;

// A source of what a test lists, that looks whether it is used by one thread at a time.
class Listed : public PictureSource {
 public:
  explicit Listed(std::vector<Picture> pictures) : pictures_(std::move(pictures)) {}

  bool next(Picture& picture) override {
    EXPECT_FALSE(busy_.exchange(true)) << "two threads at once";
    const bool there = next_ < pictures_.size();
    const bool fails = !there && !failure_.empty();
    if (there) picture = pictures_[next_++];
    busy_ = false;
    if (fails) throw data_error("{}", failure_);
    return there;
  }

  void fail_at_the_end(const std::string& sentence) { failure_ = sentence; }
  size_t given() const { return next_; }

 private:
  std::vector<Picture> pictures_;
  size_t next_ = 0;
  std::string failure_;
  std::atomic<bool> busy_ = false;
};

class StreamLoaderTest : public ::testing::Test {
 protected:
  struct Seen {
    int64_t number;
    std::vector<int64_t> samples;
    std::vector<std::string> names, broken;
    std::vector<PicturePlace> places, broken_places;
    std::vector<float> pixels;
    bool operator==(const Seen&) const = default;
  };

  StreamLoaderTest() { recipe_ = Recipe::eval({.resize = 36, .crop = 32}); }

  // Picture i: of three kinds by turns, a file, bytes, and a file with an id. `broken` have an error of each kind.
  void make(int count, const std::vector<int>& broken = {}) {
    for (int i = 0; i < count; ++i) {
      const std::string path = folder_ / ("picture" + std::to_string(i) + ".jpg");
      const std::vector<uint8_t> bytes = picture(i);
      std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
      dataset_.samples.push_back({path, 0});
      Picture one = {.name = i % 3 == 2 ? "id " + std::to_string(i) : path, .path = path, .bytes = {}, .error = {}};
      one.place = place(i);
      if (i % 3 == 1) {
        one.path.clear();
        one.bytes = bytes;
      }
      const bool breaks = std::find(broken.begin(), broken.end(), i) != broken.end();
      if (breaks && i % 3 == 0) one.error = "is told to be broken";
      if (breaks && i % 3 == 1) one.bytes.resize(200);
      if (breaks && i % 3 == 2) one.path += " is absent";
      pictures_.push_back(std::move(one));
    }
  }

  // Where a source may say that it has picture i.
  static PicturePlace place(int i) { return {.index = 10 * i + 3, .names = static_cast<uint64_t>(i) * i}; }

  std::vector<Seen> collect(const StreamOptions& options, EpochReport* report = nullptr) {
    Listed source(pictures_);
    StreamLoader loader(source, recipe_, options);
    std::vector<Seen> batches;
    const EpochReport result = loader.run([&](const Batch& batch) {
      batches.push_back(seen(batch));
      return true;
    });
    if (report != nullptr) *report = result;
    return batches;
  }

  static Seen seen(const Batch& batch) {
    const size_t floats =
        static_cast<size_t>(batch.size) * 3 * static_cast<size_t>(batch.image_size * batch.image_size);
    Seen all = {batch.number, batch.samples, {}, {}, {}, {}, {batch.pixels, batch.pixels + floats}};
    EXPECT_EQ(batch.labels, std::vector<int32_t>(static_cast<size_t>(batch.size), -1));
    all.names.assign(batch.names.begin(), batch.names.begin() + batch.size);
    all.places.assign(batch.places.begin(), batch.places.begin() + batch.size);
    for (const BrokenPicture& broken : batch.broken) all.broken_places.push_back(broken.place);
    for (const BrokenPicture& broken : batch.broken)
      all.broken.push_back(std::to_string(broken.sample) + " " + broken.name + ": " + broken.reason);
    return all;
  }

  TemporaryFolder folder_;
  Dataset dataset_;
  std::vector<Picture> pictures_;
  Recipe recipe_;
};

TEST_F(StreamLoaderTest, GivesTheBatchesOfALoaderThatHasThemListed) {
  make(53);
  Loader loader(dataset_, recipe_, {.batch = 8, .threads = 2, .shuffle = false});
  std::vector<std::vector<float>> pixels;
  loader.run(0, 0, [&](const Batch& batch) {
    const size_t floats = static_cast<size_t>(batch.size) * 3 * 32 * 32;
    pixels.emplace_back(batch.pixels, batch.pixels + floats);
    return true;
  });
  EpochReport report;
  const auto batches = collect({.batch = 8, .threads = 2}, &report);
  ASSERT_EQ(batches.size(), 7U);
  int64_t next = 0;
  for (size_t b = 0; b < batches.size(); ++b) {
    EXPECT_EQ(batches[b].number, static_cast<int64_t>(b));
    EXPECT_TRUE(batches[b].pixels == pixels[b]) << b;
    for (size_t row = 0; row < batches[b].samples.size(); ++row, ++next) {
      EXPECT_EQ(batches[b].samples[row], next);
      EXPECT_EQ(batches[b].names[row], pictures_[static_cast<size_t>(next)].name);
    }
  }
  EXPECT_EQ(next, 53);
  EXPECT_EQ(report.batches, 7);
  EXPECT_EQ(report.images, 53);
  EXPECT_FALSE(report.stopped);
  EXPECT_GT(report.bytes_read, 53 * 300);
  EXPECT_GT(report.seconds[Stage::kDecode], 0);
}

TEST_F(StreamLoaderTest, SameBytesForAnyThreadsAndSlots) {
  const ManyThreads many;
  make(53, {3, 4, 5, 17, 52});
  const auto wanted = collect({.batch = 8, .threads = 1, .slots = 1});
  ASSERT_EQ(wanted.size(), 7U);
  for (const int threads : {1, 2, 16})
    for (const int slots : {1, 2, 3, 4})
      EXPECT_TRUE(collect({.batch = 8, .threads = threads, .slots = slots}) == wanted)
          << threads << " threads, " << slots << " slots";
}

TEST_F(StreamLoaderTest, UnorderedItGivesTheSameBatches) {
  const ManyThreads many;
  make(53, {3, 7, 20, 52});
  const std::vector<Seen> wanted = collect({.batch = 4, .threads = 2});
  for (const int threads : {1, 2, 8}) {
    for (const int slots : {1, 3, 6}) {
      EpochReport report;
      auto batches = collect({.batch = 4, .threads = threads, .slots = slots, .unordered = true}, &report);
      ASSERT_EQ(batches.size(), wanted.size());
      EXPECT_TRUE(batches.back() == wanted.back()) << "the one that is not full comes last";
      std::sort(batches.begin(), batches.end(), [](const Seen& a, const Seen& b) { return a.number < b.number; });
      EXPECT_TRUE(batches == wanted) << threads << " threads, " << slots << " slots";
      EXPECT_EQ(report.images, 49);
      EXPECT_FALSE(report.stopped);
    }
  }
}

TEST_F(StreamLoaderTest, BrokenPicturesAreNamedInTheirPlace) {
  make(12, {3, 4, 5});
  EpochReport report;
  const auto batches = collect({.batch = 4, .threads = 2}, &report);
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_THAT(batches[0].samples, ElementsAre(0, 1, 2));
  EXPECT_THAT(batches[0].broken, ElementsAre("3 " + pictures_[3].name + ": is told to be broken"));
  EXPECT_THAT(batches[1].samples, ElementsAre(6, 7));
  EXPECT_THAT(batches[1].names, ElementsAre(pictures_[6].name, pictures_[7].name));
  ASSERT_EQ(batches[1].broken.size(), 2U);
  EXPECT_THAT(batches[1].broken[0], ::testing::StartsWith("4 " + pictures_[4].name + ": "));
  EXPECT_THAT(batches[1].broken[0], HasSubstr("truncated"));
  // The id stands before it, and the path not within.
  EXPECT_EQ(batches[1].broken[1], "5 id 5: cannot be opened: No such file or directory");
  EXPECT_EQ(report.images, 9);
  EXPECT_TRUE(report.broken.empty());  // there may be any number of them
  // Its neighbours' pixels are what they are without it.
  const auto gone = batches[1].pixels;
  pictures_.erase(pictures_.begin() + 3, pictures_.begin() + 6);
  const auto whole = collect({.batch = 3, .threads = 2});
  EXPECT_TRUE(std::equal(gone.begin(), gone.end(), whole[1].pixels.begin()));
}

TEST_F(StreamLoaderTest, EachPictureComesWithThePlaceThatItsSourceGaveIt) {
  make(12, {3, 4, 5});
  const auto batches = collect({.batch = 4, .threads = 2});
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_THAT(batches[0].places, ElementsAre(place(0), place(1), place(2)));
  EXPECT_THAT(batches[0].broken_places, ElementsAre(place(3)));
  EXPECT_THAT(batches[1].places, ElementsAre(place(6), place(7)));
  EXPECT_THAT(batches[1].broken_places, ElementsAre(place(4), place(5)));
  EXPECT_THAT(batches[2].places, ElementsAre(place(8), place(9), place(10), place(11)));
}

TEST_F(StreamLoaderTest, ABrokenPictureStopsTheRunWhereThatIsAskedFor) {
  make(12, {5});
  Listed source(pictures_);
  StreamLoader loader(source, recipe_, {.batch = 4, .threads = 2, .on_error = OnError::kStop});
  int consumed = 0;
  try {
    loader.run([&](const Batch&) { return ++consumed > 0; });
    ADD_FAILURE() << "no Error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_STREQ(error.what(), "id 5: cannot be opened: No such file or directory");
  }
  EXPECT_EQ(consumed, 1);
}

TEST_F(StreamLoaderTest, NumbersAtTheEnd) {
  for (const int count : {0, 1, 3, 4, 5, 8}) {
    dataset_.samples.clear();
    pictures_.clear();
    make(count);
    EpochReport report;
    const auto batches = collect({.batch = 4, .threads = 2}, &report);
    EXPECT_EQ(batches.size(), static_cast<size_t>((count + 3) / 4));
    EXPECT_EQ(report.images, count);
  }
}

TEST_F(StreamLoaderTest, WhatTheSourceThrowsComesAfterThePicturesBeforeIt) {
  const ManyThreads many;
  for (const int count : {0, 1, 8, 11})
    for (const int threads : {1, 2, 8}) {
      pictures_.clear();
      make(count);
      Listed source(pictures_);
      source.fail_at_the_end("x.tar: ends early");
      StreamLoader loader(source, recipe_, {.batch = 4, .threads = threads});
      int64_t images = 0;
      try {
        loader.run([&](const Batch& batch) {
          images += batch.size;
          return true;
        });
        ADD_FAILURE() << "no Error";
      } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "x.tar: ends early");
      }
      EXPECT_EQ(images, count);
    }
}

TEST_F(StreamLoaderTest, TheConsumerMayStopAndThrow) {
  make(40);
  Listed source(pictures_);
  StreamLoader loader(source, recipe_, {.batch = 4, .threads = 2, .slots = 2});
  EpochReport report = loader.run([&](const Batch& batch) { return batch.number < 2; });
  EXPECT_TRUE(report.stopped);
  EXPECT_EQ(report.images, 12);
  EXPECT_GE(source.given(), 12U);
  EXPECT_LE(source.given(), 20U);  // no more than the slots hold
  EXPECT_THROW(loader.run([](const Batch&) -> bool { throw std::runtime_error("consumer"); }), std::runtime_error);
  // What is left comes in another run.
  const size_t given = source.given();
  report = loader.run([](const Batch&) { return true; });
  EXPECT_EQ(report.images, 40 - static_cast<int64_t>(given));
  // Who stops with the last picture has stopped nothing.
  Listed few(std::vector<Picture>(pictures_.begin(), pictures_.begin() + 3));
  StreamLoader last(few, recipe_, {.batch = 4, .threads = 2});
  EXPECT_FALSE(last.run([](const Batch&) { return false; }).stopped);
}

TEST_F(StreamLoaderTest, AFileThatGoesWhileItRunsIsBroken) {
  make(30);
  std::filesystem::remove(dataset_.samples[27].path);  // a file by its path
  Listed source(pictures_);
  StreamLoader loader(source, recipe_, {.batch = 2, .threads = 2, .slots = 2});
  std::vector<int64_t> broken;
  loader.run([&](const Batch& batch) {
    if (batch.number == 0) std::filesystem::remove(dataset_.samples[24].path);
    for (const BrokenPicture& one : batch.broken) {
      EXPECT_THAT(one.reason, HasSubstr("No such file"));
      broken.push_back(one.sample);
    }
    return true;
  });
  EXPECT_THAT(broken, ElementsAre(24, 27));
}

// Gives the same picture, as bytes, again and again.
class Endless : public PictureSource {
 public:
  explicit Endless(int64_t count) : count_(count), bytes_(picture(1)) {}
  bool next(Picture& picture) override {
    if (given_ == count_) return false;
    picture.name = "archive.tar/some folder/with/a/long/name/" + std::to_string(given_++) + ".jpg";
    picture.path.clear();
    picture.bytes.assign(bytes_.begin(), bytes_.end());
    picture.error = given_ % 2 == 0 ? "is a link, which is not followed in an archive" : "";
    return true;
  }

 private:
  int64_t count_, given_ = 0;
  std::vector<uint8_t> bytes_;
};

// Whoever holds batches sees them unchanged while later ones come, and sees the same ones as without.
TEST_F(StreamLoaderTest, HeldBatchesStayAsTheyAre) {
  const ManyThreads many;
  make(47, {3, 7, 20});
  const std::vector<Seen> wanted = collect({.batch = 3, .threads = 4});
  for (const int slots : {1, 3}) {
    Listed source(pictures_);
    StreamLoader loader(source, recipe_, {.batch = 3, .threads = 4, .slots = slots});
    std::vector<const Batch*> batches;
    const auto expect_held = [&](size_t held) {
      for (size_t i = batches.size() - std::min(batches.size(), held); i < batches.size(); ++i)
        EXPECT_TRUE(seen(*batches[i]) == wanted[i]) << i;
    };
    loader.hold(2);
    loader.run([&](const Batch& batch) {
      batches.push_back(&batch);
      if (batch.number == 6) loader.hold(5);  // of which there are 2 until three more have come
      expect_held(batch.number < 6 ? 3 : std::min<size_t>(6, static_cast<size_t>(batch.number) - 3));
      return true;
    });
    EXPECT_EQ(batches.size(), wanted.size());
    expect_held(5);  // the end of a run frees none
  }
}

TEST_F(StreamLoaderTest, ManyPicturesTakeNoMoreMemory) {
  constexpr int64_t kPictures = 20'000;
  Endless source(kPictures);
  StreamLoader loader(source, recipe_, {.batch = 16, .threads = 2});
  std::optional<testing::LiveBytes> live;
  const EpochReport report = loader.run([&](const Batch& batch) {
    if (batch.number == 100) live.emplace();  // all buffers have come to their size
    if (live) live->look();
    return true;
  });
  EXPECT_EQ(report.images, kPictures / 2);
  // Names and reasons alone would be 2 MB.
  EXPECT_LT(live->peak(), 300'000U);
}

TEST_F(StreamLoaderTest, ManyRunsOfAllKindsEnd) {
  const ManyThreads many;
  make(23, {7});
  Draw draw(1, 1, 1, DrawFor::kOrder);
  for (int i = 0; i < 150; ++i) {
    const StreamOptions options{.batch = static_cast<int>(draw.integer(1, 8)),
                                .threads = static_cast<int>(draw.integer(1, 8)),
                                .slots = static_cast<int>(draw.integer(1, 4)),
                                .on_error = draw.integer(0, 3) == 0 ? OnError::kStop : OnError::kSkip,
                                .unordered = i % 2 == 1};
    Listed source(pictures_);
    if (draw.integer(0, 3) == 0) source.fail_at_the_end("failed");
    StreamLoader loader(source, recipe_, options);
    loader.hold(static_cast<int>(draw.integer(0, 3)));
    const int64_t stop_at = draw.integer(0, 25), throw_at = draw.integer(0, 25);
    try {
      loader.run([&](const Batch& batch) {
        if (batch.number == throw_at) throw std::runtime_error("consumer");
        return batch.number != stop_at;
      });
    } catch (const std::runtime_error&) {
    }
  }
}

TEST_F(StreamLoaderTest, RefusesOptionsThatCannotBe) {
  Listed source({});
  for (const StreamOptions& options :
       {StreamOptions{.batch = 0}, StreamOptions{.threads = 0}, StreamOptions{.slots = 0}})
    EXPECT_THROW(StreamLoader(source, recipe_, options), Error);
}

}  // namespace
}  // namespace resflow
