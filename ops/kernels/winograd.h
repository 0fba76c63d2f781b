// Winograd's F(4x4, 3x3) convolution: 3x3 filters, stride 1, padding 1, no dilation, one group, in f32; src, dst
// and their gradients may be stored in bf16.
//
// Four times fewer multiplications than the direct sum (somewhat less where H or W is not a multiple of 4).
// Forward: dst = A^T [sum over c of (G g G^T) * (B^T d B)] A for each tile of 4x4 pixels; backward for src is a
// forward with the filters turned by 180 degrees and their channels exchanged; backward for weights is
// G^T [sum over tiles of (A diff_dst A^T) * (B^T d B)] G. A thread transforms a few tiles, multiplies, and transforms
// back while everything is in its caches; no whole tensor is ever written transformed.
//
// Shapes   src (N,C,H,W), weights (K,C,3,3), dst (N,K,H,W); C and K multiples of 16.
// Weights  and their gradient in the layout OIhw16i16o: [K/16][C/16][tap][16 c][16 k].
// Threads  a run splits its work into `threads` parts with fixed borders for the calling arena: the same bits for the
//          same number, however many really run.
// Memory   nothing is allocated in a run: the caller gives scratch_bytes() of scratch. All pointers are 64-byte
//          aligned.
// Error    relative L2 of about 1e-6, two to three times that of the direct sum in f32 (see
//          winograd_kernels.inc).
// Source   Lavin & Gray 2015, arXiv:1509.09308.
#pragma once

#include "io/core/cpu.h"
#include "ops/kernels/winograd_backward_weights.h"
#include "ops/kernels/winograd_forward.h"

namespace resflow {

// Whether there are kernels for such a CPU and these channels.
bool winograd_applies(const WinogradShape& shape, Isa isa = cpu_isa());

// Whether it is faster than a good direct convolution of the same storage, by a rule from measured times.
bool winograd_wins(const WinogradShape& shape, bool bf16 = false, Isa isa = cpu_isa());

}  // namespace resflow
