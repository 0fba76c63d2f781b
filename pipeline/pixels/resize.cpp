#include "pipeline/pixels/resize.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "io/core/error.h"
#include "pipeline/pixels/resize_kernels.h"

namespace resflow {
namespace {

// Beyond this a picture is refused that would need more than several times the pixels that it is to become.
constexpr double kMaxBytes = 1 << 30;

// Of a filter that is not stretched: how far from its centre it reaches.
double reach_of(Interpolation filter) { return filter == Interpolation::kBicubic ? 2.0 : 1.0; }

// Pillow's expressions, kept in their order: a weight must round to the same integer.
double triangle(double distance) { return distance < 1.0 ? 1.0 - distance : 0.0; }
double cubic(double x) {
  constexpr double kA = -0.5;
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

// Bytes of the weights along a side, of which `kept` positions of `size` are wanted.
double weight_bytes(Interpolation filter, double length, int size, int kept) {
  return (2 * reach_of(filter) * std::max(length / size, 1.0) + 4) * sizeof(int32_t) * kept;
}

// What the middle picture and the weights take, before any of it is allocated.
void check_bytes(Interpolation filter, double width, double height, int out_width, int out_height, const Rect& keep) {
  const double rows =
      std::min(height, (height / out_height) * keep.height + 2 * reach_of(filter) * std::max(height / out_height, 1.0));
  const double middle = (3.0 * keep.width + resize_kernels::kRowSlack + 63) * rows;
  const double weights =
      weight_bytes(filter, width, out_width, keep.width) + weight_bytes(filter, height, out_height, keep.height);
  if (middle + weights > std::max(kMaxBytes, 16.0 * keep.width * keep.height))
    throw data_error("is {:.0f}x{:.0f} pixels: too elongated to be resized to {}x{}", width, height, out_width,
                     out_height);
}

}  // namespace

Interpolation interpolation_named(std::string_view name) {
  if (name == "bilinear") return Interpolation::kBilinear;
  if (name == "bicubic") return Interpolation::kBicubic;
  throw usage_error("{} {}: wanted bilinear or bicubic", setting("interpolation"), name);
}

void ResampleAxis::plan(Interpolation filter, double begin, double length, int in_size, int out_size, int keep_first,
                        int keep_size) {
  // Pillow's expressions, kept in their order: a weight must round to the same integer.
  const double scale = length / out_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = reach_of(filter) * filter_scale;
  const bool is_cubic = filter == Interpolation::kBicubic;
  const double inverse = 1.0 / filter_scale;
  stride = (static_cast<int>(std::ceil(support)) * 2 + 1 + 3) / 4 * 4;
  first.resize(static_cast<size_t>(keep_size));
  count.resize(static_cast<size_t>(keep_size));
  weights.assign(static_cast<size_t>(keep_size) * static_cast<size_t>(stride), 0);
  std::vector<double> values(static_cast<size_t>(stride));
  int widest = 1;
  for (int i = 0; i < keep_size; ++i) {
    const double center = begin + (keep_first + i + 0.5) * scale;
    const int low = std::max(static_cast<int>(center - support + 0.5), 0);
    const int taps = std::min(static_cast<int>(center + support + 0.5), in_size) - low;
    double sum = 0;
    for (int t = 0; t < taps; ++t) {
      const double distance = std::abs((t + low - center + 0.5) * inverse);
      values[static_cast<size_t>(t)] = is_cubic ? cubic(distance) : triangle(distance);
      sum += values[static_cast<size_t>(t)];
    }
    int32_t* row = weights.data() + static_cast<size_t>(i) * static_cast<size_t>(stride);
    for (int t = 0; t < taps; ++t) {
      double weight = values[static_cast<size_t>(t)];
      if (sum != 0.0) weight /= sum;
      row[t] = static_cast<int32_t>((weight < 0 ? -0.5 : 0.5) + weight * (1 << resize_kernels::kFractionBits));
    }
    first[static_cast<size_t>(i)] = low;
    count[static_cast<size_t>(i)] = taps;
    widest = std::max(widest, taps);
  }
  // The bound on taps is generous: where it costs a group of four for nothing, close the gap.
  const int tight = (widest + 3) / 4 * 4;
  if (tight < stride) {
    for (int i = 1; i < keep_size; ++i)
      std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(i) * stride, tight,
                  weights.begin() + static_cast<std::ptrdiff_t>(i) * tight);
    stride = tight;
  }
  source_first = first.front();
  source_size = first.back() + count.back() - source_first;
  for (int& f : first) f -= source_first;
}

Rect Resizer::plan(int width, int height, int out_width, int out_height, const Rect& keep) {
  check_bytes(filter_, width, height, out_width, out_height, keep);
  across_.plan(filter_, width, out_width, keep.left, keep.width);
  down_.plan(filter_, height, out_height, keep.top, keep.height);
  return {across_.source_first, down_.source_first, across_.source_size, down_.source_size};
}

Rect Resizer::plan(const Box& box, int width, int height, int out_width, int out_height, const Rect& keep) {
  check_bytes(filter_, box.width, box.height, out_width, out_height, keep);
  const auto cover = [](double begin, double length, int size) {
    const int first = std::max(static_cast<int>(std::floor(begin)), 0);
    return std::pair(first, std::min(static_cast<int>(std::ceil(begin + length)), size) - first);
  };
  const auto [left, columns] = cover(box.left, box.width, width);
  const auto [top, rows] = cover(box.top, box.height, height);
  across_.plan(filter_, box.left - left, box.width, columns, out_width, keep.left, keep.width);
  down_.plan(filter_, box.top - top, box.height, rows, out_height, keep.top, keep.height);
  return {left + across_.source_first, top + down_.source_first, across_.source_size, down_.source_size};
}

void Resizer::give_back() {
  give_back_large(middle_);
  give_back_large(scratch_);
  across_.give_back();
  down_.give_back();
}

void Resizer::run(const Image& source, uint8_t* out, size_t stride) {
  using namespace resize_kernels;
  const size_t bytes = static_cast<size_t>(across_.size()) * 3;
  const size_t middle_stride = (bytes + kRowSlack + 63) / 64 * 64;
  middle_.resize(std::max(middle_.size(), middle_stride * static_cast<size_t>(source.height())));
  const bool avx512 = isa_ >= Isa::kAvx512Vnni, avx2 = isa_ >= Isa::kAvx2;
  Horizontal* horizontal = avx512 ? horizontal_avx512 : avx2 ? horizontal_avx2 : horizontal_plain;
  Vertical* vertical = avx512 ? vertical_avx512 : avx2 ? vertical_avx2 : vertical_plain;
  horizontal(source, across_, middle_.data(), middle_stride, scratch_);
  vertical(middle_.data(), middle_stride, down_, bytes, out, stride);
}

namespace resize_kernels {

// The cubic's negative weights make sums that leave 0..255.
static uint8_t to_byte(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255)); }

