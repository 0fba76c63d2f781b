#include "apps/bench/random_model.h"

#include "pipeline/pixels/random.h"

namespace resflow {

std::vector<float> synthetic_pixels(const BenchOptions& o) {
  std::vector<float> pixels(static_cast<size_t>(o.batch) * 3 * static_cast<size_t>(o.image_size * o.image_size));
  Draw draw(o.seed, 0, 0, DrawFor::kOrder);
  for (float& value : pixels) value = static_cast<float>(draw.next()) * 0x1p-30F - 2.0F;  // [-2, 2)
  return pixels;
}

}  // namespace resflow
