#include "ops/kernels/winograd.h"

namespace resflow {
namespace winograd {

const Kernels* best_kernels(Isa isa) {
  switch (kernel_isa(isa)) {
    case Isa::kAvx512:
      return avx512_kernels();
    case Isa::kAvx2:
      return avx2_kernels();
    default:
      return nullptr;
  }
}

}  // namespace winograd

namespace {

using winograd::kBlock;
using winograd::kSide;
using winograd::kTile;
using winograd::last_points;

}  // namespace

bool winograd_applies(const WinogradShape& shape, Isa isa) {
  return winograd::best_kernels(isa) != nullptr && shape.C % kBlock == 0 && shape.K % kBlock == 0;
}

bool winograd_wins(const WinogradShape& shape, bool bf16, Isa isa) {
  if (!winograd_applies(shape, isa)) return false;
  // Multiplications for each pair of channels: those of a direct convolution that leaves out the padding, and ours.
  // Where ours are half as many, the kernels are 1.3 to 3.4 times faster; the weights' transforms cost as much as some
  // hundreds of multiplications (512 channels of 7x7: 0.8 times as fast for one image, even for two, 1.4 for four).
  const auto products = [](int64_t size) { return 3 * size - 2; };
  const auto points = [](int64_t size) { return size / kTile * kSide + (size % kTile == 0 ? 0 : last_points(size)); };
  const int64_t direct = shape.N * products(shape.H) * products(shape.W);
  const int64_t ours = shape.N * points(shape.H) * points(shape.W);
  // Dot products of bf16 (avx512_bf16) take half the time of f32's: 512 channels of 7x7 are 0.78 times as fast for four
  // images, 1.28 for 32; 256 of 14x14 0.72 for one, 1.23 for four; 64 of 56x56 1.3 to 1.5.
  return bf16 ? 10 * direct > 25 * ours + 11000 : 10 * direct > 14 * ours + 4000;
}

}  // namespace resflow
