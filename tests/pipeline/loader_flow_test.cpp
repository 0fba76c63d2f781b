// What its rows' source or its pictures throw: a run ends, or the picture is broken, and nobody waits for ever.
#include "pipeline/loader_flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/core/error.h"
#include "io/images/memory_share.h"
#include "io/images/png_encode.h"
#include "pipeline/cancel_watch.h"
#include "tests/pipeline/made_picture.h"
#include "tests/pipeline/many_threads.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ManyThreads;

constexpr int kHookedBatch = 4;
constexpr int64_t kHookedPictures = 18;

// Pictures of a source, with a hook before each call: what it throws, the call throws.
class HookedRows : public RowSource {
 public:
  std::function<void(int64_t)> on_start, on_list, on_name, on_read;
  std::function<void()> on_ended;
  std::function<std::vector<uint8_t>(int64_t)> picture = [](int64_t i) {
    return testing::picture(static_cast<int>(i));
  };

  void start(Slot& slot, int64_t number) override {
    call(on_start, number);
    slot.begun = kHookedBatch;
    slot.rows = 0;
    slot.names.resize(kHookedBatch);
    slot.batch.names.resize(kHookedBatch);
    slot.places.resize(kHookedBatch);
    slot.batch.places.resize(kHookedBatch);
    for (int64_t row = 0; row < kHookedBatch; ++row) {
      slot.batch.samples.push_back(number * kHookedBatch + row);
      slot.batch.labels.push_back(-1);
    }
  }
  bool lists() const override { return true; }
  bool ended() const override {
    if (on_ended) on_ended();
    return listed_ >= kHookedPictures;
  }
  bool list(const Row& row, Worker& /*worker*/) override {
    if (listed_ >= kHookedPictures) return false;
    call(on_list, listed_);
    row.slot->names[static_cast<size_t>(row.index)] = std::to_string(listed_);
    ++listed_;
    ++row.slot->rows;
    return true;
  }
  int64_t sample(const Slot& slot, size_t row) const override {
    return slot.batch.number * kHookedBatch + static_cast<int64_t>(row);
  }
  const std::string& name(const Slot& slot, size_t row) const override {
    call(on_name, sample(slot, row));
    return slot.names[row];
  }
  std::span<const uint8_t> read(const Row& row, Worker& worker, const PictureReading& /*reading*/) const override {
    const int64_t number = sample(*row.slot, static_cast<size_t>(row.index));
    call(on_read, number);
    worker.buffer = picture(number);
    return worker.buffer;
  }

 private:
  static void call(const std::function<void(int64_t)>& hook, int64_t number) {
    if (hook) hook(number);
  }
  std::atomic<int64_t> listed_ = 0;
};

struct Outcome {
  std::vector<std::string> whole, broken;  // names; reasons
  EpochReport report;
};

Outcome run(HookedRows& rows, StreamOptions options) {
  options.batch = kHookedBatch;
  LoaderFlow flow(Recipe::eval({.resize = 36, .crop = 32}), options);
  flow.make_slots(3);
  Outcome outcome;
  outcome.report = flow.run(rows, {}, [&](const Batch& batch) {
    outcome.whole.insert(outcome.whole.end(), batch.names.begin(), batch.names.begin() + batch.size);
    for (const BrokenPicture& one : batch.broken) outcome.broken.push_back(one.name + ": " + one.reason);
    return true;
  });
  return outcome;
}

// Of one thread and of several, in order and in any.
template <class Work>
void in_all_ways(const Work& work) {
  const ManyThreads many;
  for (const int threads : {1, 4})
    for (const bool unordered : {false, true}) work(StreamOptions{.threads = threads, .unordered = unordered});
}

std::function<void(int64_t)> throws_at(int64_t number) {
  return [number](int64_t at) {
    if (at == number) throw std::bad_alloc();
  };
}

TEST(LoaderFlow, WhatTheSourceThrowsEndsTheRun) {
  in_all_ways([](const StreamOptions& options) {
    for (const int64_t number : {0, 2}) {
      HookedRows starting, listing, naming;
      starting.on_start = throws_at(number);
      EXPECT_THROW(run(starting, options), std::bad_alloc);
      listing.on_list = throws_at(number * 3);
      EXPECT_THROW(run(listing, options), std::bad_alloc);
    }
    HookedRows ending;
    ending.on_ended = [] { throw std::bad_alloc(); };
    EXPECT_THROW(run(ending, options), std::bad_alloc);
  });
}

