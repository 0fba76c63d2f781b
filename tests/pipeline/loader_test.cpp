#include "pipeline/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "io/core/error.h"
#include "io/files/file.h"
#include "io/images/png_encode.h"
#include "pipeline/order.h"
#include "pipeline/pixels/mix.h"
#include "pipeline/pixels/random.h"
#include "tests/pipeline/made_picture.h"
#include "tests/pipeline/many_threads.h"
#include "tests/support/exif_jpeg.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;
using testing::ManyThreads;
using testing::picture;
using testing::TemporaryFolder;

void write_file(const std::string& path, std::span<const uint8_t> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(file.good()) << path;
}
void write_file(const std::string& path, const std::string& text) {
  write_file(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

// `count` small pictures; sample i has label i % 3.
class LoaderTest : public ::testing::Test {
 protected:
  void make(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string path = folder_ / ("picture" + std::to_string(i) + ".jpg");
      write_file(path, picture(i));
      dataset_.samples.push_back({path, i % 3});
    }
    dataset_.classes = {"a", "b", "c"};
  }
  const std::string& path(size_t sample) const { return dataset_.samples[sample].path; }

  TemporaryFolder folder_;
  Dataset dataset_;
  Recipe recipe_ = Recipe::train(32);
};

// All that a consumer can see of a batch.
struct Seen {
  int64_t number;
  std::vector<int32_t> labels;
  std::vector<int64_t> samples;
  std::vector<float> pixels;
  bool operator==(const Seen&) const = default;
};

Seen seen(const Batch& batch) {
  EXPECT_EQ(batch.labels.size(), static_cast<size_t>(batch.size));
  EXPECT_EQ(batch.samples.size(), static_cast<size_t>(batch.size));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(batch.pixels) % 64, 0U);
  const size_t floats = static_cast<size_t>(batch.size) * 3 * static_cast<size_t>(batch.image_size * batch.image_size);
  return {batch.number, batch.labels, batch.samples, {batch.pixels, batch.pixels + floats}};
}

std::vector<Seen> collect(Loader& loader, uint64_t epoch = 0, int64_t first = 0, EpochReport* report = nullptr) {
  std::vector<Seen> batches;
  const EpochReport result = loader.run(epoch, first, [&](const Batch& batch) {
    batches.push_back(seen(batch));
    return true;
  });
  if (report != nullptr) *report = result;
  return batches;
}

TEST_F(LoaderTest, SameBytesForAnyThreadsAndSlots) {
  const ManyThreads many;
  make(53);
  Loader one(dataset_, recipe_, {.batch = 8, .threads = 1, .slots = 1, .seed = 4});
  const auto wanted = collect(one, 3);
  ASSERT_EQ(wanted.size(), 7U);
  for (const int threads : {1, 2, 16})
    for (const int slots : {1, 2, 3, 4}) {
      Loader loader(dataset_, recipe_, {.batch = 8, .threads = threads, .slots = slots, .seed = 4});
      EXPECT_TRUE(collect(loader, 3) == wanted) << threads << " threads, " << slots << " slots";
    }
}

TEST_F(LoaderTest, SameBytesForAnyThreadsWithEverythingRandom) {
  const ManyThreads many;
  make(53);
  recipe_.color_jitter = {0.4, 0.4, 0.4, 0.1};
  recipe_.erase_probability = 0.5;
  for (const AutoAugment which : {AutoAugment::kRandAugment, AutoAugment::kTrivialAugment}) {
    recipe_.auto_augment = which;
    LoaderOptions options{.batch = 8, .threads = 1, .seed = 4, .sampler = Sampler::kWeighted};
    options.weights = balanced_weights(dataset_);
    const auto mixed = [&](int threads) {
      options.threads = threads;
      Loader loader(dataset_, recipe_, options);
      std::vector<Seen> batches;
      loader.run(3, 0, [&](const Batch& batch) {
        mix_pixels(draw_mix({0.2, 1}, batch.image_size, options.seed, 3, static_cast<uint64_t>(batch.number)),
                   batch.pixels, batch.size, batch.image_size);
        batches.push_back(seen(batch));
        return true;
      });
      return batches;
    };
    const auto wanted = mixed(1);
    ASSERT_EQ(wanted.size(), 7U);
    for (const int threads : {2, 8}) EXPECT_TRUE(mixed(threads) == wanted) << threads << " threads";
  }
}

