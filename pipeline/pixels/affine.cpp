#include "pipeline/pixels/affine.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numbers>
#include <utility>

namespace resflow {
namespace {

// Walks over `out`, a step right adding (xx, yx) and a step down (xy, yy) to the place in the source; to_pixel makes
// a row or column of it, negative where there is none.
template <class Place, class ToPixel>
void walk(const Image& in, Place x0, Place y0, Place xx, Place yx, Place xy, Place yy, const ToPixel& to_pixel,
          Image& out) {
  for (int row = 0; row < out.height(); ++row, x0 += xy, y0 += yy) {
    uint8_t* pixel = out.row(row);
    Place x = x0, y = y0;
    for (int column = 0; column < out.width(); ++column, pixel += 3, x += xx, y += yx) {
      const int64_t from_x = to_pixel(x), from_y = to_pixel(y);
      if (from_x >= 0 && from_x < in.width() && from_y >= 0 && from_y < in.height())
        std::copy_n(in.row(static_cast<int>(from_y)) + from_x * 3, 3, pixel);
      else
        std::fill_n(pixel, 3, uint8_t{0});
    }
  }
}

bool fits_fixed_point(const AffineMap& map, int width, int height) {
  constexpr double kLimit = 32768;
  for (const int x : {0, width})
    for (const int y : {0, height})
      if (!(std::abs(x * map.xx + y * map.xy + map.x0) < kLimit && std::abs(x * map.yx + y * map.yy + map.y0) < kLimit))
        return false;
  return true;
}

// torchvision's inverse matrix of a shear and a translation about a centre, in its order of operations.
AffineMap inverse_affine(double center_x, double center_y, int right, int down, double shear_x_degrees,
                         double shear_y_degrees) {
  constexpr double kRadians = std::numbers::pi / 180.0;
  const double sx = shear_x_degrees * kRadians, sy = shear_y_degrees * kRadians;
  const double a = std::cos(-sy) / std::cos(sy);
  const double b = -std::cos(-sy) * std::tan(sx) / std::cos(sy);
  const double c = std::sin(-sy) / std::cos(sy);
  const double d = -std::sin(-sy) * std::tan(sx) / std::cos(sy) + 1.0;
  AffineMap map{d, -b, 0.0, -c, a, 0.0};
  map.x0 += map.xx * (-center_x - right) + map.xy * (-center_y - down);
  map.y0 += map.yx * (-center_x - right) + map.yy * (-center_y - down);
  map.x0 += center_x;
  map.y0 += center_y;
  return map;
}

void transform(Image& image, const AffineMap& map, Image& scratch) {
  transform_nearest(image, map, scratch);
  std::swap(image, scratch);
}

double to_degrees(double tangent) { return std::atan(tangent) * (180.0 / std::numbers::pi); }

// Python's round(value, 15).
double round_to_15_places(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.15f", value);
  return std::strtod(text, nullptr);
}

}  // namespace

void transform_nearest(const Image& in, const AffineMap& map, Image& out) {
  out.resize(in.width(), in.height());
  // The two ways add up in different orders, as Pillow's do.
  if (fits_fixed_point(map, in.width(), in.height())) {
    const auto fixed = [](double value) { return static_cast<int64_t>(std::floor(value * 65536.0 + 0.5)); };
    walk<int64_t>(
        in, fixed(map.x0 + map.xx * 0.5 + map.xy * 0.5), fixed(map.y0 + map.yx * 0.5 + map.yy * 0.5), fixed(map.xx),
        fixed(map.yx), fixed(map.xy), fixed(map.yy), [](int64_t place) { return place >> 16; }, out);
  } else {
    walk<double>(
        in, map.x0 + map.xy * 0.5 + map.xx * 0.5, map.y0 + map.yy * 0.5 + map.yx * 0.5, map.xx, map.yx, map.xy, map.yy,
        [](double place) { return place < 0 ? int64_t{-1} : static_cast<int64_t>(place); }, out);
  }
}

void shear_x(Image& image, double tangent, Image& scratch) {
  transform(image, inverse_affine(0, 0, 0, 0, to_degrees(tangent), 0), scratch);
}

void shear_y(Image& image, double tangent, Image& scratch) {
  transform(image, inverse_affine(0, 0, 0, 0, 0, to_degrees(tangent)), scratch);
}

void translate(Image& image, int right, int down, Image& scratch) {
  transform(image, inverse_affine(image.width() * 0.5, image.height() * 0.5, right, down, 0, 0), scratch);
}

void rotate(Image& image, double degrees, Image& scratch) {
  // Pillow's Image.rotate: the angle is brought into a turn, and the matrix rounded so that a quarter is one.
  double turned = std::fmod(degrees, 360.0);
  if (turned < 0) turned += 360.0;
  const double angle = -(turned * (std::numbers::pi / 180.0));
  const double cosine = round_to_15_places(std::cos(angle)), sine = round_to_15_places(std::sin(angle));
  const double middle_x = image.width() / 2.0, middle_y = image.height() / 2.0;
  AffineMap map{cosine, sine, 0.0, round_to_15_places(-std::sin(angle)), cosine, 0.0};
  map.x0 = map.xx * -middle_x + map.xy * -middle_y + middle_x;
  map.y0 = map.yx * -middle_x + map.yy * -middle_y + middle_y;
  transform(image, map, scratch);
}

void mirror(Image& image) {
  for (int y = 0; y < image.height(); ++y) {
    uint8_t* const row = image.row(y);
    for (int left = 0, right = image.width() - 1; left < right; ++left, --right)
      std::swap_ranges(row + left * 3, row + left * 3 + 3, row + right * 3);
  }
}

}  // namespace resflow
