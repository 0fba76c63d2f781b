// Which instructions the kernels of ops/ and pipeline/ use: the one place that asks the CPU.
//
// One build runs on every x86-64 machine. Each family of kernels exists for some of the levels below, and takes the
// widest of its own that the level at hand holds: the pixel kernels have code for kAvx512Vnni, kAvx2 and kPlain, so a
// CPU of level kAvx512 runs those of kAvx2. Whoever chooses kernels takes an Isa, by default cpu_isa(); a test passes a
// lower one, and the code of older CPUs runs here. The environment may cap all of them: RESFLOW_MAX_CPU_ISA, which caps
// oneDNN, too (ops/compute.h), and oneDNN's own variable, which caps ours.
#pragma once

#include <optional>
#include <string_view>

namespace resflow {

// Each level holds the instructions of those before it.
enum class Isa {
  kPlain,       // what the compiler makes of C++
  kAvx2,        // with FMA: Haswell, Zen
  kAvx512,      // F, DQ, VL: Skylake-X
  kAvx512Vnni,  // BW, VBMI and VNNI, too: Ice Lake, Zen 4
};

// What a CPU says of itself, as far as the levels ask.
struct CpuFeatures {
  bool avx2 = false, fma = false;
  bool avx512f = false, avx512dq = false, avx512vl = false;
  bool avx512bw = false, avx512vbmi = false, avx512vnni = false;
};

CpuFeatures features_of_this_cpu();

// The highest level whose instructions, and those of all levels before it, are there.
Isa highest_isa(const CpuFeatures& features);

// The names of instruction sets are oneDNN's for its ONEDNN_MAX_CPU_ISA, in any case of letters: SSE41, AVX, AVX2,
// AVX2_VNNI, AVX512_CORE, AVX512_CORE_VNNI, AVX512_CORE_BF16, AVX512_CORE_AMX, ... and DEFAULT, which caps nothing.
// What our kernels may use of a CPU that has no more than `name`; nothing for a name that there is not.
std::optional<Isa> isa_within(std::string_view name);

// An environment's cap on instruction sets: what RESFLOW_MAX_CPU_ISA says; empty where it says nothing. Throws
// Error{kUsage} for a name that there is not.
std::string_view max_cpu_isa();
// The same of ONEDNN_MAX_CPU_ISA, or DNNL_MAX_CPU_ISA, as its older name is. A name that there is not caps nothing, as
// oneDNN has it.
std::string_view max_onednn_isa();

// The highest level of this machine within those caps, found once. Throws as max_cpu_isa() does.
Isa cpu_isa();

const char* isa_name(Isa isa);  // "plain", "avx2", "avx512", "avx512_vnni"

}  // namespace resflow
