#include "pipeline/pixels/enhance.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "pipeline/pixels/tone.h"

namespace resflow {
namespace {

uint8_t blend(int degenerate, int pixel, float factor) {
  const float value = static_cast<float>(degenerate) + factor * static_cast<float>(pixel - degenerate);
  return static_cast<uint8_t>(std::clamp(value, 0.0F, 255.0F));
}

// With one value everywhere a byte becomes what its value says.
void blend_with(int degenerate, Image& image, float factor) {
  uint8_t table[256];
  for (int value = 0; value < 256; ++value) table[value] = blend(degenerate, value, factor);
  map_bytes(image, table);
}

}  // namespace

uint8_t lightness(const uint8_t* rgb) {
  return static_cast<uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

void adjust_brightness(Image& image, double factor) { blend_with(0, image, static_cast<float>(factor)); }

void adjust_contrast(Image& image, double factor) {
  int64_t sum = 0;
  for (int y = 0; y < image.height(); ++y) {
    const uint8_t* const row = image.row(y);
    for (int x = 0; x < image.width(); ++x) sum += lightness(row + x * 3);
  }
  const double mean = static_cast<double>(sum) / (static_cast<double>(image.width()) * image.height());
  blend_with(static_cast<int>(mean + 0.5), image, static_cast<float>(factor));
}

void adjust_saturation(Image& image, double factor) {
  const auto single = static_cast<float>(factor);
  for (int y = 0; y < image.height(); ++y) {
    uint8_t* pixel = image.row(y);
    for (int x = 0; x < image.width(); ++x, pixel += 3) {
      const int grey = lightness(pixel);
      for (int c = 0; c < 3; ++c) pixel[c] = blend(grey, pixel[c], single);
    }
  }
}

void adjust_sharpness(Image& image, double factor, Image& scratch) {
  // Smoothed is a pixel and its eight neighbours, weighed 5 to 1, by 13; the picture's border stays as it is. Pillow
  // sums in f32, but no sum of integers comes nearer than 1 / 26 to where rounding turns: integers give its bits.
  if (image.width() < 3 || image.height() < 3) return;
  const auto single = static_cast<float>(factor);
  scratch.resize(image.width(), image.height());
  const size_t bytes = image.row_bytes();
  std::copy_n(image.row(0), bytes, scratch.row(0));
  std::copy_n(image.row(image.height() - 1), bytes, scratch.row(image.height() - 1));
  for (int y = 1; y + 1 < image.height(); ++y) {
    const uint8_t *above = image.row(y - 1), *here = image.row(y), *below = image.row(y + 1);
    uint8_t* const out = scratch.row(y);
    std::copy_n(here, 3, out);
    std::copy_n(here + bytes - 3, 3, out + bytes - 3);
    for (size_t i = 3; i + 3 < bytes; ++i) {
      const int sum = above[i - 3] + above[i] + above[i + 3] + here[i - 3] + 5 * here[i] + here[i + 3] + below[i - 3] +
                      below[i] + below[i + 3];
      out[i] = blend((2 * sum + 13) / 26, here[i], single);
    }
  }
  std::swap(image, scratch);
}

}  // namespace resflow
