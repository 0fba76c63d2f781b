// A step allocates nothing of ours: every allocation of the process is counted while it runs, by the module whose
// code asked for it. oneDNN's and TBB's own small objects are theirs; ours must be none, and nobody's a buffer.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "graph/plan/calibration.h"
#include "graph/train/ema.h"
#include "graph/train/evaluator.h"
#include "graph/train/trainer.h"
#include "ops/precision.h"
#include "tests/graph/cases.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RESFLOW_SANITIZED 1
#endif

namespace resflow {
namespace {

struct Counts {
  std::atomic<bool> on{false};
  std::atomic<int> ours{0}, theirs{0}, large{0};
} counts;

constexpr size_t kLarge = 4096;  // bytes: a buffer, not a task or a list of arguments

// The module of this function is the test program, and with it every static library of resflow.
const void* module_of(const void* address) {
  Dl_info info;
  return dladdr(address, &info) != 0 ? info.dli_fbase : nullptr;
}

[[maybe_unused]] void count(size_t bytes, const void* caller) {
  if (!counts.on.load(std::memory_order_relaxed)) return;
  static const void* const ours = module_of(reinterpret_cast<const void*>(&module_of));
  (module_of(caller) == ours ? counts.ours : counts.theirs).fetch_add(1);
  if (bytes >= kLarge) counts.large.fetch_add(1);
}

}  // namespace
}  // namespace resflow

#ifndef RESFLOW_SANITIZED

