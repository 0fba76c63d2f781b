#include "io/images/memory_share.h"
#include "tests/support/sanitized.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <thread>
#include <vector>

namespace resflow {
namespace {

const StopAsked kNever;

// Runs `work` in threads of its own, and ends with them.
template <class Work>
void in_threads(int count, const Work& work) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work);
}

TEST(MemoryShare, OfLittleIsNothing) {
  const MemoryShare share(kLargeBytes, kNever);
  EXPECT_FALSE(MemoryShare::held());
}

TEST(MemoryShare, WhoAsksForAllIsAlone) {
  std::atomic<int> inside = 0, most = 0;
  in_threads(4, [&] {
    for (int i = 0; i < 20; ++i) {
      const MemoryShare share(MemoryShare::kAll, kNever);
      EXPECT_TRUE(MemoryShare::held());
      most = std::max<int>(most, ++inside);
      std::this_thread::yield();
      --inside;
    }
  });
  EXPECT_EQ(most, 1);
  EXPECT_FALSE(MemoryShare::held());
}

// Each holds a share when it asks for all: none may wait for what another keeps.
TEST(MemoryShare, ManyWhoAskForMoreWithinAShareAllGetIt) {
  std::atomic<int> done = 0, inside = 0;
  in_threads(4, [&] {
    for (int i = 0; i < 20; ++i) {
      const MemoryShare share(kLargeBytes + 1, kNever);
      const MemoryShare all(MemoryShare::kAll, kNever);
      EXPECT_EQ(++inside, 1);
      --inside;
      ++done;
    }
  });
  EXPECT_EQ(done, 80);
}

TEST(MemoryShare, WithinAnotherOneItDoesNotWait) {
  const MemoryShare all(MemoryShare::kAll, kNever);
  const MemoryShare more(kLargeBytes + 1, kNever), again(MemoryShare::kAll, kNever);
  EXPECT_TRUE(MemoryShare::held());
}

TEST(MemoryShare, WaitingEndsWhenItIsAskedToStop) {
  const MemoryShare all(MemoryShare::kAll, kNever);
  std::atomic<bool> stopped = false;
  in_threads(1, [&] {
    try {
      const MemoryShare share(MemoryShare::kAll, [] { return true; });
    } catch (const DecodingStopped&) {
      stopped = true;
    }
    EXPECT_FALSE(MemoryShare::held());
  });
  EXPECT_TRUE(stopped);
}

TEST(WithMemory, TriesOnceMoreAloneWhereMemoryIsShort) {
  int tries = 0, given_back = 0;
  with_memory(
      kNever, [&] { ++given_back; },
      [&] {
        if (++tries == 1) throw std::bad_alloc();
        EXPECT_TRUE(MemoryShare::held());
      });
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(given_back, 1);
  EXPECT_THROW(with_memory(
                   kNever, [] {}, [] { throw std::bad_alloc(); }),
               std::bad_alloc);
}

TEST(ShortageWatch, SeesAnAllocationThatFails) {
  if (testing::kSanitized) GTEST_SKIP() << "AddressSanitizer ends the program instead";
  const ShortageWatch watch;
  EXPECT_FALSE(watch.seen());
  volatile size_t too_much = SIZE_MAX / 4;
  void* const memory = std::malloc(too_much);
  EXPECT_EQ(memory, nullptr);
  EXPECT_TRUE(watch.seen());
  std::free(memory);
}

TEST(StopPoll, AsksNowAndThen) {
  int asked = 0;
  const StopAsked stop = [&] { return ++asked == 2; };
  StopPoll poll(&stop);
  poll.check(1);
  EXPECT_EQ(asked, 0);
  poll.check(10'000'000);
  EXPECT_EQ(asked, 1);
  EXPECT_THROW(poll.check(10'000'000), DecodingStopped);
  StopPoll().check(10'000'000);
}

TEST(GiveBackLarge, FreesWhatIsLargeAlone) {
  std::vector<uint8_t> small(1000), large(static_cast<size_t>(kLargeBytes) + 1);
  give_back_large(small);
  give_back_large(large);
  EXPECT_EQ(small.size(), 1000U);
  EXPECT_EQ(large.capacity(), 0U);
}

}  // namespace
}  // namespace resflow