TEST_F(LoaderTest, AWeightedEpochHasAsManySamplesAndIsResumedLikeAnyOther) {
  make(30);
  LoaderOptions options{.batch = 4, .threads = 2, .seed = 1, .sampler = Sampler::kWeighted};
  options.weights.assign(30, 0);
  for (size_t sample = 10; sample < 20; ++sample) options.weights[sample] = 1;
  Loader loader(dataset_, recipe_, options);
  EpochReport report;
  const auto whole = collect(loader, 2, 0, &report);
  EXPECT_EQ(report.images, 30);
  std::vector<int64_t> samples;
  for (const Seen& batch : whole) samples.insert(samples.end(), batch.samples.begin(), batch.samples.end());
  EXPECT_EQ(samples, weighted_order(options.weights, 1, 2));
  for (const int64_t sample : samples) EXPECT_EQ(sample / 10, 1);
  const auto rest = collect(loader, 2, 5);
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), whole.begin() + 5, whole.end()));
}

TEST_F(LoaderTest, SaysWhereTheTimeWent) {
  make(40);
  Loader loader(dataset_, recipe_, {.batch = 8, .threads = 2});
  for (int again = 0; again < 2; ++again) {
    EpochReport report;
    const auto from = std::chrono::steady_clock::now();
    collect(loader, 0, 0, &report);
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
    for (const Stage stage : kStages) EXPECT_GT(report.seconds[stage], 0) << stage_name(stage);
    // Parts of what two threads had, so that nothing is counted twice or of the run before.
    EXPECT_LE(report.seconds.sum(), 2 * wall);
  }
}

TEST_F(LoaderTest, RowsAreWhatARecipeWorkerMakesOfTheirSamples) {
  make(10);
  Loader loader(dataset_, recipe_, {.batch = 4, .threads = 2, .seed = 9});
  const size_t floats = size_t{3} * 32 * 32;
  std::vector<float> wanted(floats);
  Decoder decoder;
  RecipeWorker worker(recipe_);
  for (const Seen& batch : collect(loader, 5))
    for (size_t row = 0; row < batch.samples.size(); ++row) {
      const auto sample = static_cast<size_t>(batch.samples[row]);
      std::vector<uint8_t> buffer;
      decoder.open(read_file(path(sample), buffer));
      worker.run(decoder, 9, 5, sample, wanted.data());
      EXPECT_EQ(std::memcmp(wanted.data(), batch.pixels.data() + row * floats, floats * sizeof(float)), 0);
      EXPECT_EQ(batch.labels[row], static_cast<int32_t>(sample % 3));
    }
}

TEST_F(LoaderTest, TurnsPicturesUprightWhereItIsAskedTo) {
  const std::vector<uint8_t> turned = testing::with_exif(picture(3), 6);
  Decoder decoder;
  Image stored, upright;
  decoder.open(turned);
  decoder.decode(stored);
  decoder.set_exif(true);
  decoder.open(turned);
  decoder.decode(upright);
  ASSERT_EQ(upright.width(), stored.height());
  write_file(folder_ / "turned.jpg", turned);
  const auto pixels_of = [&](const std::string& name, bool exif) {
    dataset_.samples = {{folder_ / name, 0}};
    dataset_.classes = {"a"};
    Loader loader(dataset_, recipe_, {.batch = 1, .seed = 5, .exif = exif});
    return collect(loader, 2).at(0).pixels;
  };
  write_file(folder_ / "stored.png", encode_png(stored));
  write_file(folder_ / "upright.png", encode_png(upright));
  EXPECT_TRUE(pixels_of("turned.jpg", false) == pixels_of("stored.png", true));
  EXPECT_TRUE(pixels_of("turned.jpg", true) == pixels_of("upright.png", false));
  EXPECT_FALSE(pixels_of("upright.png", false) == pixels_of("stored.png", false));
}

TEST_F(LoaderTest, AnEpochVisitsEverySampleOnceInItsOwnOrder) {
  make(21);
  Loader loader(dataset_, recipe_, {.batch = 4, .threads = 2});
  EpochReport report;
  std::vector<std::vector<int64_t>> orders;
  for (const uint64_t epoch : {0, 1}) {
    orders.emplace_back();
    for (const Seen& batch : collect(loader, epoch, 0, &report))
      orders.back().insert(orders.back().end(), batch.samples.begin(), batch.samples.end());
    EXPECT_EQ(std::set<int64_t>(orders.back().begin(), orders.back().end()).size(), 21U);
    EXPECT_EQ(orders.back().size(), 21U);
    EXPECT_EQ(report.batches, 6);
    EXPECT_EQ(report.images, 21);
    EXPECT_FALSE(report.stopped);
  }
  EXPECT_NE(orders[0], orders[1]);
  uintmax_t bytes = 0;
  for (const Sample& sample : dataset_.samples) bytes += std::filesystem::file_size(sample.path);
  EXPECT_EQ(report.bytes_read, static_cast<int64_t>(bytes));
}

