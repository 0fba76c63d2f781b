// One change of a picture, as the random transforms draw it: which, and how much of it.
//
// Each gives the bits of torchvision 0.14's function of that name on a Pillow 9.4 picture.
#pragma once

#include "io/images/image.h"

namespace resflow {

enum class ImageOpKind {
  kIdentity,
  // value is the factor; pipeline/pixels/enhance.h
  kBrightness,
  kContrast,
  kSaturation,
  kSharpness,
  kHue,  // value is the part of a turn, -0.5 to 0.5; pipeline/pixels/hue.h
  // pipeline/pixels/tone.h
  kPosterize,     // value is the number of bits that stay
  kSolarize,      // value is the threshold
  kAutoContrast,  // these three take no value
  kEqualize,
  kInvert,
  // pipeline/pixels/affine.h
  kShearX,  // value is the tangent of the angle
  kShearY,
  kTranslateX,  // value is in pixels
  kTranslateY,
  kRotate,  // value is in degrees
};

struct ImageOp {
  ImageOpKind kind = ImageOpKind::kIdentity;
  double value = 0;
  bool operator==(const ImageOp&) const = default;
};

// True where mirroring before and after are not the same.
bool tells_left_from_right(ImageOpKind kind);

// Changes `image`; `scratch` is memory that is reused.
void apply(const ImageOp& op, Image& image, Image& scratch);

}  // namespace resflow
