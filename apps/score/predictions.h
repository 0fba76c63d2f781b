// Photographs to class probabilities, as a stream: the one place where a model's outputs become probabilities.
//
//   const TrainedModel trained = load_trained_model("best.resflow", compute);
//   FolderSource photos("holiday-photos");
//   predict_stream(trained, photos, {.threads = 8}, silent(), [&](const ScoredPicture& picture) {
//     if (picture.error.empty()) use(picture.name, trained.classes, picture.probabilities);
//   });
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "apps/score/executor_choice.h"
#include "apps/score/scored_picture.h"
#include "graph/model/trained_model.h"
#include "io/core/listener.h"
#include "io/core/stage_times.h"
#include "io/images/decode.h"
#include "io/pictures/dataset.h"
#include "io/pictures/picture_source.h"
#include "ops/precision.h"
#include "pipeline/loader.h"

namespace resflow {

// Test-time augmentation: over which views of a picture the probabilities are averaged.
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
  bool features = false;   // each picture has its features
  bool unordered = false;  // batches are taken as they are done: StreamOptions (pipeline/stream_loader.h)
  // The network is planned for `batch` pictures even where there are fewer: they get the same bits as among more.
  bool whole_plan = false;
  // So many batches are computed at once, each by threads / executors threads. With kChooseExecutors one executor
  // computes the first trial_batches() batches, and then a measurement says how many compute the rest. If the number of
  // pictures is known, and they are fewer than twice as many as in those batches, nothing is measured.
  int executors = 1;
  // Where these pictures go on with those of a run that ended early: how many rows that had written.
  int64_t rows_before = 0;
  ReadingOptions reading = {};  // without a `stop` the listener is asked
  // Is told what the measurement said.
  std::function<void(const std::vector<ExecutorSpeed>& speeds, size_t chosen)> chosen = {};
};

// How many batches come before the measurement. The measurement computes a batch or two in each way; there are so many
// before it that it takes only a few hundredths of the time that they took.
int64_t trial_batches(int batch, int threads);

struct PredictSummary {
  int64_t files = 0, failed = 0;
  double seconds = 0;
  bool stopped = false;  // the listener asked to stop, and there was more to do
  StageTimes times;
};

using TakePicture = std::function<void(const ScoredPicture&)>;

// Calls `take` once for each picture of the source, while later pictures are still on their way. The pictures come in
// the source's order, or, where that is asked for, batch by batch as they are done. One thread at a time calls `take`.
// Memory does not grow with the number of pictures. The listener is only asked whether to stop.
// An exception of `take` ends the work and leaves. Throws what the source throws, after the pictures before it were
// taken; Outage (pipeline/loader.h) where pictures cannot be read for now; Error{kUsage} for kTenCrop where the model's
// preprocessing resizes to no more than its crop.
PredictSummary predict_stream(const TrainedModel& trained, PictureSource& source, const PredictOptions& options,
                              Listener& listener, const TakePicture& take);

// The same for files that are listed: once for each sample, in the samples' order.
PredictSummary predict_samples(const TrainedModel& trained, const std::vector<Sample>& samples,
                               const PredictOptions& options, Listener& listener, const TakePicture& take);

// Where the views of kTenCrop begin in the square of `size` pixels a side, `crop` wide: top left, top right, bottom
// left, bottom right, centre. Source  torchvision.transforms.functional.five_crop.
struct Corner {
  int top = 0, left = 0;
};
std::vector<Corner> five_crops(int size, int crop);

}  // namespace resflow
