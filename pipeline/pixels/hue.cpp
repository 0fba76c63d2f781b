#include "pipeline/pixels/hue.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace resflow {
namespace {

struct Hsv {
  uint8_t hue, saturation, value;
};

// Where a result is rounded to f32 and where it stays f64 is Pillow's, src/libImaging/Convert.c.
Hsv to_hsv(const uint8_t* rgb) {
  const int red = rgb[0], green = rgb[1], blue = rgb[2];
  const int high = std::max({red, green, blue}), low = std::min({red, green, blue});
  if (high == low) return {0, 0, static_cast<uint8_t>(high)};
  const auto range = static_cast<float>(high - low);
  const auto below = [high, range](int channel) { return static_cast<float>(high - channel) / range; };
  float sixth = 0;  // of a turn, from red
  if (red == high)
    sixth = below(blue) - below(green);
  else if (green == high)
    sixth = static_cast<float>(2.0 + below(red) - below(blue));
  else
    sixth = static_cast<float>(4.0 + below(green) - below(red));
  double turn = sixth / 6.0 + 1.0;
  if (turn >= 1.0) turn -= 1.0;  // the turn is below 2: this is its fraction
  const float saturation = range / static_cast<float>(high);
  return {static_cast<uint8_t>(static_cast<float>(turn) * 255.0), static_cast<uint8_t>(saturation * 255.0),
          static_cast<uint8_t>(high)};
}

// Which sixth of the circle each hue lies in, and how far.
struct Sector {
  int index;
  float fraction;
};
std::array<Sector, 256> sectors() {
  std::array<Sector, 256> all;
  for (int hue = 0; hue < 256; ++hue) {
    const double sixths = static_cast<float>(hue) * 6.0 / 255.0;
    const int index = static_cast<int>(sixths);
    all[static_cast<size_t>(hue)] = {index % 6, static_cast<float>(sixths - index)};
  }
  return all;
}

// No product of these comes so near below a half that adding one rounds it up.
uint8_t rounded(double value) { return static_cast<uint8_t>(value + 0.5); }

void to_rgb(const Hsv& hsv, const std::array<Sector, 256>& sectors, uint8_t* rgb) {
  const uint8_t v = hsv.value;
  if (hsv.saturation == 0) {
    rgb[0] = rgb[1] = rgb[2] = v;
    return;
  }
  const auto [index, fraction] = sectors[hsv.hue];
  const auto saturation = static_cast<float>(hsv.saturation / 255.0);
  const uint8_t lowest = rounded(v * (1.0 - saturation));
  // From one corner of the hexagon to the next one channel rises or falls.
  const uint8_t moving =
      index % 2 == 1 ? rounded(v * (1.0 - saturation * fraction)) : rounded(v * (1.0 - saturation * (1.0 - fraction)));
  const uint8_t channels[6][3] = {{v, moving, lowest}, {moving, v, lowest}, {lowest, v, moving},
                                  {lowest, moving, v}, {moving, lowest, v}, {v, lowest, moving}};
  std::copy_n(channels[index], 3, rgb);
}

}  // namespace

void adjust_hue(Image& image, double turn) {
  static const std::array<Sector, 256> kSectors = sectors();
  // 8 bits go round once: what is cut off above is the turn's beginning.
  const auto shift = static_cast<uint8_t>(static_cast<int>(turn * 255));
  for (int y = 0; y < image.height(); ++y) {
    uint8_t* pixel = image.row(y);
    for (int x = 0; x < image.width(); ++x, pixel += 3) {
      Hsv hsv = to_hsv(pixel);
      hsv.hue = static_cast<uint8_t>(hsv.hue + shift);
      to_rgb(hsv, kSectors, pixel);
    }
  }
}

}  // namespace resflow
