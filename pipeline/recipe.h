// What happens to a photograph between file and network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/checkpoint/description.h"
#include "io/images/decode.h"
#include "io/images/image.h"
#include "pipeline/pixels/auto_augment.h"
#include "pipeline/pixels/color_jitter.h"
#include "pipeline/pixels/erasing.h"
#include "pipeline/pixels/image_op.h"
#include "pipeline/pixels/normalize.h"
#include "pipeline/pixels/resize.h"

namespace resflow {

// Training: RandomResizedCrop(size), RandomHorizontalFlip, where asked for RandAugment or TrivialAugmentWide, then
// ColorJitter, normalize, RandomErasing; the order of torchvision's reference training.
// Evaluation: Resize(resize), CenterCrop(crop), normalize. Both resize as Pillow does it.
struct Recipe {
  enum class Kind { kTrain, kEval } kind = Kind::kEval;
  int size = 224;    // side of the network's input
  int resize = 256;  // evaluation: short side before the centre crop
  Interpolation interpolation = Interpolation::kBilinear;
  double scale[2] = {0.08, 1.0};
  double ratio[2] = {3.0 / 4.0, 4.0 / 3.0};
  double flip_probability = 0.5;
  AutoAugment auto_augment = AutoAugment::kNone;
  int randaugment_ops = 2, randaugment_magnitude = 9;  // how many, and at which of the 31 steps
  ColorJitter color_jitter = {};
  double erase_probability = 0;
  double erase_scale[2] = {0.02, 0.33};
  double erase_ratio[2] = {0.3, 3.3};
  float mean[3] = {0.485F, 0.456F, 0.406F};
  float std[3] = {0.229F, 0.224F, 0.225F};

  static Recipe train(int size);
  // Throws Error{kData} unless there are three means and three deviations; Error{kUsage} as interpolation_named.
  static Recipe eval(const Preprocessing& preprocessing);
};

// The evaluation that goes with training at `image_size`: resize = image_size * 256 / 224, as torchvision
// pairs 256 with 224.
Preprocessing eval_preprocessing(int image_size);

// What the training recipe draws for a picture of this size.
struct TrainDraw {
  Rect crop;
  bool flip = false;
  std::vector<ImageOp> ops = {};  // on the resized and flipped picture, in this order
  Rect erase = {};                // empty: nothing
};
TrainDraw draw_train(const Recipe& recipe, int width, int height, uint64_t seed, uint64_t epoch, uint64_t sample);

// The scale, in eighths, at which DecodeMode::kFast decodes a crop of width x height that becomes out_width x
// out_height: the smallest of 1, 2, 4 and 8 that leaves at least as many pixels each way as there are to be.
int fast_scale(int width, int height, int out_width, int out_height);

// Applies a recipe; owned by one thread, reuses its memory.
class RecipeWorker {
 public:
  // Throws Error{kUsage} for sizes, ranges or a normalization that cannot be.
  explicit RecipeWorker(const Recipe& recipe, DecodeMode mode = DecodeMode::kExact);

  // Decodes the opened picture and writes (3, size, size) planar f32 to dst.
  // Every draw is keyed by (seed, epoch, sample). Throws Error{kData}.
  void run(Decoder& decoder, uint64_t seed, uint64_t epoch, uint64_t sample, float* dst) {
    plan(decoder, seed, epoch, sample);
    decode(decoder);
    resize();
    augment();
    normalize(dst);
  }

  // The five parts of run(), to be called in this order.
  // plan() draws, and chooses which part of the opened picture is decoded, and at which scale. The second form is for a
  // picture that is not opened: by its size alone, as for DecodeMode::kExact.
  void plan(Decoder& decoder, uint64_t seed, uint64_t epoch, uint64_t sample);
  void plan(int width, int height, uint64_t seed, uint64_t epoch, uint64_t sample) {
    plan(choose(width, height, seed, epoch, sample));
  }
  void decode(Decoder& decoder) { decoder.decode(source_, decoded_); }
  void resize() { resizer_.run(decoded_, resized_.row(0) + offset_, stride()); }
  void augment() {
    if (!ops_.empty()) apply_ops();
  }
  // Frees buffers of more than kLargeBytes (io/images/image.h) once resize() has read them.
  void give_back() {
    decoded_.give_back();
    resizer_.give_back();
  }
  void normalize(float* dst) const {
    normalizer_.run(resized_.row(0), recipe_.size, recipe_.size, flip_, dst);
    if (erase_.width > 0) erase(erase_, recipe_.size, recipe_.size, dst);
  }

 private:
  // What of the picture becomes a picture of width x height, and what of that is kept.
  struct Crop {
    Rect part;
    int width = 0, height = 0;
    Rect keep;
  };
  Crop choose(int width, int height, uint64_t seed, uint64_t epoch, uint64_t sample);
  void plan(const Crop& crop);
  void apply_ops();
  size_t stride() const { return static_cast<size_t>(recipe_.size) * 3; }

  Recipe recipe_;
  DecodeMode mode_;
  Resizer resizer_;
  Normalizer normalizer_;
  Image decoded_;  // the part of the picture that is read
  Image resized_;  // size x size
  Image scratch_;  // of the operations
  // What plan() found: the part to decode, where in resized_ its rows begin, whether they are mirrored on the way
  // into the batch, what else changes them, and what of them is erased.
  Rect source_;
  size_t offset_ = 0;
  bool flip_ = false;
  std::vector<ImageOp> ops_;
  Rect erase_;
};

}  // namespace resflow
