// Where primitives run: oneDNN's CPU engine, its stream, and a TBB arena of a stated size.
//
// Made once, passed explicitly. Primitives are created and executed inside run(), so that the thread
// count they were made for is the one they run with. The arena has high priority: while a step
// runs, TBB's workers serve it before the loader.
#pragma once

#include <oneapi/tbb/task_arena.h>

#include <dnnl.hpp>
#include <string>
#include <utility>

#include "io/core/cpu.h"

namespace resflow {

// Which instructions oneDNN uses. It asks the CPU by itself and heeds ONEDNN_MAX_CPU_ISA; RESFLOW_MAX_CPU_ISA is told
// to it before its first use here, for the whole process (a program that used oneDNN before keeps what that found). Its
// instruction sets do not lie on one line: avx2_vnni_2 multiplies bf16 and avx512_core does not. Throws as
// max_cpu_isa() does (io/core/cpu.h).
dnnl::cpu_isa onednn_isa();

// Whether `isa` has all instructions of `wanted`.
bool contains(dnnl::cpu_isa isa, dnnl::cpu_isa wanted);

std::string onednn_isa_name(dnnl::cpu_isa isa = onednn_isa());  // "avx512_core_bf16"; "generic" for an unknown one

class Compute {
 public:
  // `isa` chooses our own kernels: a test may pass a lower level than the machine has, never a higher one.
  // REQUIRES: threads >= 1; else Error{kUsage}.
  explicit Compute(int threads, Isa isa = cpu_isa());

  int threads() const { return threads_; }
  Isa isa() const { return isa_; }
  const dnnl::engine& engine() const { return engine_; }
  const dnnl::stream& stream() const { return stream_; }

  // Runs f in the arena and returns what it returns. Nested calls are fine.
  template <class F>
  decltype(auto) run(F&& f) const {
    return arena_.execute(std::forward<F>(f));
  }

 private:
  int threads_;
  Isa isa_;
  mutable tbb::task_arena arena_;
  dnnl::engine engine_;
  dnnl::stream stream_;
};

}  // namespace resflow
