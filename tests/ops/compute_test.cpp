#include "ops/compute.h"

#include <gtest/gtest.h>

#include "io/core/error.h"

namespace resflow {
namespace {

using OnednnSet = dnnl::cpu_isa;

TEST(OnednnIsa, ASetHoldsThoseThatItIsMadeFrom) {
  EXPECT_TRUE(contains(OnednnSet::avx512_core_amx, OnednnSet::avx512_core_bf16));
  EXPECT_TRUE(contains(OnednnSet::avx512_core_bf16, OnednnSet::avx512_core_vnni));
  EXPECT_TRUE(contains(OnednnSet::avx512_core_vnni, OnednnSet::avx2));
  EXPECT_FALSE(contains(OnednnSet::avx512_core_vnni, OnednnSet::avx512_core_bf16));
  EXPECT_FALSE(contains(OnednnSet::avx512_core_bf16, OnednnSet::avx2_vnni));  // two lines, see compute.h
  EXPECT_FALSE(contains(OnednnSet::avx2_vnni_2, OnednnSet::avx512_core));
}

TEST(OnednnIsa, HasItsNamesInOnednn) {
  EXPECT_EQ(onednn_isa_name(OnednnSet::sse41), "sse41");
  EXPECT_EQ(onednn_isa_name(OnednnSet::avx2), "avx2");
  EXPECT_EQ(onednn_isa_name(OnednnSet::avx2_vnni_2), "avx2_vnni_2");
  EXPECT_EQ(onednn_isa_name(OnednnSet::avx512_core_bf16), "avx512_core_bf16");
  EXPECT_EQ(onednn_isa_name(OnednnSet::avx512_core_amx_fp16), "avx512_core_amx_fp16");
  EXPECT_EQ(onednn_isa_name(OnednnSet::isa_default), "generic");
  EXPECT_EQ(onednn_isa_name(), onednn_isa_name(onednn_isa()));
}

TEST(Compute, HasThreadsAndALevelOfInstructions) {
  const Compute compute(3), older(1, Isa::kPlain);
  EXPECT_EQ(compute.threads(), 3);
  EXPECT_EQ(compute.isa(), cpu_isa());
  EXPECT_EQ(older.isa(), Isa::kPlain);
  EXPECT_EQ(compute.run([] { return 7; }), 7);
  EXPECT_THROW(Compute(0), Error);
}

}  // namespace
}  // namespace resflow
