// Which instructions oneDNN uses. It asks the CPU by itself and heeds ONEDNN_MAX_CPU_ISA, so it may use others than the
// kernels of ours (io/core/cpu.h). Its instruction sets do not lie on one line: avx2_vnni_2 multiplies bf16 and
// avx512_core does not.
#pragma once

#include <dnnl.hpp>
#include <string>

namespace resflow {

dnnl::cpu_isa onednn_isa();

// Whether `isa` has all instructions of `wanted`.
bool contains(dnnl::cpu_isa isa, dnnl::cpu_isa wanted);

std::string onednn_isa_name(dnnl::cpu_isa isa = onednn_isa());  // "avx512_core_bf16"; "generic" for an unknown one

}  // namespace resflow