TEST_F(LoaderTest, WithoutShuffleTheOrderIsTheDataSets) {
  make(10);
  Loader loader(dataset_, recipe_, {.batch = 4, .threads = 2, .shuffle = false});
  const auto batches = collect(loader);
  EXPECT_EQ(batches[0].samples, (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(batches[2].samples, (std::vector<int64_t>{8, 9}));
}

TEST_F(LoaderTest, ResumingGivesTheRestOfTheEpoch) {
  make(30);
  Loader loader(dataset_, recipe_, {.batch = 4, .threads = 2, .seed = 1});
  const auto whole = collect(loader, 2);
  for (const int64_t first : {1, 5, 7, 8, 100}) {
    const auto rest = collect(loader, 2, first);
    const size_t skipped = std::min<size_t>(static_cast<size_t>(first), whole.size());
    EXPECT_TRUE(std::equal(rest.begin(), rest.end(), whole.begin() + static_cast<std::ptrdiff_t>(skipped), whole.end()))
        << "from " << first;
  }
  EXPECT_THROW(collect(loader, 2, -1), Error);
}

TEST_F(LoaderTest, BrokenFilesAreSkippedAndReported) {
  make(20);
  const auto whole = picture(5);
  write_file(path(1), std::span(whole).first(whole.size() / 2));
  write_file(path(3), std::string());
  write_file(path(4), std::string("GIF89a\1\0\1\0\0\0\0;", 14));
  std::filesystem::remove(path(9));
  write_file(path(14), std::string("no picture at all"));
  std::filesystem::remove(path(19));
  std::filesystem::create_directory(path(19));
  for (const int threads : {1, 2}) {
    Loader loader(dataset_, recipe_, {.batch = 5, .threads = threads, .shuffle = false});
    EpochReport report;
    const auto batches = collect(loader, 0, 0, &report);
    ASSERT_EQ(batches.size(), 4U);
    EXPECT_EQ(batches[0].samples, (std::vector<int64_t>{0, 2}));
    EXPECT_EQ(batches[0].labels, (std::vector<int32_t>{0, 2}));
    EXPECT_EQ(batches[1].samples, (std::vector<int64_t>{5, 6, 7, 8}));
    EXPECT_EQ(batches[2].samples, (std::vector<int64_t>{10, 11, 12, 13}));
    EXPECT_EQ(batches[3].samples, (std::vector<int64_t>{15, 16, 17, 18}));
    EXPECT_EQ(report.images, 14);
    ASSERT_EQ(report.broken.size(), 6U);
    std::vector<int64_t> broken;
    for (const auto& one : report.broken) {
      broken.push_back(one.sample);
      EXPECT_THAT(one.reason, ::testing::Not(HasSubstr(folder_.path().string()))) << "the path comes with the sample";
    }
    EXPECT_EQ(broken, (std::vector<int64_t>{1, 3, 4, 9, 14, 19}));
    EXPECT_THAT(report.broken[0].reason, HasSubstr("truncated"));
    EXPECT_THAT(report.broken[1].reason, HasSubstr("empty"));
    EXPECT_THAT(report.broken[2].reason, HasSubstr("GIF"));
    EXPECT_THAT(report.broken[3].reason, HasSubstr("No such file"));
    EXPECT_THAT(report.broken[5].reason, HasSubstr("folder"));
  }
}

TEST_F(LoaderTest, RowsAfterABrokenOneKeepTheirPixels) {
  make(6);
  Loader whole(dataset_, recipe_, {.batch = 6, .shuffle = false});
  const Seen wanted = collect(whole).front();
  write_file(path(0), std::string("broken"));
  write_file(path(2), std::string("broken"));
  Loader loader(dataset_, recipe_, {.batch = 6, .threads = 2, .shuffle = false});
  const Seen got = collect(loader).front();
  const size_t floats = size_t{3} * 32 * 32;
  const std::vector<size_t> kept = {1, 3, 4, 5};
  ASSERT_EQ(got.pixels.size(), kept.size() * floats);
  for (size_t row = 0; row < kept.size(); ++row)
    EXPECT_TRUE(std::equal(got.pixels.begin() + static_cast<std::ptrdiff_t>(row * floats),
                           got.pixels.begin() + static_cast<std::ptrdiff_t>((row + 1) * floats),
                           wanted.pixels.begin() + static_cast<std::ptrdiff_t>(kept[row] * floats)));
}

TEST_F(LoaderTest, ABrokenFileStopsTheRunWhereThatIsAskedFor) {
  make(20);
  write_file(path(13), std::string("broken"));
  Loader loader(dataset_, recipe_, {.batch = 4, .threads = 2, .shuffle = false, .on_error = OnError::kStop});
  for (int again = 0; again < 2; ++again) {
    int64_t consumed = 0;
    try {
      loader.run(0, 0, [&](const Batch&) { return ++consumed > 0; });
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kData);
      EXPECT_THAT(error.what(), HasSubstr(path(13) + ": "));
    }
    EXPECT_EQ(consumed, 3) << "the whole batches before it";
  }
}

TEST_F(LoaderTest, ADataSetOfBrokenFilesEndsWithEmptyBatchesThatNameThem) {
  make(12);
  for (size_t i = 0; i < 12; ++i) write_file(path(i), std::string("broken"));
  Loader loader(dataset_, recipe_, {.batch = 5, .threads = 2});
  std::vector<int64_t> broken;
  const EpochReport report = loader.run(0, 0, [&](const Batch& batch) {
    EXPECT_EQ(batch.size, 0);
    EXPECT_TRUE(batch.labels.empty());
    for (const auto& one : batch.broken) broken.push_back(one.sample);
    return true;
  });
  EXPECT_EQ(report.batches, 3);
  EXPECT_EQ(report.images, 0);
  EXPECT_EQ(report.broken.size(), 12U);
  EXPECT_EQ(std::set<int64_t>(broken.begin(), broken.end()).size(), 12U);
}

TEST_F(LoaderTest, WhatTheConsumerThrowsLeavesTheRun) {
  make(40);
  Loader loader(dataset_, recipe_, {.batch = 4, .threads = 2, .seed = 1});
  const auto wanted = collect(loader);
  for (const int64_t at : {0, 3, 9}) {
    const auto consume = [&](const Batch& batch) {
      if (batch.number == at) throw std::out_of_range("consumer");
      return true;
    };
    EXPECT_THROW(loader.run(0, 0, consume), std::out_of_range);
    EXPECT_TRUE(collect(loader) == wanted) << "another run may follow";
  }
}

TEST_F(LoaderTest, TheConsumerMayStopEarly) {
  make(40);
  Loader loader(dataset_, recipe_, {.batch = 4, .threads = 2});
  for (const int64_t at : {0, 4, 9}) {
    const EpochReport report = loader.run(0, 0, [&](const Batch& batch) { return batch.number != at; });
    EXPECT_TRUE(report.stopped);
    EXPECT_EQ(report.batches, at + 1);
  }
}

TEST_F(LoaderTest, BatchesAtTheEnd) {
  make(5);
  Loader larger(dataset_, recipe_, {.batch = 8});
  ASSERT_EQ(larger.batches_per_epoch(), 1);
  EXPECT_EQ(collect(larger).front().labels.size(), 5U);
  Loader dropped(dataset_, recipe_, {.batch = 8, .drop_last = true});
  EXPECT_EQ(dropped.batches_per_epoch(), 0);
  EXPECT_TRUE(collect(dropped).empty());
  Loader two(dataset_, recipe_, {.batch = 2, .drop_last = true});
  EXPECT_EQ(collect(two).size(), 2U);
  const Dataset none;
  Loader empty(none, recipe_, {.batch = 8});
  EXPECT_EQ(empty.batches_per_epoch(), 0);
  EXPECT_TRUE(collect(empty).empty());
}

TEST_F(LoaderTest, RefusesOptionsThatCannotBe) {
  make(1);
  EXPECT_THROW(Loader(dataset_, recipe_, {.batch = 0}), Error);
  EXPECT_THROW(Loader(dataset_, recipe_, {.threads = 0}), Error);
  EXPECT_THROW(Loader(dataset_, recipe_, {.slots = 0}), Error);
  EXPECT_THROW(Loader(dataset_, Recipe::train(0), {}), Error);
  LoaderOptions weighted{.sampler = Sampler::kWeighted};
  EXPECT_THROW(Loader(dataset_, recipe_, weighted), Error);
  weighted.weights = {1};
  EXPECT_NO_THROW(Loader(dataset_, recipe_, weighted));
  EXPECT_THROW(Loader(dataset_, recipe_, {.weights = {1}}), Error);
}

TEST_F(LoaderTest, TheConsumerRunsOnTheCallingThread) {
  make(20);
  Loader loader(dataset_, recipe_, {.batch = 2, .threads = 2});
  const auto caller = std::this_thread::get_id();
  loader.run(0, 0, [&](const Batch&) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    return true;
  });
}

