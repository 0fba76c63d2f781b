#include "ops/kernels/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "ops/compute.h"

namespace resflow {
namespace {

TEST(Parallel, PartsCoverTheWholeAndDifferByOneAtMost) {
  for (const int64_t size : {0, 1, 7, 64, 1000})
    for (const int64_t parts : {1, 2, 3, 7, 16}) {
      int64_t end = 0;
      for (int64_t i = 0; i < parts; ++i) {
        const Range part = part_of(size, i, parts);
        EXPECT_EQ(part.begin, end);
        end = part.end;
        EXPECT_GE(part.end - part.begin, size / parts);
        EXPECT_LE(part.end - part.begin, size / parts + 1);
      }
      EXPECT_EQ(end, size);
    }
}

TEST(Parallel, EachPartRunsOnce) {
  const Compute compute(3);
  for (const int parts : {1, 2, 8}) {
    std::vector<std::atomic<int>> runs(static_cast<size_t>(parts));
    compute.run([&] { parallel_parts(parts, [&](int part) { ++runs[static_cast<size_t>(part)]; }); });
    for (const auto& count : runs) EXPECT_EQ(count, 1);
  }
}

}  // namespace
}  // namespace resflow
