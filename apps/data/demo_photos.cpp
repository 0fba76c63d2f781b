#include "apps/data/demo_photos.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numbers>
#include <random>

#include "io/core/error.h"
#include "io/files/path_facts.h"
#include "io/images/jpeg_encode.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

using Color = std::array<double, 3>;  // 0 to 1

constexpr double kPi = std::numbers::pi;

// The standard fixes the numbers of the engine, but not those of its distributions: these draws are our own.
class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }
  int integer(int low, int high) { return std::min(high, static_cast<int>(uniform(low, high + 1.0))); }
  uint64_t key() { return engine_(); }
  // Near enough to a normal distribution: the sum of four uniform draws, with variance 1.
  double normal() {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += uniform(-0.5, 0.5);
    return sum * std::sqrt(3.0);
  }

 private:
  std::mt19937_64 engine_;
};

Color mix(const Color& a, const Color& b, double t) {
  return {a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t};
}

double smooth_step(double low, double high, double x) {
  const double t = std::clamp((x - low) / (high - low), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

double fraction(double x) { return x - std::floor(x); }

// A repeatable value in [0, 1) for a cell of a grid.
double cell_value(int x, int y, uint64_t key) {
  uint64_t h = key + static_cast<uint64_t>(static_cast<uint32_t>(x)) * 0x9E3779B97F4A7C15U +
               static_cast<uint64_t>(static_cast<uint32_t>(y)) * 0xC2B2AE3D27D4EB4FU;
  h = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9U;
  h = (h ^ (h >> 27)) * 0x94D049BB133111EBU;
  return static_cast<double>((h ^ (h >> 31)) >> 11) * 0x1p-53;
}

// Two colours far enough apart to see the pattern. No class has colours of its own.
std::array<Color, 2> two_colors(Dice& dice) {
  std::array<Color, 2> colors{};
  double apart = 0;
  while (apart < 0.5) {
    apart = 0;
    for (Color& color : colors)
      for (double& channel : color) channel = dice.uniform(0.08, 0.95);
    for (size_t c = 0; c < 3; ++c) apart += std::abs(colors[0][c] - colors[1][c]) / 3;
  }
  return colors;
}

// A surface of one kind: 0 shows the first colour, 1 the second, at a point in units of the pattern's period.
class Surface {
 public:
  virtual ~Surface() = default;
  virtual double at(double u, double v) const = 0;
};

// Upright boards with gaps between them, each board of a tone of its own.
class Fence : public Surface {
 public:
  explicit Fence(Dice& dice) : gap_(dice.uniform(0.2, 0.4)), key_(dice.key()) {}
  double at(double u, double /*v*/) const override {
    const double x = fraction(u);
    const double board = smooth_step(0, 0.08, x) * (1 - smooth_step(1 - gap_, 1.08 - gap_, x));
    return board * (1 - 0.3 * cell_value(static_cast<int>(std::floor(u)), 0, key_));
  }

 private:
  double gap_;
  uint64_t key_;
};

// Round stones of several sizes, brightest in the middle.
class Pebbles : public Surface {
 public:
  explicit Pebbles(Dice& dice) : key_(dice.key()) {}
  double at(double u, double v) const override {
    const int column = static_cast<int>(std::floor(u)), row = static_cast<int>(std::floor(v));
    double value = 0;
    for (int y = row - 1; y <= row + 1; ++y)
      for (int x = column - 1; x <= column + 1; ++x) {
        const double cx = x + 0.3 + 0.4 * cell_value(x, y, key_), cy = y + 0.3 + 0.4 * cell_value(x, y, key_ + 1);
        const double radius = 0.28 + 0.17 * cell_value(x, y, key_ + 2);
        const double distance = std::hypot(u - cx, v - cy) / radius;
        value = std::max(value, (1 - smooth_step(0.8, 1.0, distance)) * (1 - 0.35 * distance * distance));
      }
    return value;
  }

 private:
  uint64_t key_;
};

// Wires that cross aslant, as in a wire netting.
class Net : public Surface {
 public:
  explicit Net(Dice& dice) : wire_(dice.uniform(0.12, 0.2)), steep_(dice.uniform(0.8, 1.25)) {}
  double at(double u, double v) const override {
    const double a = fraction((u + steep_ * v) / 1.6), b = fraction((u - steep_ * v) / 1.6);
    const double to_wire = std::min({a, 1 - a, b, 1 - b});
    return 1 - smooth_step(wire_ * 0.6, wire_, to_wire);
  }

 private:
  double wire_, steep_;
};

// Treads, bright at the edge and darker towards the next one.
class Stairs : public Surface {
 public:
  explicit Stairs(Dice& dice) : edge_(dice.uniform(0.3, 0.5)), fall_(dice.uniform(0.2, 0.6)) {}
  double at(double /*u*/, double v) const override {
    const double y = fraction(v);
    const double riser = smooth_step(0, 0.08, y) * (1 - smooth_step(edge_, edge_ + 0.08, y));
    return riser * (1 - fall_ * y);
  }

 private:
  double edge_, fall_;
};

struct Kind {
  const char* name;
  std::unique_ptr<Surface> (*make)(Dice&);
};

template <class T>
std::unique_ptr<Surface> make(Dice& dice) {
  return std::make_unique<T>(dice);
}

constexpr Kind kKinds[] = {
    {"fence", make<Fence>}, {"net", make<Net>}, {"pebbles", make<Pebbles>}, {"stairs", make<Stairs>}};

void make_folder(const fs::path& folder) { make_folders(folder.string(), folder.string()); }

}  // namespace

const std::vector<std::string>& demo_classes() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Kind& kind : kKinds) all.emplace_back(kind.name);
    return all;
  }();
  return names;
}