TEST_F(LoaderTest, NoMoreBatchesThanSlotsAreAlive) {
  const ManyThreads many;
  make(40);
  std::set<const float*> buffers;
  Loader loader(dataset_, recipe_, {.batch = 4, .threads = 4, .slots = 3, .shuffle = false, .reading = {.outage = 0}});
  // What has not been read when the first batch is held for long must be unreadable afterwards. Two seconds are long
  // enough for the other two slots on a busy machine, too.
  const EpochReport report = loader.run(0, 0, [&](const Batch& batch) {
    buffers.insert(batch.pixels);
    if (batch.number == 0) {
      std::this_thread::sleep_for(std::chrono::seconds(2));
      for (const Sample& sample : dataset_.samples) std::filesystem::remove(sample.path);
    }
    return true;
  });
  EXPECT_EQ(report.images, 3 * 4) << "the batch that was held and the two other slots";
  EXPECT_EQ(report.broken.size(), 28U);
  EXPECT_LE(buffers.size(), 3U);
}

// An exception that left a node would cancel what runs beneath the graph: work in other arenas returned
// normally, with a part of it done.
TEST_F(LoaderTest, FailuresInTheLoaderNeverCancelWorkInAnotherArena) {
  const ManyThreads many;
  make(60);
  for (size_t i = 0; i < 60; i += 2) write_file(path(i), std::string("broken"));
  tbb::task_arena compute(2, 1, tbb::task_arena::priority::high);
  Loader loader(dataset_, recipe_, {.batch = 3, .threads = 4});
  int64_t consumed = 0;
  loader.run(0, 0, [&](const Batch&) {
    std::atomic<int> done = 0;
    compute.execute([&] {
      tbb::parallel_for(0, 200, [&](int) {
        std::this_thread::sleep_for(std::chrono::microseconds(10));
        ++done;
      });
    });
    EXPECT_EQ(done, 200);
    ++consumed;
    return true;
  });
  EXPECT_GT(consumed, 15);
}

