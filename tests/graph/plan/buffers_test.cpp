#include "graph/plan/buffers.h"

#include <gtest/gtest.h>

namespace resflow {
namespace {

TEST(Buffers, LieApartWhileBothAreLive) {
  BufferTable table;
  const BufferId a = table.add(100), b = table.add(100), c = table.add(100);
  table.use(a, 0);
  table.use(a, 2);
  table.use(b, 1);
  table.use(b, 3);
  table.use(c, 3);  // a is done with
  table.use(c, 4);
  EXPECT_EQ(table.first_use(a), 0);
  EXPECT_EQ(table.last_use(a), 2);
  table.place();
  EXPECT_NE(table.offset_of(a), table.offset_of(b));
  EXPECT_NE(table.offset_of(b), table.offset_of(c));
  EXPECT_EQ(table.offset_of(a), table.offset_of(c));
  EXPECT_EQ(table.bytes(), 2 * 128U);  // whole cache lines
}

TEST(Buffers, MergedOnesAreOnePlace) {
  BufferTable table;
  const BufferId a = table.add(64), b = table.add(64), c = table.add(64);
  table.merge(a, b);
  table.use(a, 0);
  table.use(b, 5);
  table.use(c, 3);
  EXPECT_EQ(table.place_of(a), table.place_of(b));
  EXPECT_NE(table.place_of(a), table.place_of(c));
  EXPECT_EQ(table.live_after(0), (std::vector<BufferId>{table.place_of(a)}));
  table.place();
  EXPECT_EQ(table.offset_of(a), table.offset_of(b));
  EXPECT_NE(table.offset_of(a), table.offset_of(c));  // live from a's first use to b's last
}

TEST(Buffers, ScratchIsFreeBetweenItsUses) {
  BufferTable table;
  const BufferId scratch = table.add_scratch(64), between = table.add(64);
  table.use(scratch, 0);
  table.use(scratch, 9);
  table.use(between, 3);
  table.place();
  EXPECT_EQ(table.offset_of(scratch), table.offset_of(between));
  EXPECT_EQ(table.bytes(), 64U);
}

}  // namespace
}  // namespace resflow
