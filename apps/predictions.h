// Photographs to class probabilities, as a stream: the one place where a model's outputs become probabilities.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "apps/trained_model.h"
#include "io/dataset.h"
#include "io/stage_times.h"

namespace resflow {

// Test-time augmentation: of which views of a picture the probabilities are averaged.
enum class Views {
  kOne,      // the centre crop
  kFlip,     // it and its mirror image
  kTenCrop,  // corners and centre of the resized picture's centre square, and their mirror images
};

struct PredictOptions {
  int batch = 32;
  int threads = 1;
  Views views = Views::kOne;
  bool exif = false;        // pictures are turned upright as their EXIF data say
  bool features = false;    // predictions have them; of kOne alone
  bool whole_plan = false;  // planned for `batch` even where there are fewer pictures: the same bits as among more
};

// One file's outcome: a probability a class, in the model's order, or why there are none.
struct Prediction {
  int64_t sample = 0;                     // index into the samples
  std::span<const double> probabilities;  // valid within the call; empty where there is an error
  std::span<const float> features;        // valid within the call; what the head reads, where it was asked for
  std::string error = {};
};

struct PredictSummary {
  int64_t files = 0, failed = 0;
  double seconds = 0;
  bool stopped = false;  // a signal asked to (apps/signals.h)
  StageTimes times;
};

// Calls `take` once a sample, in the samples' order, from one thread at a time, while later ones are still on their
// way. An exception of `take` ends the work and leaves.
// Throws Error{kUsage} for kTenCrop where the model's preprocessing resizes to no more than its crop.
PredictSummary predict_samples(const TrainedModel& trained, const std::vector<Sample>& samples,
                               const PredictOptions& options, const std::function<void(const Prediction&)>& take);

// Where the views of kTenCrop begin in the square of `size` pixels a side, `crop` wide: top left, top right, bottom
// left, bottom right, centre. Source  torchvision.transforms.functional.five_crop.
struct Corner {
  int top = 0, left = 0;
};
std::vector<Corner> five_crops(int size, int crop);

}  // namespace resflow