// Whoever cancels the group that run() was called from cancels neither the loader nor the consumer's work.
TEST_F(LoaderTest, CancellationAroundTheRunDoesNotReachIt) {
  make(30);
  Loader loader(dataset_, recipe_, {.batch = 3, .threads = 2});
  tbb::task_arena compute(2, 1, tbb::task_arena::priority::high);
  tbb::task_group group;
  int64_t consumed = 0;
  group.run_and_wait([&] {
    loader.run(0, 0, [&](const Batch&) {
      group.cancel();
      std::atomic<int> done = 0;
      compute.execute([&] { tbb::parallel_for(0, 100, [&](int) { ++done; }); });
      EXPECT_EQ(done, 100);
      return ++consumed > 0;
    });
  });
  EXPECT_EQ(consumed, 10);
}

TEST_F(LoaderTest, ManyRunsOfAllKindsEnd) {
  const ManyThreads many;
  make(23);
  write_file(path(7), std::string("broken"));
  Draw draw(1, 1, 1, DrawFor::kOrder);
  for (int i = 0; i < 150; ++i) {
    const LoaderOptions options{.batch = static_cast<int>(draw.integer(1, 8)),
                                .threads = static_cast<int>(draw.integer(1, 8)),
                                .slots = static_cast<int>(draw.integer(1, 4)),
                                .on_error = draw.integer(0, 3) == 0 ? OnError::kStop : OnError::kSkip};
    Loader loader(dataset_, recipe_, options);
    const int64_t stop_at = draw.integer(0, 25), throw_at = draw.integer(0, 25);
    try {
      loader.run(static_cast<uint64_t>(i), 0, [&](const Batch& batch) {
        if (batch.number == throw_at) throw std::runtime_error("consumer");
        return batch.number != stop_at;
      });
    } catch (const std::runtime_error&) {
    }
  }
}

}  // namespace
}  // namespace resflow