// glibc's own, behind the functions replaced here.
extern "C" {
void* __libc_malloc(size_t bytes);                      // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(size_t count, size_t bytes);        // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* old, size_t bytes);          // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(size_t alignment, size_t bytes);  // NOLINT(bugprone-reserved-identifier)

void* malloc(size_t bytes) noexcept {
  resflow::count(bytes, __builtin_return_address(0));
  return __libc_malloc(bytes);
}
void* calloc(size_t number, size_t bytes) noexcept {
  resflow::count(number * bytes, __builtin_return_address(0));
  return __libc_calloc(number, bytes);
}
void* realloc(void* old, size_t bytes) noexcept {
  resflow::count(bytes, __builtin_return_address(0));
  return __libc_realloc(old, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) noexcept {
  resflow::count(bytes, __builtin_return_address(0));
  return __libc_memalign(alignment, bytes);
}
void* memalign(size_t alignment, size_t bytes) noexcept {
  resflow::count(bytes, __builtin_return_address(0));
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** place, size_t alignment, size_t bytes) noexcept {
  resflow::count(bytes, __builtin_return_address(0));
  *place = __libc_memalign(alignment, bytes);
  return *place == nullptr ? ENOMEM : 0;
}
}

// libstdc++'s would be the caller of malloc for everybody. Never inlined: where these return to is who asked.
[[gnu::noinline]] void* operator new(size_t bytes) {
  resflow::count(bytes, __builtin_return_address(0));
  void* const place = __libc_malloc(bytes);
  if (place == nullptr) throw std::bad_alloc();
  return place;
}
[[gnu::noinline]] void* operator new(size_t bytes, std::align_val_t alignment) {
  resflow::count(bytes, __builtin_return_address(0));
  void* const place = __libc_memalign(static_cast<size_t>(alignment), bytes);
  if (place == nullptr) throw std::bad_alloc();
  return place;
}
[[gnu::noinline]] void* operator new[](size_t bytes) {
  resflow::count(bytes, __builtin_return_address(0));
  void* const place = __libc_malloc(bytes);
  if (place == nullptr) throw std::bad_alloc();
  return place;
}
[[gnu::noinline]] void operator delete[](void* place) noexcept { std::free(place); }
[[gnu::noinline]] void operator delete[](void* place, size_t /*bytes*/) noexcept { std::free(place); }
[[gnu::noinline]] void operator delete(void* place) noexcept { std::free(place); }
[[gnu::noinline]] void operator delete(void* place, size_t /*bytes*/) noexcept { std::free(place); }
[[gnu::noinline]] void operator delete(void* place, std::align_val_t /*alignment*/) noexcept { std::free(place); }
[[gnu::noinline]] void operator delete(void* place, size_t /*bytes*/, std::align_val_t /*alignment*/) noexcept {
  std::free(place);
}

namespace resflow {
namespace {

template <class Step>
void expect_no_allocation(const Step& step) {
  // TBB's workers and oneDNN's caches come to life in the first steps.
  for (int i = 0; i < 5; ++i) step();
  // A worker that joins late, on a busy machine, is still allocated for: once, and not again in the next round.
  constexpr int kRounds = 5;
  size_t grown = 1;
  for (int round = 0; round < kRounds && grown > 0; ++round) {
    counts.ours = counts.theirs = counts.large = 0;
    const auto before = mallinfo2();
    counts.on = true;
    for (int i = 0; i < 20; ++i) step();
    counts.on = false;
    const auto after = mallinfo2();
    EXPECT_EQ(counts.ours, 0);
    EXPECT_EQ(counts.large, 0);
    grown = after.uordblks > before.uordblks ? after.uordblks - before.uordblks : 0;
  }
  // The heap in use does not grow: what others allocate they give back. (Of the main arena; threads' own ones serve
  // the same callers.)
  EXPECT_EQ(grown, 0U) << "bytes in each of " << kRounds << " rounds";
}

TEST(Allocations, AreCounted) {
  counts.ours = counts.large = 0;
  counts.on = true;
  // volatile: the compiler may not leave out a pair of new and delete
  auto* volatile small = new int(1);
  void* volatile large = std::malloc(kLarge);
  counts.on = false;
  delete small;
  std::free(large);
  EXPECT_EQ(counts.ours, 2);
  EXPECT_EQ(counts.large, 1);
}

void expect_no_allocation_in_training(const char* architecture, Precision precision) {
  const int64_t size = testing::small_training_size();
  const Compute compute(2);
  Model model({.architecture = architecture, .num_classes = 10}, compute);
  model.initialise(1);
  const auto pixels = testing::noise_pixels(2, size, size);
  const auto labels = testing::noise_labels(2, 10);
  Trainer trainer(model, 2, size, {.name = "adam", .lr = 1e-5}, {}, Layout::kAny, precision);
  expect_no_allocation([&] {  // two sizes by turns, as at the end of each epoch
    trainer.step(pixels.data(), labels);
    trainer.step(pixels.data(), std::span(labels).first(1));
  });
}

TEST(Allocations, AStepOfTrainingMakesNone) {
  for (const char* architecture : {"resnet18", "resnet50"})
    expect_no_allocation_in_training(architecture, Precision::kF32);
}

TEST(Allocations, AStepOfTrainingInBf16MakesNone) {
  // Without the instructions it runs on references of oneDNN, which nobody trains with.
  if (const std::string obstacle = precision_obstacle(Precision::kBf16); !obstacle.empty()) GTEST_SKIP() << obstacle;
  expect_no_allocation_in_training("resnet50", Precision::kBf16);
}

TEST(Allocations, ClippingAccumulatingAndAveragingMakeNone) {
  const int64_t size = testing::small_training_size();
  const Compute compute(2);
  Model model({.architecture = "resnet18", .num_classes = 10}, compute);
  model.initialise(1);
  const auto pixels = testing::noise_pixels(2, size, size);
  const auto labels = testing::noise_labels(2, 10);
  const std::vector<float> targets(20, 0.1F);
  Trainer trainer(model, 2, size, {.name = "sgd", .lr = 1e-5, .clip_norm = 0.1});
  trainer.allow_accumulation();
  Ema ema(model, 0.9);
  expect_no_allocation([&] {
    trainer.step(pixels.data(), labels, targets);
    trainer.accumulate(pixels.data(), labels, {}, 0.5);
    trainer.accumulate(pixels.data(), labels, targets, 0.5);
    trainer.update();
    ema.update();
    ema.swap();
    ema.swap();
  });
}

TEST(Allocations, AForwardOfScoringMakesNone) {
  const Compute compute(2);
  Model model({.architecture = "resnext50_32x4d", .num_classes = 10}, compute);
  model.initialise(1);
  const auto pixels = testing::noise_pixels(2, 64, 64);
  Plan plan(model, {.batch = 2, .height = 64, .width = 64});
  expect_no_allocation([&] { plan.forward(pixels.data(), 2); });
  expect_no_allocation([&] { plan.forward(pixels.data(), 1); });
}

TEST(Allocations, AForwardInFewerDigitsMakesNone) {
  const Compute compute(2);
  Model model({.architecture = "resnet50", .num_classes = 10}, compute);
  model.initialise(1);
  const auto pixels = testing::noise_pixels(2, 64, 64);
  Calibrator calibrator(model, 2, 64, 64);
  calibrator.observe(pixels.data(), 2);
  model.set_quantization(calibrator.result());
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    Plan plan(model, {.batch = 2, .height = 64, .width = 64, .precision = precision});
    expect_no_allocation([&] { plan.forward(pixels.data(), 2); });
    expect_no_allocation([&] { plan.forward(pixels.data(), 1); });
  }
}

}  // namespace
}  // namespace resflow

#endif  // RESFLOW_SANITIZED
#undef RESFLOW_SANITIZED
