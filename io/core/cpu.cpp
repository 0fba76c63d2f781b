#include "io/core/cpu.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <utility>

#include "io/core/error.h"

namespace resflow {
namespace {

constexpr std::pair<std::string_view, Isa> kIsaNames[] = {
    {"SSE41", Isa::kPlain},
    {"AVX", Isa::kPlain},
    {"AVX2", Isa::kAvx2},
    {"AVX2_VNNI", Isa::kAvx2},
    {"AVX2_VNNI_2", Isa::kAvx2},
    {"AVX512_CORE", Isa::kAvx512},
    {"AVX512_CORE_VNNI", Isa::kAvx512Vnni},
    {"AVX512_CORE_BF16", Isa::kAvx512Vnni},
    {"AVX512_CORE_FP16", Isa::kAvx512Vnni},
    {"AVX512_CORE_AMX", Isa::kAvx512Vnni},
    {"AVX512_CORE_AMX_FP16", Isa::kAvx512Vnni},
    {"DEFAULT", Isa::kAvx512Vnni},
};

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

}  // namespace

std::optional<Isa> isa_within(std::string_view name) {
  for (const auto& [known, isa] : kIsaNames)
    if (same_word(known, name)) return isa;
  return std::nullopt;
}

std::string_view max_cpu_isa() {
  const std::string_view name = environment("RESFLOW_MAX_CPU_ISA");
  if (!name.empty() && !isa_within(name)) {
    std::string names;
    for (const auto& [known, isa] : kIsaNames) names += (names.empty() ? "" : ", ") + std::string(known);
    throw usage_error("the environment's RESFLOW_MAX_CPU_ISA is '{}': wanted {}", name, names);
  }
  return name;
}

std::string_view max_onednn_isa() {
  for (const char* variable : {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"})
    if (const std::string_view name = environment(variable); isa_within(name)) return name;
  return {};
}

CpuFeatures features_of_this_cpu() {
  CpuFeatures has;
#if defined(__x86_64__)
  has.avx2 = __builtin_cpu_supports("avx2") != 0;
  has.fma = __builtin_cpu_supports("fma") != 0;
  has.avx512f = __builtin_cpu_supports("avx512f") != 0;
  has.avx512dq = __builtin_cpu_supports("avx512dq") != 0;
  has.avx512vl = __builtin_cpu_supports("avx512vl") != 0;
  has.avx512bw = __builtin_cpu_supports("avx512bw") != 0;
  has.avx512vbmi = __builtin_cpu_supports("avx512vbmi") != 0;
  has.avx512vnni = __builtin_cpu_supports("avx512vnni") != 0;
#endif
  return has;
}

Isa highest_isa(const CpuFeatures& has) {
  if (!has.avx2 || !has.fma) return Isa::kPlain;
  if (!has.avx512f || !has.avx512dq || !has.avx512vl) return Isa::kAvx2;
  return has.avx512bw && has.avx512vbmi && has.avx512vnni ? Isa::kAvx512Vnni : Isa::kAvx512;
}

Isa cpu_isa() {
  static const Isa isa = [] {
    Isa highest = highest_isa(features_of_this_cpu());
    for (const std::string_view cap : {max_cpu_isa(), max_onednn_isa()})
      if (!cap.empty()) highest = std::min(highest, *isa_within(cap));
    return highest;
  }();
  return isa;
}

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::kPlain:
      return "plain";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Vnni:
      return "avx512_vnni";
  }
  return "plain";
}

}  // namespace resflow
