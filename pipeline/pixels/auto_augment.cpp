#include "pipeline/pixels/auto_augment.h"

#include <cmath>
#include <cstddef>

namespace resflow {
namespace {

// torch.linspace(low, high, 31)[step] in f32: counted from the nearer end.
double spaced(float low, float high, int step) {
  const float width = (high - low) / static_cast<float>(kAugmentSteps - 1);
  return step < kAugmentSteps / 2 ? low + width * static_cast<float>(step)
                                  : high - width * static_cast<float>(kAugmentSteps - 1 - step);
}

bool has_steps(ImageOpKind kind) {
  return kind != ImageOpKind::kIdentity && kind != ImageOpKind::kAutoContrast && kind != ImageOpKind::kEqualize;
}
bool has_sides(ImageOpKind kind) {
  return has_steps(kind) && kind != ImageOpKind::kPosterize && kind != ImageOpKind::kSolarize;
}

// The largest magnitude of those that begin at 0; of posterize, the bits that go.
double largest(AutoAugment which, ImageOpKind kind, int width, int height) {
  const bool wide = which == AutoAugment::kTrivialAugment;
  switch (kind) {
    case ImageOpKind::kShearX:
    case ImageOpKind::kShearY:
      return wide ? 0.99 : 0.3;
    case ImageOpKind::kTranslateX:
      return wide ? 32.0 : 150.0 / 331.0 * width;
    case ImageOpKind::kTranslateY:
      return wide ? 32.0 : 150.0 / 331.0 * height;
    case ImageOpKind::kRotate:
      return wide ? 135.0 : 30.0;
    case ImageOpKind::kPosterize:
      return wide ? 6 : 4;
    default:
      return wide ? 0.99 : 0.9;
  }
}

ImageOp with_magnitude(ImageOpKind kind, double magnitude) {
  switch (kind) {
    case ImageOpKind::kBrightness:
    case ImageOpKind::kSaturation:
    case ImageOpKind::kContrast:
    case ImageOpKind::kSharpness:
      return {kind, 1.0 + magnitude};
    case ImageOpKind::kTranslateX:
    case ImageOpKind::kTranslateY:
      return {kind, std::trunc(magnitude)};
    default:
      return {kind, magnitude};
  }
}

double magnitude_of(AutoAugment which, ImageOpKind kind, int step, int width, int height) {
  if (!has_steps(kind)) return 0;
  if (kind == ImageOpKind::kSolarize) return spaced(255, 0, step);
  const double most = largest(which, kind, width, height);
  // No step lies half-way between two numbers of bits.
  if (kind == ImageOpKind::kPosterize) return 8 - std::nearbyint(step * most / (kAugmentSteps - 1));
  return spaced(0, static_cast<float>(most), step);
}

ImageOp draw_side(ImageOpKind kind, double magnitude, Draw& draw) {
  const bool negative = has_sides(kind) && draw.integer(0, 1) == 1;
  return with_magnitude(kind, negative ? -magnitude : magnitude);
}

ImageOpKind draw_kind(Draw& draw) {
  const auto& all = augment_space();
  return all[static_cast<size_t>(draw.integer(0, static_cast<int64_t>(all.size()) - 1))];
}

}  // namespace

const std::vector<ImageOpKind>& augment_space() {
  static const std::vector<ImageOpKind> all = {
      ImageOpKind::kIdentity,     ImageOpKind::kShearX,    ImageOpKind::kShearY,     ImageOpKind::kTranslateX,
      ImageOpKind::kTranslateY,   ImageOpKind::kRotate,    ImageOpKind::kBrightness, ImageOpKind::kSaturation,
      ImageOpKind::kContrast,     ImageOpKind::kSharpness, ImageOpKind::kPosterize,  ImageOpKind::kSolarize,
      ImageOpKind::kAutoContrast, ImageOpKind::kEqualize};
  return all;
}

ImageOp augment_op(AutoAugment which, ImageOpKind kind, int step, int width, int height) {
  return with_magnitude(kind, magnitude_of(which, kind, step, width, height));
}

void draw_rand_augment(int count, int magnitude, int width, int height, Draw& draw, std::vector<ImageOp>& ops) {
  for (int i = 0; i < count; ++i) {
    const ImageOpKind kind = draw_kind(draw);
    ops.push_back(draw_side(kind, magnitude_of(AutoAugment::kRandAugment, kind, magnitude, width, height), draw));
  }
}

void draw_trivial_augment(int width, int height, Draw& draw, std::vector<ImageOp>& ops) {
  const ImageOpKind kind = draw_kind(draw);
  const int step = has_steps(kind) ? static_cast<int>(draw.integer(0, kAugmentSteps - 1)) : 0;
  ops.push_back(draw_side(kind, magnitude_of(AutoAugment::kTrivialAugment, kind, step, width, height), draw));
}

}  // namespace resflow
