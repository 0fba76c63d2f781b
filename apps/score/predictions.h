// Photographs to class probabilities, as a stream: the one place where a model's outputs become probabilities.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/score/executor_choice.h"
#include "graph/model/trained_model.h"
#include "io/core/stage_times.h"
#include "io/images/decode.h"
#include "io/pictures/dataset.h"
#include "io/pictures/picture_source.h"
#include "ops/precision.h"

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
  Precision precision = Precision::kF32;
  bool exif = false;  // pictures are turned upright as their EXIF data say, even if the model does not ask for it
  DecodeMode decode = DecodeMode::kExact;
  bool features = false;    // predictions have them
  bool unordered = false;   // batches are taken as they are done: StreamOptions (pipeline/stream_loader.h)
  bool whole_plan = false;  // planned for `batch` even where there are fewer pictures: the same bits as among more
  // Batches computed at once, each by threads / executors threads. kChooseExecutors: one, and from the batch after
  // trial_batches() on as many as a measurement then says; none is made where there are fewer than twice as many.
  int executors = 1;
  int64_t rows_before = 0;  // of this output, by a run that ended early: it had the first batches
  std::function<void(const std::vector<ExecutorSpeed>& speeds, size_t chosen)> chosen = {};
};

// Before the measurement, which computes a batch or two by each way: so many that it takes a few hundredths of the time
// that they took.
int64_t trial_batches(int batch, int threads);

// One picture's outcome: a probability a class, in the model's order, or why there are none. Name and spans are valid
// within the call.
struct Prediction {
  int64_t sample = 0;                     // index into the samples, or of the picture in its source, from 0
  std::string_view name;                  // of the picture: what its row is called
  std::span<const double> probabilities;  // empty where there is an error
  // What the head reads, [Model::feature_count()], of the same run of the network; of several views their mean. Empty
  // where there is an error or where they were not asked for.
  std::span<const float> features;
  std::string error = {};
};

struct PredictSummary {
  int64_t files = 0, failed = 0;
  double seconds = 0;
  bool stopped = false;  // a signal asked to (apps/host/signals.h), and there was more to do
  StageTimes times;
};

// Calls `take` once a picture of the source, in its order, or batch by batch as they are done where that is asked for,
// from one thread at a time, while later ones are still on their way. Memory does not grow with the number of pictures.
// An exception of `take` ends the work and leaves. Throws what the source throws, after the pictures before it were
// taken; Error{kUsage} for kTenCrop where the model's preprocessing resizes to no more than its crop.
PredictSummary predict_stream(const TrainedModel& trained, PictureSource& source, const PredictOptions& options,
                              const std::function<void(const Prediction&)>& take);

// The same of files that are listed: once a sample, in the samples' order.
PredictSummary predict_samples(const TrainedModel& trained, const std::vector<Sample>& samples,
                               const PredictOptions& options, const std::function<void(const Prediction&)>& take);

// Where the views of kTenCrop begin in the square of `size` pixels a side, `crop` wide: top left, top right, bottom
// left, bottom right, centre. Source  torchvision.transforms.functional.five_crop.
struct Corner {
  int top = 0, left = 0;
};
std::vector<Corner> five_crops(int size, int crop);

}  // namespace resflow
