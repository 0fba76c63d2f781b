// RandAugment and TrivialAugmentWide: one or more of fourteen operations, drawn; torchvision 0.14.
//
// RandAugment (Cubuk et al. 2020) takes a number of them at one given magnitude, TrivialAugmentWide (Müller and
// Hutter 2021) one at any magnitude of a wider range. Magnitudes have 31 steps, as there.
#pragma once

#include <vector>

#include "pipeline/pixels/image_op.h"
#include "pipeline/pixels/random.h"

namespace resflow {

enum class AutoAugment { kNone, kRandAugment, kTrivialAugment };

inline constexpr int kAugmentSteps = 31;

// The operations that are drawn from, in torchvision's order.
const std::vector<ImageOpKind>& augment_space();

// The operation at a step of [0, 31), of a picture of this size; its positive side where it has two.
// REQUIRES: which is not kNone, kind is of augment_space().
ImageOp augment_op(AutoAugment which, ImageOpKind kind, int step, int width, int height);

// Append what is drawn to `ops`. Draws, for each operation and in this order: which, the step (TrivialAugmentWide,
// where it has one), the side (where it has two).
// REQUIRES: 0 <= magnitude < 31.
void draw_rand_augment(int count, int magnitude, int width, int height, Draw& draw, std::vector<ImageOp>& ops);
void draw_trivial_augment(int width, int height, Draw& draw, std::vector<ImageOp>& ops);

}  // namespace resflow
