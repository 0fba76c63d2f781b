#include "io/core/cpu.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace resflow {
namespace {

// Made-up CPUs, each with what its real one says of itself.
constexpr CpuFeatures kHaswell = {.avx2 = true, .fma = true};
constexpr CpuFeatures kSkylakeX = {
    .avx2 = true, .fma = true, .avx512f = true, .avx512dq = true, .avx512vl = true, .avx512bw = true};

CpuFeatures cascade_lake() {
  CpuFeatures has = kSkylakeX;
  has.avx512vnni = true;
  return has;
}

CpuFeatures ice_lake() {
  CpuFeatures has = cascade_lake();
  has.avx512vbmi = true;
  return has;
}

TEST(Cpu, ALevelNeedsAllOfItsInstructions) {
  EXPECT_EQ(highest_isa({}), Isa::kPlain);
  EXPECT_EQ(highest_isa({.avx2 = true}), Isa::kPlain);
  EXPECT_EQ(highest_isa({.fma = true}), Isa::kPlain);
  EXPECT_EQ(highest_isa(kHaswell), Isa::kAvx2);
  EXPECT_EQ(highest_isa(kSkylakeX), Isa::kAvx512);
  EXPECT_EQ(highest_isa(cascade_lake()), Isa::kAvx512);
  EXPECT_EQ(highest_isa(ice_lake()), Isa::kAvx512Vnni);
  for (bool CpuFeatures::*feature : {&CpuFeatures::avx512f, &CpuFeatures::avx512dq, &CpuFeatures::avx512vl}) {
    CpuFeatures has = ice_lake();
    has.*feature = false;
    EXPECT_EQ(highest_isa(has), Isa::kAvx2);
  }
  for (bool CpuFeatures::*feature : {&CpuFeatures::avx512bw, &CpuFeatures::avx512vbmi, &CpuFeatures::avx512vnni}) {
    CpuFeatures has = ice_lake();
    has.*feature = false;
    EXPECT_EQ(highest_isa(has), Isa::kAvx512);
  }
}

// AVX-512 may be switched off, or AVX2 missing from what a virtual machine shows.
TEST(Cpu, ALevelHoldsTheOnesBeforeIt) {
  CpuFeatures has = ice_lake();
  has.avx2 = false;
  EXPECT_EQ(highest_isa(has), Isa::kPlain);
}

TEST(Cpu, ThisOneHasTheLevelOfItsFeaturesWithinTheCaps) {
  Isa highest = highest_isa(features_of_this_cpu());
  for (const std::string_view cap : {max_cpu_isa(), max_onednn_isa()})
    if (!cap.empty()) highest = std::min(highest, isa_within(cap).value());
  EXPECT_EQ(cpu_isa(), highest);
  EXPECT_EQ(cpu_isa(), cpu_isa());
}

TEST(Cpu, CapsHaveOnednnsNames) {
  EXPECT_EQ(isa_within("SSE41"), Isa::kPlain);
  EXPECT_EQ(isa_within("avx2"), Isa::kAvx2);
  EXPECT_EQ(isa_within("AVX2_VNNI_2"), Isa::kAvx2);
  EXPECT_EQ(isa_within("avx512_core"), Isa::kAvx512);
  EXPECT_EQ(isa_within("AVX512_CORE_AMX"), Isa::kAvx512Vnni);
  EXPECT_EQ(isa_within("DEFAULT"), Isa::kAvx512Vnni);
  EXPECT_EQ(isa_within("AVX512"), std::nullopt);
  EXPECT_EQ(isa_within(""), std::nullopt);
}

TEST(Cpu, LevelsHaveNames) {
  EXPECT_EQ(std::string(isa_name(Isa::kPlain)), "plain");
  EXPECT_EQ(std::string(isa_name(Isa::kAvx2)), "avx2");
  EXPECT_EQ(std::string(isa_name(Isa::kAvx512)), "avx512");
  EXPECT_EQ(std::string(isa_name(Isa::kAvx512Vnni)), "avx512_vnni");
}

}  // namespace
}  // namespace resflow
