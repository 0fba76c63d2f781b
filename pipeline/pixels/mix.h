// Mixup and cutmix: a batch's pictures are mixed with one another, and their targets likewise.
//
// As torchvision's reference training has them (references/classification/transforms.py, 0.14): the partner of a
// row is the row before it, that of the first row the last. Mixup (Zhang et al. 2018) adds lambda of a picture and
// 1 - lambda of its partner, lambda of Beta(alpha, alpha); cutmix (Yun et al. 2019) puts a box of the partner into
// the picture, and lambda is then the part of the area that stays its own. Every batch is mixed.
#pragma once

#include <cstdint>
#include <span>

#include "io/images/image.h"

namespace resflow {

struct MixOptions {
  double mixup_alpha = 0, cutmix_alpha = 0;  // 0: off; with both, either with probability 1/2
  bool on() const { return mixup_alpha > 0 || cutmix_alpha > 0; }
};

// Throws Error{kUsage} for an alpha that is below 0 or not finite.
void check(const MixOptions& options);

// What is done to one batch.
struct MixDraw {
  enum class Kind { kNone, kMixup, kCutmix } kind = Kind::kNone;
  double lambda = 1;  // the own picture's part
  Rect box = {};      // kCutmix: what comes of the partner; may be empty
};

// Keyed by (seed, epoch, number of the batch within the epoch).
// Draws, in this order: which of the two where both are on, lambda, and of cutmix the box's middle, x and y.
MixDraw draw_mix(const MixOptions& options, int image_size, uint64_t seed, uint64_t epoch, uint64_t batch);

// In place, in as many parts at once as the arena of the calling thread has threads; the bits do not depend on them.
// pixels: (rows, 3, image_size, image_size), as Batch has them.
void mix_pixels(const MixDraw& draw, float* pixels, int rows, int image_size);

// Writes targets (labels.size(), classes), rows that sum to 1: of kNone, one-hot rows.
// REQUIRES: labels in [0, classes).
void mix_targets(const MixDraw& draw, std::span<const int32_t> labels, int classes, float* targets);

}  // namespace resflow
