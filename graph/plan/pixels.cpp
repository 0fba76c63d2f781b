#include "graph/plan/pixels.h"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "io/core/error.h"

namespace resflow {
namespace {

using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

// To the nearest, ties to even; what is no number stays none.
uint16_t bf16_bits(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
  const uint32_t nan = (bits >> 16U) | 0x40U;
  return static_cast<uint16_t>((bits & 0x7FFFFFFFU) > 0x7F800000U ? nan : rounded);
}

// To the nearest, ties to even, by the addition of 1.5 * 2^23: compilers make vectors of it.
int8_t s8_of(float value) {
  constexpr float kMax = 127, kShift = 0x1.8p23F;
  const float clipped = std::min(std::max(value, -kMax), kMax);
  return static_cast<int8_t>(std::bit_cast<uint32_t>(clipped + kShift));
}

// `count` pixels from each of the planes to interleaved ones. In pieces: planes are converted in vectors first.
template <class Value, class Convert>
void interleave(const float* line, int64_t plane, int64_t channels, int64_t count, Value* to, const Convert& convert) {
  constexpr int64_t kPiece = 64;
  Value piece[kPiece];
  for (int64_t x = 0; x < count; x += kPiece) {
    const int64_t n = std::min(kPiece, count - x);
    for (int64_t c = 0; c < channels; ++c) {
      const float* from = line + c * plane + x;
      for (int64_t i = 0; i < n; ++i) piece[i] = convert(from[i]);
      for (int64_t i = 0; i < n; ++i) to[(x + i) * channels + c] = piece[i];
    }
  }
}

}  // namespace

bool Pixels::can_write(const Desc& desc) {
  const Type type = desc.get_data_type();
  const auto is = [&](Tag tag) { return desc == Desc(desc.get_dims(), type, tag); };
  return ((type == Type::f32 || type == Type::bf16) && is(Tag::nchw)) ||
         ((type == Type::bf16 || type == Type::s8) && is(Tag::nhwc));
}

Pixels::Pixels(const Desc& desc, float scale) : type_(desc.get_data_type()), inverse_scale_(1 / scale) {
  if (!can_write(desc)) throw internal_error("pixels cannot be written in the layout of the first op");
  const Dims dims = desc.get_dims();
  batch_ = dims[0], channels_ = dims[1], height_ = dims[2], width_ = dims[3];
  interleaved_ = desc != Desc(dims, type_, Tag::nchw);
}

void Pixels::write(const float* pixels, int64_t rows, void* buffer) const {
  const int64_t picture = channels_ * height_ * width_;
  const auto value_bytes = static_cast<int64_t>(dnnl::memory::data_type_size(type_));
  constexpr int64_t kLines = 32;  // a task's, some 20 KB of f32 a plane
  tbb::parallel_for(tbb::blocked_range<int64_t>(0, batch_ * height_, kLines),
                    [&](const tbb::blocked_range<int64_t>& lines) {
                      for (int64_t line = lines.begin(); line < lines.end(); ++line) {
                        const int64_t n = line / height_, y = line % height_;
                        auto* const to = static_cast<std::byte*>(buffer) + n * picture * value_bytes;
                        write_line(n < rows ? pixels + n * picture : nullptr, y, to);
                      }
                    });
}

// Line y of all channels; zeros where there is no picture.
void Pixels::write_line(const float* picture, int64_t y, std::byte* to) const {
  const int64_t plane = height_ * width_, first = y * width_;
  const auto value_bytes = static_cast<int64_t>(dnnl::memory::data_type_size(type_));
  if (interleaved_) {
    std::byte* const line = to + first * channels_ * value_bytes;
    if (picture == nullptr) {
      std::memset(line, 0, static_cast<size_t>(width_ * channels_ * value_bytes));
    } else if (type_ == Type::s8) {
      interleave(picture + first, plane, channels_, width_, reinterpret_cast<int8_t*>(line),
                 [inverse = inverse_scale_](float value) { return s8_of(value * inverse); });
    } else {
      interleave(picture + first, plane, channels_, width_, reinterpret_cast<uint16_t*>(line), bf16_bits);
    }
    return;
  }
  for (int64_t c = 0; c < channels_; ++c) {
    std::byte* const line = to + (c * plane + first) * value_bytes;
    if (picture == nullptr) {
      std::memset(line, 0, static_cast<size_t>(width_ * value_bytes));
    } else if (type_ == Type::f32) {
      std::memcpy(line, picture + c * plane + first, static_cast<size_t>(width_) * sizeof(float));
    } else {
      auto* const values = reinterpret_cast<uint16_t*>(line);
      for (int64_t x = 0; x < width_; ++x) values[x] = bf16_bits(picture[c * plane + first + x]);
    }
  }
}

}  // namespace resflow
