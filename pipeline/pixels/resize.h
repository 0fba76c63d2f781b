// Bilinear and bicubic resampling with antialiasing, equal to Pillow's Image.resize(size, BILINEAR or BICUBIC) to the
// bit.
//
// A filter whose support grows with the scale, a triangle or Keys' cubic with a = -1/2; weights normalized in double,
// then fixed point with 22 fractional bits, rounded half away from zero; first all rows horizontally into an 8-bit
// picture, then all columns vertically. Source: Pillow 9.4, src/libImaging/Resample.c, as described in its
// documentation; Keys 1981, doi:10.1109/TASSP.1981.1163711.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "io/core/cpu.h"
#include "io/images/image.h"

namespace resflow {

enum class Interpolation { kBilinear, kBicubic };

// "bilinear", "bicubic": Preprocessing::interpolation. Throws Error{kUsage} for another.
Interpolation interpolation_named(std::string_view name);

// The weights along one side: kept output position i is the sum over t in [0, count[i]) of
// weights[i * stride + t] * source[first[i] + t], in units of 2^-22.
struct ResampleAxis {
  int source_first = 0, source_size = 0;  // the part of the whole source that is read; first[] counts from it
  int stride = 0;                         // weights a position: a multiple of 4, zeros behind count
  std::vector<int> first, count;
  std::vector<int32_t> weights;

  // Frees what give_back_large() frees.
  void give_back() { give_back_large(weights); }

  int size() const { return static_cast<int>(first.size()); }

  // From in_size positions to out_size, of which [keep_first, keep_first + keep_size) are kept.
  void plan(Interpolation filter, int in_size, int out_size, int keep_first, int keep_size) {
    plan(filter, 0, in_size, in_size, out_size, keep_first, keep_size);
  }
  // The same of the part [begin, begin + length) of in_size positions, as Pillow's resize(box=...) takes it; of
  // positions outside of it those that it covers a part of are read, and no others.
  void plan(Interpolation filter, double begin, double length, int in_size, int out_size, int keep_first,
            int keep_size);
};

// Resizes one picture after another; owned by one thread, reuses its memory.
class Resizer {
 public:
  explicit Resizer(Isa isa = cpu_isa()) : isa_(isa) {}
  explicit Resizer(Interpolation filter, Isa isa = cpu_isa()) : filter_(filter), isa_(isa) {}

  // Prepares width x height -> out_width x out_height, of which only `keep` is wanted, and returns the part
  // of the source that it reads. Throws Error{kData} where a gigabyte of memory would be needed on the way: that is of
  // pictures of hundreds of thousands of pixels along a side.
  // REQUIRES: all sizes >= 1, keep not empty and within the output.
  Rect plan(int width, int height, int out_width, int out_height, const Rect& keep);

  // The same of `box`, a part of the picture of width x height that begins and ends between pixels: as Pillow's crop to
  // the pixels that it covers a part of, and resize(box=...) of that.
  // REQUIRES: besides, it is not empty, and ends at most a pixel beyond the picture.
  Rect plan(const Box& box, int width, int height, int out_width, int out_height, const Rect& keep);

  // Writes the kept part, keep.width * 3 bytes a row, rows `stride` bytes apart.
  // REQUIRES: source is exactly the part that plan returned.
  void run(const Image& source, uint8_t* out, size_t stride);

  // Frees what give_back_large() (io/images/image.h) frees; the plan is then gone, too.
  void give_back();

 private:
  Interpolation filter_ = Interpolation::kBilinear;
  Isa isa_;
  ResampleAxis across_, down_;
  std::vector<uint8_t> middle_;   // rows after the horizontal pass
  std::vector<uint8_t> scratch_;  // of the kernels
};

}  // namespace resflow