void horizontal_plain(const Image& source, const ResampleAxis& axis, uint8_t* dst, size_t stride,
                      std::vector<uint8_t>&) {
  for (int y = 0; y < source.height(); ++y) {
    uint8_t* out = dst + static_cast<size_t>(y) * stride;
    for (int x = 0; x < axis.size(); ++x, out += 3) {
      const uint8_t* in = source.row(y) + static_cast<size_t>(axis.first[static_cast<size_t>(x)]) * 3;
      const int32_t* weights = axis.weights.data() + static_cast<size_t>(x) * static_cast<size_t>(axis.stride);
      int32_t red = kHalf, green = kHalf, blue = kHalf;
      for (int t = 0; t < axis.count[static_cast<size_t>(x)]; ++t, in += 3) {
        red += in[0] * weights[t];
        green += in[1] * weights[t];
        blue += in[2] * weights[t];
      }
      out[0] = to_byte(red);
      out[1] = to_byte(green);
      out[2] = to_byte(blue);
    }
  }
}

void vertical_plain(const uint8_t* src, size_t src_stride, const ResampleAxis& axis, size_t bytes, uint8_t* dst,
                    size_t dst_stride) {
  std::vector<int32_t> sums(bytes);
  for (int y = 0; y < axis.size(); ++y) {
    std::fill(sums.begin(), sums.end(), kHalf);
    const uint8_t* in = src + static_cast<size_t>(axis.first[static_cast<size_t>(y)]) * src_stride;
    const int32_t* weights = axis.weights.data() + static_cast<size_t>(y) * static_cast<size_t>(axis.stride);
    for (int t = 0; t < axis.count[static_cast<size_t>(y)]; ++t, in += src_stride)
      for (size_t x = 0; x < bytes; ++x) sums[x] += in[x] * weights[t];
    uint8_t* out = dst + static_cast<size_t>(y) * dst_stride;
    for (size_t x = 0; x < bytes; ++x) out[x] = to_byte(sums[x]);
  }
}

}  // namespace resize_kernels
}  // namespace resflow
