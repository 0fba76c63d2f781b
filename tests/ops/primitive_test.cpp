// Besides what every op's test shows of it: names, places in scratch, and calls that have nothing to do.
#include "ops/primitive.h"

#include <gtest/gtest.h>

#include "io/core/error.h"

namespace resflow {
namespace {

TEST(Primitive, NamesStandOnceInTheOrderGiven) {
  EXPECT_EQ(joined_names({"brg:avx512_core", "", "jit:avx2"}), "brg:avx512_core + jit:avx2");
  EXPECT_EQ(joined_names({"jit:avx2", "jit:avx2", "jit:avx2"}), "jit:avx2");
  EXPECT_EQ(joined_names({"", ""}), "");
}

TEST(Primitive, KnowsOnednnsUnoptimizedCode) {
  EXPECT_TRUE(is_reference("ref:any"));
  EXPECT_TRUE(is_reference("gemm:ref"));
  EXPECT_TRUE(is_reference("simple:any"));
  EXPECT_FALSE(is_reference("brgconv:avx512_core"));
}

TEST(Primitive, PlacesInScratchAreAligned) {
  ScratchLayout layout;
  EXPECT_EQ(layout.take(1), 0U);
  EXPECT_EQ(layout.take(65), 64U);
  EXPECT_EQ(layout.take(0), 192U);
  EXPECT_EQ(layout.bytes(), 192U);
}

TEST(Primitive, AReorderOfEqualLayoutsIsNone) {
  const Compute compute(1);
  const Desc desc = plain_desc({2, 3});
  const PlannedReorder none(desc, desc, compute);
  EXPECT_FALSE(none);
  EXPECT_EQ(none.scratchpad_bytes(), 0U);
  EXPECT_FALSE(none.bind(nullptr, nullptr, nullptr, compute));
}

TEST(Primitive, AnOpOfTwoCallsMayHaveNoBackward) {
  class Nothing : public TwoCalls {
   public:
    void bind(const Buffers& /*buffers*/) override {}
    std::string implementation() const override { return "none"; }
  };
  Nothing().backward();  // nothing before it is trained: not a mistake
}

TEST(Primitive, SaysWhichRankItWanted) {
  EXPECT_NO_THROW(require_rank(plain_desc({1, 2, 3, 4}), 4, "relu: src"));
  try {
    require_rank(plain_desc({1, 2}), 4, "relu: src");
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_TRUE(std::string(error.what()).starts_with("relu: src: wanted 4 dimensions")) << error.what();
  }
}

}  // namespace
}  // namespace resflow