Image draw_demo_photo(int label, uint64_t number, int wanted_side) {
  Dice dice(number * 1000003U + static_cast<uint64_t>(label));
  const auto colors = two_colors(dice);
  const auto surface = kKinds[label].make(dice);
  // The camera: format, distance, angle, where it looks.
  const bool portrait = dice.uniform(0, 1) < 0.4;
  const int drawn_side = dice.integer(112, 176);
  const int long_side = wanted_side > 0 ? wanted_side : drawn_side, short_side = long_side * 3 / 4;
  const int width = portrait ? short_side : long_side, height = portrait ? long_side : short_side;
  const double period = dice.uniform(0.12, 0.2) * short_side;                    // pixels
  const double angle = dice.uniform(-0.2, 0.2), lean = dice.uniform(0.8, 1.25);  // held nearly level
  const double shift_u = dice.uniform(-1, 1), shift_v = dice.uniform(-1, 1);
  // The light: a gradient, a vignette, a shadow's edge, exposure and the sensor's noise.
  const double light_angle = dice.uniform(-kPi, kPi), light = dice.uniform(0, 0.35), vignette = dice.uniform(0, 0.3);
  const double exposure = dice.uniform(0.75, 1.15), noise = dice.uniform(0.005, 0.03);
  const double shadow_angle = dice.uniform(-kPi, kPi), shadow_at = dice.uniform(-0.7, 0.7);
  const double shadow = dice.uniform(0, 1) < 0.4 ? dice.uniform(0.15, 0.35) : 0;

  Image image;
  image.resize(width, height);
  const double c = std::cos(angle) / period, s = std::sin(angle) / period;
  // Samples a pixel and direction, against jagged edges; the sensor's noise hides those of large pictures.
  const int sub_samples = long_side > 256 ? 1 : 2;
  for (int y = 0; y < height; ++y) {
    uint8_t* row = image.row(y);
    for (int x = 0; x < width; ++x) {
      double value = 0;
      for (int sub_y = 0; sub_y < sub_samples; ++sub_y)
        for (int sub_x = 0; sub_x < sub_samples; ++sub_x) {
          const double px = x + (sub_x + 0.5) / sub_samples - width / 2.0;
          const double py = (y + (sub_y + 0.5) / sub_samples - height / 2.0) * lean;
          value += surface->at(c * px - s * py + shift_u, s * px + c * py + shift_v) / (sub_samples * sub_samples);
        }
      const double nx = 2.0 * x / width - 1, ny = 2.0 * y / height - 1;  // -1 to 1
      double lit = exposure * (1 + light * (nx * std::cos(light_angle) + ny * std::sin(light_angle)));
      lit *= 1 - vignette * (nx * nx + ny * ny) / 2;
      lit *=
          1 - shadow * smooth_step(-0.05, 0.05, nx * std::cos(shadow_angle) + ny * std::sin(shadow_angle) - shadow_at);
      const Color color = mix(colors[0], colors[1], value);
      for (size_t channel = 0; channel < 3; ++channel)
        row[static_cast<size_t>(x) * 3 + channel] =
            static_cast<uint8_t>(std::lround(std::clamp(color[channel] * lit + noise * dice.normal(), 0.0, 1.0) * 255));
    }
  }
  return image;
}

void write_demo_photos(const std::string& root, const DemoSet& set) {
  for (size_t label = 0; label < demo_classes().size(); ++label) {
    uint64_t number = 0;  // runs on, so that no validation picture is a training picture
    for (const auto& [part, count] : {std::pair{"train", set.train}, std::pair{"val", set.val}}) {
      const fs::path folder = fs::path(root) / part / demo_classes()[label];
      make_folder(folder);
      for (int i = 0; i < count; ++i, ++number) {
        const std::string path = (folder / fmt::format("{:03}.jpg", i)).string();
        const std::vector<uint8_t> bytes = encode_jpeg(draw_demo_photo(static_cast<int>(label), number));
        std::ofstream file(path, std::ios::binary);
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        if (!file.flush()) throw system_error("{}: cannot be written: {}", path, std::strerror(errno));
      }
    }
  }
}

}  // namespace resflow
