#include "graph/plan/executors.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <optional>
#include <set>
#include <thread>

#include "graph/plan/calibration.h"
#include "io/core/error.h"
#include "tests/graph/cases.h"
#include "tests/io/expect_error.h"
#include "tests/io/live_bytes.h"

namespace resflow {
namespace {

using testing::copy_of;
using testing::kSide;
using testing::LiveBytes;

// ResNet-18 has Winograd kernels in f32, ResNet-50 projections too; both have a head.
class ExecutorsOf : public ::testing::TestWithParam<const char*> {
 protected:
  ExecutorsOf() {
    testing::settle(model_);
    Calibrator calibrator(model_, kBatch, kSide, kSide);
    calibrator.observe(pixels_.data(), kBatch);
    model_.set_quantization(calibrator.result());
  }

  PlanOptions options(Precision precision) const {
    return {.batch = kBatch, .height = kSide, .width = kSide, .precision = precision};
  }

  static constexpr int64_t kBatch = 4;
  Compute compute_{2};
  Model model_{{.architecture = GetParam(), .num_classes = 10}, compute_};
  std::vector<float> pixels_ = testing::noise_pixels(kBatch, kSide, kSide);
};

constexpr Precision kPrecisions[] = {Precision::kF32, Precision::kBf16, Precision::kInt8};

TEST_P(ExecutorsOf, GiveTheBitsOfOnePlanWithTheirThreads) {
  const Compute single(1);
  for (const Precision precision : kPrecisions) {
    SCOPED_TRACE(precision_name(precision));
    const auto other = testing::noise_pixels(kBatch, kSide, kSide, 2);
    Plan plan(model_, options(precision), single);
    const auto wanted = copy_of(plan.forward(pixels_.data(), kBatch)),
               wanted_other = copy_of(plan.forward(other.data(), 3));

    Executors executors(model_, options(precision), 2, 1);
    constexpr size_t kJobs = 12;
    std::vector<std::vector<float>> got(kJobs);
    std::vector<std::thread::id> threads(kJobs);
    std::atomic<int> waiting = 2;
    for (size_t i = 0; i < kJobs; ++i)
      executors.give([&, i](Plan& of_executor) {
        // The first two meet, which takes two threads.
        if (i < 2)
          for (--waiting; waiting > 0;) std::this_thread::yield();
        threads[i] = std::this_thread::get_id();
        got[i] =
            copy_of(i % 3 == 0 ? of_executor.forward(other.data(), 3) : of_executor.forward(pixels_.data(), kBatch));
      });
    EXPECT_EQ(executors.under_way(), static_cast<int>(kJobs));
    for (size_t i = 0; i < kJobs; ++i) {
      executors.take();
      if (i % 3 != 0) {
        EXPECT_EQ(got[i], wanted);
      } else {
        ASSERT_GE(got[i].size(), 30U);
        for (size_t k = 0; k < 30; ++k) EXPECT_EQ(got[i][k], wanted_other[k]);
      }
    }
    EXPECT_EQ(std::set(threads.begin(), threads.end()).size(), 2U);
    EXPECT_FALSE(std::set(threads.begin(), threads.end()).contains(std::this_thread::get_id()));
  }
}

TEST_P(ExecutorsOf, HoldOneCopyOfTheWeights) {
  const Compute single(1);
  for (const Precision precision : kPrecisions) {
    SCOPED_TRACE(precision_name(precision));
    // What oneDNN keeps of primitives for later is there before.
    { const Executors before(model_, options(precision), 4, 1); }
    LiveBytes of_one, of_four;
    std::optional<Plan> plan(std::in_place, model_, options(precision), single);
    of_one.look();
    const PlanMemory one = plan->memory();
    plan.reset();
    of_four = LiveBytes();
    const Executors executors(model_, options(precision), 4, 1);
    of_four.look();
    const PlanMemory four = executors.memory();
    EXPECT_EQ(four.copies, one.copies);
    EXPECT_EQ(four.parameters, one.parameters);
    EXPECT_EQ(four.activations, 4 * one.activations);
    // The weights and something more: descriptors, primitives, lists of steps. Arenas are not of the heap.
    EXPECT_GT(of_one.peak(), one.copies);
    EXPECT_LT(of_four.peak(), of_one.peak() + one.copies / 2);
  }
}

TEST_P(ExecutorsOf, FollowTheParametersAfterTheirLenderHasGone) {
  const Compute single(1);
  for (const Precision precision : kPrecisions) {
    SCOPED_TRACE(precision_name(precision));
    auto first = std::make_unique<Executors>(model_, options(precision), 1, 2);
    Executors executors(model_, options(precision), 2, 1, &first->first());
    const auto logits = [&] {
      std::vector<std::vector<float>> all(4);
      for (auto& one : all) executors.give([&](Plan& plan) { one = copy_of(plan.forward(pixels_.data(), kBatch)); });
      while (executors.under_way() > 0) executors.take();
      return all;
    };
    const auto before = logits();
    first.reset();
    for (const char* name : {"layer1.0.conv1.weight", "layer2.0.downsample.0.weight", "fc.bias"}) {
      Parameter& parameter = model_.parameter(name);
      for (float& value : std::span(parameter.value.data(), 10)) value += 0.125F;
      ++parameter.version;
    }
    Plan fresh(model_, options(precision), single);
    const auto wanted = copy_of(fresh.forward(pixels_.data(), kBatch));
    for (const auto& after : logits()) EXPECT_EQ(after, wanted);
    EXPECT_NE(before[0], wanted);
  }
}

// Who has another number of threads shares what lies alike, and has its own of the rest.
TEST_P(ExecutorsOf, ShareWithAnotherNumberOfThreads) {
  auto all_threads = std::make_unique<Plan>(model_, options(Precision::kF32));
  const auto wanted = copy_of(all_threads->forward(pixels_.data(), kBatch));
  Executors executors(model_, options(Precision::kF32), 2, 1, all_threads.get());
  const size_t borrowed_from = all_threads->memory().copies, own = executors.memory().copies;
  EXPECT_LT(own, borrowed_from / 2);
  for (int i = 0; i < 2; ++i)
    executors.give([&](Plan& plan) {
      const auto got = plan.forward(pixels_.data(), kBatch);
      // The order of sums may differ: f32 in 50 layers.
      EXPECT_LT(testing::relative_l2(got, wanted), 1e-5);
    });
  while (executors.under_way() > 0) executors.take();
  all_threads.reset();
  EXPECT_EQ(executors.memory().copies, own + borrowed_from);  // they are there as long as somebody uses them
}

INSTANTIATE_TEST_SUITE_P(Models, ExecutorsOf, ::testing::Values("resnet18", "resnet50"),
                         [](const auto& test) { return std::string(test.param); });

class SmallExecutors : public ::testing::Test {
 protected:
  Compute compute_{1};
  Model model_{{.architecture = "resnet18", .num_classes = 3}, compute_};
  const PlanOptions options_ = {.batch = 1, .height = 32, .width = 32};
};

TEST_F(SmallExecutors, OneWorksWithinGive) {
  Executors one(model_, options_, 1, 1);
  EXPECT_EQ(one.count(), 1);
  std::thread::id thread;
  one.give([&](Plan& /*plan*/) { thread = std::this_thread::get_id(); });
  EXPECT_EQ(thread, std::this_thread::get_id());
  EXPECT_EQ(one.under_way(), 1);
  EXPECT_TRUE(one.oldest_is_done());
  one.take();
  EXPECT_EQ(one.under_way(), 0);
  testing::expect_error(ErrorKind::kInternal, {"none was given"}, [&] { one.take(); });
}

TEST_F(SmallExecutors, WorkThatThrowsDoesSoWhereItIsTaken) {
  for (const int count : {1, 3}) {
    Executors executors(model_, options_, count, 1);
    std::atomic<int> done = 0;
    for (int i = 0; i < 5; ++i)
      executors.give([&, i](Plan& /*plan*/) {
        if (i == 1) throw data_error("the second");
        ++done;
      });
    executors.take();
    testing::expect_error(ErrorKind::kData, {"the second"}, [&] { executors.take(); });
    for (int i = 2; i < 5; ++i) executors.take();
    EXPECT_EQ(done, 4);
  }
}

TEST_F(SmallExecutors, TellWhetherTheOldestIsDone) {
  Executors executors(model_, options_, 2, 1);
  std::atomic<bool> go = false, second = false;
  executors.give([&](Plan& /*plan*/) {
    while (!go) std::this_thread::yield();
  });
  executors.give([&](Plan& /*plan*/) { second = true; });
  while (!second) std::this_thread::yield();
  EXPECT_FALSE(executors.oldest_is_done());
  go = true;
  executors.take();
  executors.take();
  EXPECT_EQ(executors.under_way(), 0);
}

TEST_F(SmallExecutors, EndWithWorkUnderWay) {
  std::atomic<int> begun = 0, ended = 0;
  {
    Executors executors(model_, options_, 2, 1);
    for (int i = 0; i < 50; ++i)
      executors.give([&](Plan& plan) {
        ++begun;
        const std::vector<float> pixels(3 * 32 * 32);
        plan.forward(pixels.data(), 1);
        ++ended;
      });
  }
  EXPECT_EQ(begun, ended);
}

TEST_F(SmallExecutors, ARoundGivesEachItsShare) {
  Executors executors(model_, options_, 3, 1);
  std::atomic<int> runs = 0;
  const double seconds = executors.round_seconds([&](Plan& /*plan*/) {
    ++runs;
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  });
  EXPECT_EQ(runs, 3);
  EXPECT_GE(seconds, 0.010);  // three slept at once
}

TEST_F(SmallExecutors, RefuseWhatCannotBe) {
  testing::expect_error(ErrorKind::kUsage, {"0 executors"}, [&] { Executors(model_, options_, 0, 1); });
  testing::expect_error(ErrorKind::kUsage, {"0 compute threads"}, [&] { Executors(model_, options_, 2, 0); });
  testing::expect_error(ErrorKind::kUsage, {"images of 8x8"},
                        [&] { Executors(model_, {.batch = 1, .height = 8, .width = 8}, 2, 1); });
  const Plan trains(model_, {.batch = 2, .height = 64, .width = 64, .mode = Mode::kTrain});
  testing::expect_error(ErrorKind::kInternal, {"beside one that trains"}, [&] { Plan::beside(trains, compute_); });
}

}  // namespace
}  // namespace resflow
