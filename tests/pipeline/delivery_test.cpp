// Batches in any order: whoever is held up by a picture holds up no other batch.
#include "pipeline/delivery.h"

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "tests/pipeline/made_picture.h"

namespace resflow {
namespace {

constexpr int kBatch = 4;
constexpr int64_t kFull = 10, kPictures = kFull * kBatch + 2;
constexpr int64_t kEnough = 6;  // batches that are consumed while a picture is held up

enum class Held { kFirstPicture, kCaller, kWorker };

// Pictures of which one is not read before enough batches were consumed: the first one, or the first one that the
// thread which called run() comes to, or that another one comes to.
class HeldRows : public RowSource {
 public:
  explicit HeldRows(Held held) : held_(held) {}

  void start(Slot& slot, int64_t number) override {
    slot.begun = kBatch;
    slot.rows = 0;
    slot.names.resize(kBatch);
    slot.batch.names.resize(kBatch);
    slot.places.resize(kBatch);
    slot.batch.places.resize(kBatch);
    for (int64_t row = 0; row < kBatch; ++row) {
      slot.batch.samples.push_back(number * kBatch + row);
      slot.batch.labels.push_back(-1);
    }
  }
  bool lists() const override { return true; }
  bool ended() const override { return ended_; }
  bool list(const Row& row, Worker& /*worker*/) override {
    if (listed_ == kPictures) ended_ = true;
    if (ended_) return false;
    row.slot->names[static_cast<size_t>(row.index)] = std::to_string(listed_++);
    ++row.slot->rows;
    return true;
  }
  int64_t sample(const Slot& slot, size_t row) const override {
    return slot.batch.number * kBatch + static_cast<int64_t>(row);
  }
  const std::string& name(const Slot& slot, size_t row) const override { return slot.names[row]; }

  std::span<const uint8_t> read(const Row& row, Worker& worker, const PictureReading& /*reading*/) const override {
    const int64_t number = sample(*row.slot, static_cast<size_t>(row.index));
    wait(number);
    worker.buffer = testing::picture(static_cast<int>(number));
    return worker.buffer;
  }

  void consumed() {
    const std::lock_guard lock(mutex_);
    ++consumed_;
    changed_.notify_all();
  }
  int64_t held_in() const { return held_in_; }

 private:
  void wait(int64_t number) const {
    const bool caller = std::this_thread::get_id() == caller_;
    std::unique_lock lock(mutex_);
    const bool holds = held_ == Held::kFirstPicture ? number == 0 : caller == (held_ == Held::kCaller);
    if (!holds || held_in_ >= 0 || consumed_ >= kEnough) return;
    held_in_ = number / kBatch;
    if (!changed_.wait_for(lock, std::chrono::seconds(60), [&] { return consumed_ >= kEnough; }))
      ADD_FAILURE() << "picture " << number << " holds up the others: " << consumed_ << " batches were consumed";
  }

  const Held held_;
  const std::thread::id caller_ = std::this_thread::get_id();
  std::atomic<bool> ended_ = false;
  int64_t listed_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable int64_t held_in_ = -1;  // the batch of the picture
  int64_t consumed_ = 0;
};

TEST(Delivery, APictureThatIsHeldUpHoldsUpItsBatchAlone) {
  const tbb::global_control many(tbb::global_control::max_allowed_parallelism, 5);
  int held_up = 0;
  for (const Held held : {Held::kFirstPicture, Held::kCaller, Held::kWorker}) {
    for (const int threads : {2, 4}) {
      for (int time = 0; time < 10; ++time) {
        SCOPED_TRACE(std::to_string(static_cast<int>(held)) + " of " + std::to_string(threads) + " threads");
        HeldRows rows(held);
        LoaderFlow flow(Recipe::eval({.resize = 36, .crop = 32}),
                        {.batch = kBatch, .threads = threads, .slots = 3, .unordered = true});
        flow.make_slots(std::numeric_limits<int64_t>::max());
        std::vector<int64_t> numbers;
        std::mutex one_at_a_time;
        const EpochReport report = flow.run(rows, {}, [&](const Batch& batch) {
          const std::unique_lock lock(one_at_a_time, std::try_to_lock);
          EXPECT_TRUE(lock.owns_lock()) << "two threads at once";
          EXPECT_EQ(batch.size, batch.number == kFull ? 2 : kBatch);
          numbers.push_back(batch.number);
          rows.consumed();
          return true;
        });
        EXPECT_EQ(report.batches, kFull + 1);
        EXPECT_EQ(report.images, kPictures);
        ASSERT_EQ(numbers.size(), static_cast<size_t>(kFull + 1));
        EXPECT_EQ(numbers.back(), kFull) << "the one that is not full comes last";
        if (rows.held_in() >= 0) {
          ++held_up;
          const auto place = std::find(numbers.begin(), numbers.end(), rows.held_in()) - numbers.begin();
          EXPECT_GE(place, kEnough);
        }
        std::sort(numbers.begin(), numbers.end());
        for (int64_t i = 0; i <= kFull; ++i) EXPECT_EQ(numbers[static_cast<size_t>(i)], i);
      }
    }
  }
  EXPECT_GE(held_up, 20);  // the first picture always is
}

}  // namespace
}  // namespace resflow
