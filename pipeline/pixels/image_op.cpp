#include "pipeline/pixels/image_op.h"

#include "pipeline/pixels/affine.h"
#include "pipeline/pixels/enhance.h"
#include "pipeline/pixels/hue.h"
#include "pipeline/pixels/tone.h"

namespace resflow {

bool tells_left_from_right(ImageOpKind kind) {
  switch (kind) {
    case ImageOpKind::kShearX:
    case ImageOpKind::kShearY:
    case ImageOpKind::kTranslateX:
    case ImageOpKind::kTranslateY:
    case ImageOpKind::kRotate:
      return true;
    default:
      return false;
  }
}

void apply(const ImageOp& op, Image& image, Image& scratch) {
  switch (op.kind) {
    case ImageOpKind::kIdentity:
      return;
    case ImageOpKind::kBrightness:
      return adjust_brightness(image, op.value);
    case ImageOpKind::kContrast:
      return adjust_contrast(image, op.value);
    case ImageOpKind::kSaturation:
      return adjust_saturation(image, op.value);
    case ImageOpKind::kSharpness:
      return adjust_sharpness(image, op.value, scratch);
    case ImageOpKind::kHue:
      return adjust_hue(image, op.value);
    case ImageOpKind::kPosterize:
      return posterize(image, static_cast<int>(op.value));
    case ImageOpKind::kSolarize:
      return solarize(image, op.value);
    case ImageOpKind::kAutoContrast:
      return autocontrast(image);
    case ImageOpKind::kEqualize:
      return equalize(image);
    case ImageOpKind::kInvert:
      return invert(image);
    case ImageOpKind::kShearX:
      return shear_x(image, op.value, scratch);
    case ImageOpKind::kShearY:
      return shear_y(image, op.value, scratch);
    case ImageOpKind::kTranslateX:
      return translate(image, static_cast<int>(op.value), 0, scratch);
    case ImageOpKind::kTranslateY:
      return translate(image, 0, static_cast<int>(op.value), scratch);
    case ImageOpKind::kRotate:
      return rotate(image, op.value, scratch);
  }
}

}  // namespace resflow
