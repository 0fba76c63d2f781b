#include "ops/onednn_isa.h"

#include <gtest/gtest.h>

namespace resflow {
namespace {

using OnednnSet = dnnl::cpu_isa;

TEST(OnednnIsa, ASetHoldsThoseThatItIsMadeFrom) {
  EXPECT_TRUE(contains(OnednnSet::avx512_core_amx, OnednnSet::avx512_core_bf16));
  EXPECT_TRUE(contains(OnednnSet::avx512_core_bf16, OnednnSet::avx512_core_vnni));
  EXPECT_TRUE(contains(OnednnSet::avx512_core_vnni, OnednnSet::avx2));
  EXPECT_FALSE(contains(OnednnSet::avx512_core_vnni, OnednnSet::avx512_core_bf16));
  EXPECT_FALSE(contains(OnednnSet::avx512_core_bf16, OnednnSet::avx2_vnni));  // two lines, see onednn_isa.h
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

}  // namespace
}  // namespace resflow