// It is what remains where oneTBB has no memory for a task of its own.
TEST(LoaderFlow, ACancelledGraphIsNoticed) {
  tbb::task_group_context context(tbb::task_group_context::isolated);
  std::promise<void> noticed;
  const CancelWatch watch(context, [&] { noticed.set_value(); });
  context.cancel_group_execution();
  EXPECT_EQ(noticed.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
}

TEST(LoaderFlow, WhateverAPictureThrowsIsItsError) {
  in_all_ways([](const StreamOptions& options) {
    HookedRows rows;
    rows.on_read = [](int64_t at) {
      if (at == 3) throw std::length_error("vector::_M_default_append");
      if (at == 5) throw data_error("5: is no picture");
      if (at == 6) throw internal_error("a fault of ours");
    };
    Outcome outcome = run(rows, options);
    std::sort(outcome.broken.begin(), outcome.broken.end());
    EXPECT_THAT(outcome.broken, ElementsAre("3: cannot be decoded: vector::_M_default_append", "5: is no picture",
                                            "6: a fault of ours"));
    EXPECT_EQ(outcome.whole.size(), static_cast<size_t>(kHookedPictures) - 3);
  });
}

TEST(LoaderFlow, WhatTheMachineFailsInEndsTheRun) {
  in_all_ways([](const StreamOptions& options) {
    HookedRows rows;
    rows.on_read = [](int64_t at) {
      if (at == 7) throw system_error("7: cannot be read: Input/output error");
    };
    EXPECT_THROW(run(rows, options), Error);
  });
}

TEST(LoaderFlow, WhereMemoryIsShortAPictureIsTriedOnceMoreAlone) {
  in_all_ways([](const StreamOptions& options) {
    HookedRows rows;
    std::atomic<int> tries = 0;
    rows.on_read = [&](int64_t at) {
      if (at != 7) return;
      if (++tries == 1) throw std::bad_alloc();
      EXPECT_TRUE(MemoryShare::held());
    };
    EXPECT_EQ(run(rows, options).whole.size(), static_cast<size_t>(kHookedPictures));
    EXPECT_EQ(tries, 2);

    HookedRows never;
    never.on_read = throws_at(7);
    EXPECT_THROW(run(never, options), Error) << "a shortage is not a broken picture";
  });
}

// 1 x 61,000,000 pixels, of which nothing is decoded: on the short side of 36 the other would have 2^31.
TEST(LoaderFlow, AnElongatedPictureIsItsOwnError) {
  in_all_ways([](const StreamOptions& options) {
    HookedRows rows;
    const std::string ppm = "P4 1 61000000\n";
    rows.picture = [&](int64_t at) {
      return at == 2 ? std::vector<uint8_t>(ppm.begin(), ppm.end()) : testing::picture(static_cast<int>(at));
    };
    const Outcome outcome = run(rows, options);
    ASSERT_EQ(outcome.broken.size(), 1U);
    EXPECT_THAT(outcome.broken[0], HasSubstr("2: is 1x61000000 pixels: too elongated to be resized to 36"));
    EXPECT_EQ(outcome.whole.size(), static_cast<size_t>(kHookedPictures) - 1);
  });
}

TEST(LoaderFlow, AStopWithinAPictureEndsTheRunAndBreaksNoPicture) {
  Image image;
  image.resize(1024, 1024);
  image.clear();
  const std::vector<uint8_t> large = encode_png(image);
  in_all_ways([&](StreamOptions options) {
    HookedRows rows;
    rows.picture = [&](int64_t at) { return at == 9 ? large : testing::picture(static_cast<int>(at)); };
    options.reading.stop = [] { return true; };
    const Outcome outcome = run(rows, options);
    EXPECT_TRUE(outcome.report.stopped);
    EXPECT_TRUE(outcome.broken.empty());
    EXPECT_LT(outcome.whole.size(), static_cast<size_t>(kHookedPictures));
    for (const std::string& name : outcome.whole) EXPECT_NE(name, "9");
  });
}

TEST(LoaderFlow, CountsWhatIsTakenThoughItEndsEarly) {
  in_all_ways([](StreamOptions options) {
    HookedRows rows;
    rows.picture = [](int64_t at) {
      std::vector<uint8_t> bytes = testing::picture(static_cast<int>(at));
      if (at == 4 || at == 11) bytes.resize(bytes.size() - 20);
      return bytes;
    };
    EXPECT_EQ(run(rows, options).broken.size(), 2U);
    HookedRows again;
    again.picture = rows.picture;
    options.accept.truncated = true;
    const Outcome outcome = run(again, options);
    EXPECT_TRUE(outcome.broken.empty());
    EXPECT_EQ(outcome.report.truncated, 2);
  });
}

}  // namespace
}  // namespace resflow
