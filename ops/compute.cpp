#include "ops/compute.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "io/core/error.h"

namespace resflow {
namespace {

constexpr std::pair<dnnl::cpu_isa, const char*> kNames[] = {
    {dnnl::cpu_isa::sse41, "sse41"},
    {dnnl::cpu_isa::avx, "avx"},
    {dnnl::cpu_isa::avx2, "avx2"},
    {dnnl::cpu_isa::avx2_vnni, "avx2_vnni"},
    {dnnl::cpu_isa::avx2_vnni_2, "avx2_vnni_2"},
    {dnnl::cpu_isa::avx512_core, "avx512_core"},
    {dnnl::cpu_isa::avx512_core_vnni, "avx512_core_vnni"},
    {dnnl::cpu_isa::avx512_core_bf16, "avx512_core_bf16"},
    {dnnl::cpu_isa::avx512_core_fp16, "avx512_core_fp16"},
    {dnnl::cpu_isa::avx512_core_amx, "avx512_core_amx"},
    {dnnl::cpu_isa::avx512_core_amx_fp16, "avx512_core_amx_fp16"},
};

dnnl::cpu_isa isa_called(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& [isa, known] : kNames)
    if (lower == known) return isa;
  return dnnl::cpu_isa::isa_default;
}

// Once, and before oneDNN finds out by itself.
void cap_onednn() {
  static const bool done = [] {
    const std::string_view ours = max_cpu_isa(), its = max_onednn_isa();
    if (ours.empty()) return true;
    // The lower of the two.
    const dnnl::cpu_isa cap = isa_called(ours), other = isa_called(its);
    dnnl::set_max_cpu_isa(!its.empty() && contains(cap, other) ? other : cap);
    return true;
  }();
  static_cast<void>(done);
}

int checked(int threads) {
  cap_onednn();
  if (threads < 1) throw usage_error("{} compute threads: wanted at least 1", threads);
  return threads;
}

}  // namespace

dnnl::cpu_isa onednn_isa() {
  cap_onednn();
  return dnnl::get_effective_cpu_isa();
}

bool contains(dnnl::cpu_isa isa, dnnl::cpu_isa wanted) {
  // oneDNN's values are sets of bits: an instruction set holds those of the ones that it is made from.
  const auto bits = static_cast<unsigned>(wanted);
  return (static_cast<unsigned>(isa) & bits) == bits;
}

std::string onednn_isa_name(dnnl::cpu_isa isa) {
  for (const auto& [known, name] : kNames)
    if (known == isa) return name;
  return "generic";
}

Compute::Compute(int threads, Isa isa)
    : threads_(checked(threads)),
      isa_(isa),
      // One slot is the caller's: the thread that calls run() works in the arena.
      arena_(threads, 1, tbb::task_arena::priority::high),
      engine_(dnnl::engine::kind::cpu, 0),
      stream_(engine_) {}

}  // namespace resflow
