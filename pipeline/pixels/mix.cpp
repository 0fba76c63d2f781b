#include "pipeline/pixels/mix.h"

#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "io/core/error.h"
#include "pipeline/pixels/beta.h"
#include "pipeline/pixels/random.h"

namespace resflow {
namespace {

constexpr size_t kChunk = 4096;  // floats of a row at a time: what is kept of the last row stays in the cache

// combine(row, partner, floats) over floats [first, first + count) of all rows; a row's partner is as it was before.
template <class Combine>
void with_partners(float* pixels, int rows, size_t row_floats, size_t first, size_t count, const Combine& combine) {
  std::array<float, kChunk> last;
  for (const size_t end = first + count; first < end; first += kChunk) {
    const size_t floats = std::min(kChunk, end - first);
    float* const begin = pixels + first;
    std::copy_n(begin + static_cast<size_t>(rows - 1) * row_floats, floats, last.begin());
    for (int row = rows - 1; row > 0; --row) {
      float* const own = begin + static_cast<size_t>(row) * row_floats;
      combine(own, own - row_floats, floats);
    }
    combine(begin, last.data(), floats);
  }
}

}  // namespace

void check(const MixOptions& options) {
  for (const auto& [name, alpha] : {std::pair{"mixup", options.mixup_alpha}, std::pair{"cutmix", options.cutmix_alpha}})
    if (!(alpha >= 0 && std::isfinite(alpha)))
      throw usage_error("{} with alpha {}: wanted a number from 0 up", name, alpha);
}

MixDraw draw_mix(const MixOptions& options, int image_size, uint64_t seed, uint64_t epoch, uint64_t batch) {
  MixDraw result;
  if (!options.on()) return result;
  Draw draw(seed, epoch, batch, DrawFor::kMix);
  const bool both = options.mixup_alpha > 0 && options.cutmix_alpha > 0;
  const bool mixup = both ? draw.uniform() < 0.5 : options.mixup_alpha > 0;
  if (mixup) {
    result.kind = MixDraw::Kind::kMixup;
    result.lambda = draw_beta(options.mixup_alpha, draw);
    return result;
  }
  result.kind = MixDraw::Kind::kCutmix;
  const double half = 0.5 * std::sqrt(1 - draw_beta(options.cutmix_alpha, draw)) * image_size;
  const auto reach = static_cast<int>(half);
  const auto x = static_cast<int>(draw.integer(0, image_size - 1)),
             y = static_cast<int>(draw.integer(0, image_size - 1));
  result.box.left = std::max(x - reach, 0);
  result.box.top = std::max(y - reach, 0);
  result.box.width = std::min(x + reach, image_size) - result.box.left;
  result.box.height = std::min(y + reach, image_size) - result.box.top;
  // Cut off at the border, the box is smaller than lambda said.
  const double cut = static_cast<double>(result.box.width) * result.box.height;
  result.lambda = 1 - cut / (static_cast<double>(image_size) * image_size);
  return result;
}

void mix_pixels(const MixDraw& draw, float* pixels, int rows, int image_size) {
  if (draw.kind == MixDraw::Kind::kNone || rows < 1) return;
  const size_t side = static_cast<size_t>(image_size), row_floats = 3 * side * side;
  if (draw.kind == MixDraw::Kind::kMixup) {
    const auto own = static_cast<float>(draw.lambda), other = static_cast<float>(1 - draw.lambda);
    tbb::parallel_for(size_t{0}, (row_floats + kChunk - 1) / kChunk, [&](size_t chunk) {
      const size_t first = chunk * kChunk;
      with_partners(pixels, rows, row_floats, first, std::min(kChunk, row_floats - first),
                    [own, other](float* row, const float* partner, size_t floats) {
                      for (size_t i = 0; i < floats; ++i) row[i] = row[i] * own + partner[i] * other;
                    });
    });
    return;
  }
  const size_t height = static_cast<size_t>(draw.box.height);
  tbb::parallel_for(size_t{0}, 3 * height, [&](size_t line) {
    const size_t y = static_cast<size_t>(draw.box.top) + line % height;
    with_partners(pixels, rows, row_floats, (line / height * side + y) * side + static_cast<size_t>(draw.box.left),
                  static_cast<size_t>(draw.box.width),
                  [](float* row, const float* partner, size_t floats) { std::copy_n(partner, floats, row); });
  });
}

void mix_targets(const MixDraw& draw, std::span<const int32_t> labels, int classes, float* targets) {
  std::fill_n(targets, labels.size() * static_cast<size_t>(classes), 0.0F);
  const auto own = static_cast<float>(draw.lambda), other = static_cast<float>(1 - draw.lambda);
  for (size_t row = 0; row < labels.size(); ++row, targets += classes) {
    targets[labels[row]] = own;
    if (draw.kind != MixDraw::Kind::kNone) targets[labels[(row + labels.size() - 1) % labels.size()]] += other;
  }
}

}  // namespace resflow
