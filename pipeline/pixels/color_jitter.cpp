#include "pipeline/pixels/color_jitter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "io/core/error.h"

namespace resflow {

void check(const ColorJitter& jitter) {
  for (const auto& [name, amount] : {std::pair{"brightness", jitter.brightness}, std::pair{"contrast", jitter.contrast},
                                     std::pair{"saturation", jitter.saturation}})
    if (!(amount >= 0 && std::isfinite(amount)))
      throw usage_error("colour jitter of {} by {}: wanted a number from 0 up", name, amount);
  if (!(jitter.hue >= 0 && jitter.hue <= 0.5))
    throw usage_error("colour jitter of hue by {}: wanted 0 to 0.5", jitter.hue);
}

void draw_color_jitter(const ColorJitter& jitter, Draw& draw, std::vector<ImageOp>& ops) {
  std::array<size_t, 4> order = {0, 1, 2, 3};
  for (size_t i = 3; i > 0; --i)
    std::swap(order[i], order[static_cast<size_t>(draw.integer(0, static_cast<int64_t>(i)))]);
  const auto factor = [&draw](double amount) { return draw.uniform(std::max(0.0, 1 - amount), 1 + amount); };
  struct Drawn {
    bool on;
    ImageOp op;
  };
  // A braced list is evaluated from left to right.
  const std::array<Drawn, 4> drawn = {{
      {jitter.brightness > 0, {ImageOpKind::kBrightness, factor(jitter.brightness)}},
      {jitter.contrast > 0, {ImageOpKind::kContrast, factor(jitter.contrast)}},
      {jitter.saturation > 0, {ImageOpKind::kSaturation, factor(jitter.saturation)}},
      {jitter.hue > 0, {ImageOpKind::kHue, draw.uniform(-jitter.hue, jitter.hue)}},
  }};
  for (const size_t i : order)
    if (drawn[i].on) ops.push_back(drawn[i].op);
}

}  // namespace resflow
