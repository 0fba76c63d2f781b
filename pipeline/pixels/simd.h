// Which instructions the pixel kernels use; chosen when the program runs, so that one build fits all machines.
#pragma once

namespace resflow {

enum class Simd {
  kPlain,  // what the compiler makes of C++
  kAvx2,
  kAvx512,  // with BW, VL, VBMI and VNNI: Ice Lake, Zen 4 and later
};

bool simd_supported(Simd simd);  // by this CPU
Simd best_simd();

}  // namespace resflow
