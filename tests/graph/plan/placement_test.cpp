#include "graph/plan/placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace resflow {
namespace {

bool meet(const BufferNeed& a, const BufferNeed& b) {
  for (const Steps& x : a.live)
    for (const Steps& y : b.live)
      if (std::max(x.first, y.first) <= std::min(x.last, y.last)) return true;
  return false;
}

// The most bytes that are live at one step: no placement can do with less.
size_t most_live(const std::vector<BufferNeed>& needs, int steps) {
  size_t most = 0;
  for (int step = 0; step < steps; ++step) {
    size_t live = 0;
    for (const BufferNeed& need : needs)
      if (meet(need, {.bytes = 0, .live = {{step, step}}})) live += need.bytes;
    most = std::max(most, live);
  }
  return most;
}

void expect_good(const std::vector<BufferNeed>& needs, const Placement& placement) {
  ASSERT_EQ(placement.offsets.size(), needs.size());
  for (size_t a = 0; a < needs.size(); ++a) {
    EXPECT_EQ(placement.offsets[a] % kBufferAlignment, 0U);
    if (needs[a].live.empty()) continue;
    EXPECT_LE(placement.offsets[a] + needs[a].bytes, placement.bytes);
    for (size_t b = 0; b < a; ++b) {
      if (!meet(needs[a], needs[b])) continue;
      const bool apart = placement.offsets[a] + needs[a].bytes <= placement.offsets[b] ||
                         placement.offsets[b] + needs[b].bytes <= placement.offsets[a];
      EXPECT_TRUE(apart) << "buffers " << a << " and " << b << " are live together and overlap";
    }
  }
}

TEST(Placement, LiveBuffersNeverOverlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const int steps = 5 + static_cast<int>(random() % 60);
    std::vector<BufferNeed> needs(1 + random() % 80);
    for (BufferNeed& need : needs) {
      need.bytes = random() % 5000;
      const int intervals = 1 + static_cast<int>(random() % 3);
      for (int i = 0; i < intervals; ++i) {
        const int first = static_cast<int>(random() % static_cast<unsigned>(steps));
        need.live.push_back({first, std::min(steps - 1, first + static_cast<int>(random() % 12))});
      }
    }
    const Placement placement = place(needs);
    expect_good(needs, placement);
    EXPECT_GE(placement.bytes, most_live(needs, steps));
  }
}

TEST(Placement, BuffersThatNeverMeetShareOnePlace) {
  std::vector<BufferNeed> chain;
  for (int i = 0; i < 20; ++i) chain.push_back({.bytes = 6400, .live = {{2 * i, 2 * i + 1}}});
  EXPECT_EQ(place(chain).bytes, 6400U);
}

TEST(Placement, AChainOfEqualBuffersTakesTwo) {
  std::vector<BufferNeed> chain;
  for (int i = 0; i < 20; ++i) chain.push_back({.bytes = 6400, .live = {{i, i + 1}}});
  EXPECT_EQ(place(chain).bytes, 12800U);
}

TEST(Placement, ABufferIsFreeBetweenItsIntervals) {
  const std::vector<BufferNeed> needs = {{.bytes = 640, .live = {{0, 0}, {9, 9}}}, {.bytes = 640, .live = {{3, 5}}}};
  EXPECT_EQ(place(needs).bytes, 640U);
}

TEST(Placement, NothingTakesNoRoom) { EXPECT_EQ(place({}).bytes, 0U); }

}  // namespace
}  // namespace resflow
