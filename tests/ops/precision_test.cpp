// Convolutions and pooling in bf16 and in 8 bits, against the f64 loops on the very values that are stored: what
// differs is the rounding of dst alone.
#include "ops/precision.h"

#include <gtest/gtest.h>

#include "io/core/error.h"
#include "tests/ops/op_run.h"

namespace resflow::testing {
namespace {

// Of values with deviation 1, and of what convolutions make of them; what is beyond is clipped.
constexpr Storage kU8{Type::u8, 5.0F / 255}, kS8{Type::s8, 4.0F / 127}, kBf16{Type::bf16, 1};

std::vector<OpCase> precision_cases() {
  std::vector<OpCase> cases;
  for (OpCase c : op_cases()) {
    if (c.training || c.layout != Layout::kAny || c.bench) continue;
    const std::string name = c.name;
    const bool first = c.src[1] == 3;
    if (c.kind == Kind::kFoldedConv) {
      c.name = "bf16_" + name;
      c.src_storage.assign(c.residual ? 2 : 1, kBf16);
      c.dst_storage = kBf16;
      cases.push_back(c);
      c.src_storage[0] = first ? kS8 : kU8;
      c.dst_storage = c.relu ? kU8 : kS8;
      if (c.residual) {
        // A projection's is signed, an identity's is not; both go into a dst that a ReLU follows.
        c.name = "int8_" + name + "_signed";
        c.src_storage[1] = kS8;
        cases.push_back(c);
        if (!c.relu) continue;
        c.src_storage[1] = kU8;
      }
      c.name = "int8_" + name;
      cases.push_back(c);
    } else if (c.kind == Kind::kMaxPool && c.tag != Tag::nchw) {
      for (const Storage& storage : {kBf16, kU8, kS8}) {
        c.name = name + (storage == kBf16 ? "_bf16" : storage == kU8 ? "_u8" : "_s8");
        c.src_storage = {storage};
        c.dst_storage = storage;
        cases.push_back(c);
      }
    }
  }
  return cases;
}

// The kernel whose folded values are those that the op rounds its own to, with the op's f32 arithmetic.
Doubles rounded_kernel(const Values& v, const OpCase& c, Type type) {
  Doubles kernel = v.kernel;
  const auto channels = static_cast<size_t>(c.out);
  const size_t row = kernel.size() / channels;
  for (size_t k = 0; k < channels; ++k) {
    const double g = v.weight[k] / std::sqrt(v.var[k] + kEps);
    float largest = 0;
    for (size_t i = 0; i < row; ++i) largest = std::max(largest, std::abs(static_cast<float>(kernel[k * row + i] * g)));
    const Storage storage = type == Type::bf16 ? kBf16 : Storage{Type::s8, largest / 127};
    for (size_t i = 0; i < row; ++i) kernel[k * row + i] = snapped(kernel[k * row + i] * g, storage) / g;
  }
  return kernel;
}

class PrecisionOp : public ::testing::TestWithParam<OpCase> {
 protected:
  void SetUp() override {
    const Type type = GetParam().src_storage[0].type;
    const std::string obstacle = precision_obstacle(type == Type::bf16 ? Precision::kBf16 : Precision::kInt8);
    if (!obstacle.empty()) GTEST_SKIP() << obstacle;
  }
};

TEST_P(PrecisionOp, RoundsOnceWhatLoopsInF64Compute) {
  const OpCase& c = GetParam();
  for (const int threads : {1, 2}) {
    OpRun run(c, threads);
    const Requirements& r = run.op->requirements();
    SCOPED_TRACE(::testing::Message() << run.op->implementation() << ", " << threads << " threads");
    EXPECT_EQ(run.op->implementation().find("ref"), std::string::npos);
    const Type src_type = r.src[0].get_data_type(), dst_type = r.dst.get_data_type();
    Values values = run.values;
    if (c.kind == Kind::kFoldedConv && src_type != Type::f32) values.kernel = rounded_kernel(values, c, src_type);
    const Doubles wanted = reference_dst(c, values, every_point(dst_dims(c)));
    run.forward();
    const Doubles got = run.dst_values();
    ASSERT_EQ(got.size(), wanted.size());
    const Storage dst{dst_type, static_cast<float>(run.dst_scale())};
    for (size_t i = 0; i < got.size(); ++i) {
      // Sums in f32, and a bias: 1e-5 of values about 1.
      constexpr double kSums = 1e-5;
      if (dst_type == Type::f32 || dst_type == Type::bf16) {
        const double half_unit = dst_type == Type::bf16 ? 0x1p-8 * std::abs(wanted[i]) : 0;
        ASSERT_NEAR(got[i], wanted[i], half_unit + kSums) << i;
      } else {
        const double low = dst_type == Type::u8 ? 0 : -128.0 * dst.scale, high = low + 255.0 * dst.scale;
        ASSERT_NEAR(got[i], std::clamp(wanted[i], low, high), 0.5 * dst.scale + kSums) << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, PrecisionOp, ::testing::ValuesIn(precision_cases()),
                         [](const auto& info) { return info.param.name; });

TEST(Precision, HasNames) {
  for (const Precision precision : {Precision::kF32, Precision::kBf16, Precision::kInt8})
    EXPECT_EQ(precision_of_name(precision_name(precision)), precision);
  EXPECT_THROW(precision_of_name("f16"), Error);
  EXPECT_EQ(precision_obstacle(Precision::kF32), "");
}

// Of made-up CPUs: what each of them would be told.
TEST(Precision, NamesTheInstructionsThatACpuDoesNotHave) {
  using dnnl::cpu_isa;
  for (const cpu_isa isa : {cpu_isa::sse41, cpu_isa::avx2, cpu_isa::avx512_core, cpu_isa::avx512_core_amx})
    EXPECT_EQ(precision_obstacle(Precision::kF32, isa), "");
  const std::string no_bf16 = "this CPU has no bf16 instructions (avx512_bf16, amx or avx_ne_convert)";
  const std::string no_int8 = "this CPU has no int8 instructions (avx512_vnni or avx_vnni)";
  for (const cpu_isa isa : {cpu_isa::sse41, cpu_isa::avx2, cpu_isa::avx512_core}) {
    EXPECT_EQ(precision_obstacle(Precision::kBf16, isa), no_bf16);
    EXPECT_EQ(precision_obstacle(Precision::kInt8, isa), no_int8);
  }
  for (const cpu_isa isa : {cpu_isa::avx2_vnni, cpu_isa::avx512_core_vnni}) {
    EXPECT_EQ(precision_obstacle(Precision::kBf16, isa), no_bf16);
    EXPECT_EQ(precision_obstacle(Precision::kInt8, isa), "");
  }
  for (const cpu_isa isa : {cpu_isa::avx2_vnni_2, cpu_isa::avx512_core_bf16, cpu_isa::avx512_core_amx}) {
    EXPECT_EQ(precision_obstacle(Precision::kBf16, isa), "");
    EXPECT_EQ(precision_obstacle(Precision::kInt8, isa), "");
  }
}

TEST(Precision, TilesAreOfAmx) {
  EXPECT_FALSE(bf16_has_tiles(dnnl::cpu_isa::avx2_vnni_2));
  EXPECT_FALSE(bf16_has_tiles(dnnl::cpu_isa::avx512_core_bf16));
  EXPECT_TRUE(bf16_has_tiles(dnnl::cpu_isa::avx512_core_amx));
  EXPECT_TRUE(bf16_has_tiles(dnnl::cpu_isa::avx512_core_amx_fp16));
}

TEST(Precision, EightBitsHoldTheirRange) {
  EXPECT_EQ(eight_bits(0, 51), (Storage{Type::u8, 0.2F}));
  EXPECT_EQ(eight_bits(-25.4F, 3), (Storage{Type::s8, 0.2F}));
  EXPECT_EQ(eight_bits(-3, 25.4F), (Storage{Type::s8, 0.2F}));
  EXPECT_EQ(eight_bits(0, 0), (Storage{Type::u8, 1}));  // an edge of zeros
}

}  // namespace
}  // namespace resflow::testing
