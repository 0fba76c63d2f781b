// What happens to a photograph between file and network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/checkpoint.h"
#include "io/decode.h"
#include "io/image.h"
#include "pipeline/normalize.h"
#include "pipeline/resize.h"

namespace resflow {

// RandomResizedCrop(size) + RandomHorizontalFlip + normalize (training), or
// Resize(resize) + CenterCrop(crop) + normalize (evaluation), bilinear as Pillow does it.
struct Recipe {
  enum class Kind { kTrain, kEval } kind = Kind::kEval;
  int size = 224;    // side of the network's input
  int resize = 256;  // evaluation: short side before the centre crop
  double scale[2] = {0.08, 1.0};
  double ratio[2] = {3.0 / 4.0, 4.0 / 3.0};
  double flip_probability = 0.5;
  float mean[3] = {0.485F, 0.456F, 0.406F};
  float std[3] = {0.229F, 0.224F, 0.225F};

  static Recipe train(int size);
  // Throws Error{kData} unless there are three means and three deviations.
  static Recipe eval(const Preprocessing& preprocessing);
};

// The evaluation that goes with training at `image_size`: resize = image_size * 256 / 224, as torchvision
// pairs 256 with 224.
Preprocessing eval_preprocessing(int image_size);

// What the training recipe draws for a picture of this size.
struct TrainDraw {
  Rect crop;
  bool flip = false;
};
TrainDraw draw_train(const Recipe& recipe, int width, int height, uint64_t seed, uint64_t epoch, uint64_t sample);

// Applies a recipe; owned by one thread, reuses its memory.
class RecipeWorker {
 public:
  // Throws Error{kUsage} for sizes, ranges or a normalization that cannot be.
  explicit RecipeWorker(const Recipe& recipe);

  // Decodes the opened picture and writes (3, size, size) planar f32 to dst.
  // Every draw is keyed by (seed, epoch, sample). Throws Error{kData}.
  void run(Decoder& decoder, uint64_t seed, uint64_t epoch, uint64_t sample, float* dst) {
    plan(decoder.width(), decoder.height(), seed, epoch, sample);
    decode(decoder);
    resize();
    normalize(dst);
  }

  // The four parts of run(), to be called in this order.
  void plan(int width, int height, uint64_t seed, uint64_t epoch, uint64_t sample);  // draws, chooses what is decoded
  void decode(Decoder& decoder) { decoder.decode(source_, decoded_); }
  void resize() { resizer_.run(decoded_, resized_.data() + offset_, stride()); }
  void normalize(float* dst) const { normalizer_.run(resized_.data(), recipe_.size, recipe_.size, flip_, dst); }

 private:
  size_t stride() const { return static_cast<size_t>(recipe_.size) * 3; }

  Recipe recipe_;
  Resizer resizer_;
  Normalizer normalizer_;
  Image decoded_;                 // the part of the picture that is read
  std::vector<uint8_t> resized_;  // size rows of size pixels
  // What plan() found: the part to decode, where in resized_ its rows begin, and whether they are mirrored.
  Rect source_;
  size_t offset_ = 0;
  bool flip_ = false;
};

}  // namespace resflow
