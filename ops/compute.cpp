#include "ops/compute.h"

#include <utility>

#include "io/core/error.h"

namespace resflow {
namespace {

int checked(int threads) {
  if (threads < 1) throw usage_error("{} compute threads: wanted at least 1", threads);
  return threads;
}

}  // namespace

dnnl::cpu_isa onednn_isa() { return dnnl::get_effective_cpu_isa(); }

bool contains(dnnl::cpu_isa isa, dnnl::cpu_isa wanted) {
  // oneDNN's values are sets of bits: an instruction set holds those of the ones that it is made from.
  const auto bits = static_cast<unsigned>(wanted);
  return (static_cast<unsigned>(isa) & bits) == bits;
}

std::string onednn_isa_name(dnnl::cpu_isa isa) {
  using dnnl::cpu_isa;
  constexpr std::pair<cpu_isa, const char*> kNames[] = {
      {cpu_isa::sse41, "sse41"},
      {cpu_isa::avx, "avx"},
      {cpu_isa::avx2, "avx2"},
      {cpu_isa::avx2_vnni, "avx2_vnni"},
      {cpu_isa::avx2_vnni_2, "avx2_vnni_2"},
      {cpu_isa::avx512_core, "avx512_core"},
      {cpu_isa::avx512_core_vnni, "avx512_core_vnni"},
      {cpu_isa::avx512_core_bf16, "avx512_core_bf16"},
      {cpu_isa::avx512_core_fp16, "avx512_core_fp16"},
      {cpu_isa::avx512_core_amx, "avx512_core_amx"},
      {cpu_isa::avx512_core_amx_fp16, "avx512_core_amx_fp16"},
  };
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
