// Streams one epoch of batches out of a TBB flow graph, in order, with bounded memory.
//
//   batch numbers -+
//                  +-> [join] -> fan out -> queue -+
//   free slots ----+                               +-> [join] -> read -> decode -> resize -> normalize --+
//        ^            free workers ----------------+                                         |           |
//        |                 ^------------- worker returns ------------------------------------+           |
//        +-- slot returns -- consumer, on the thread that called run() <- deliver <- [sequencer] <-------+ slot full
//
// A picture passes four nodes (pipeline/stages.h). With its row goes the worker whose buffers hold the picture, so that
// a hand-over copies nothing, and the thread that has done one stage goes on with the next.
//
// Tokens bound everything: a batch starts when there is a free slot, a picture when there is a free worker (a
// decoder with its buffers, one a thread). The thread that called run() takes part in the work whenever no batch is
// ready, and consumes otherwise. It is the consumer because a thread of the caller cannot leave the loader's
// arena for another one: were it not, it would idle while all slots are full and the others compute.
// The loader's arena has low priority, so that workers go to the consumer's computation first, and come back
// for every moment it does not need them.
//
// Batches are the same bits for any number of threads. A broken file never hangs or kills the epoch: it is
// skipped and reported (its batch is then smaller), or stops the run, as OnError says. A machine that fails (Outage) is
// no broken file: it ends the run, and the batches before it are those of a run without the failure.
//
//   const Dataset photos = list_image_folder("photos/train");
//   Loader loader(photos, Recipe::train(224), {.batch = 32, .threads = 4, .seed = 1});
//   for (uint64_t epoch = 0; epoch < 10; ++epoch)
//     loader.run(epoch, 0, [&](const Batch& batch) {
//       if (batch.size > 0) trainer.step(batch.pixels, batch.labels);
//       return true;  // false would end the epoch here
//     });
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/files/file.h"
#include "io/pictures/broken_picture.h"
#include "io/pictures/dataset.h"
#include "pipeline/outage.h"
#include "pipeline/recipe.h"
#include "pipeline/stages.h"

namespace resflow {

// Rows [0, size) are whole pictures, in the order of the epoch; what follows is unspecified.
struct Batch {
  int64_t number = 0;  // within the epoch, from 0
  int size = 0;        // pictures in it: fewer than capacity at the end, or after skips
  int capacity = 0;
  int image_size = 0;  // pixels are (capacity, 3, image_size, image_size), planar f32
  float* pixels = nullptr;
  std::vector<int32_t> labels;   // [size]
  std::vector<int64_t> samples;  // [size] indices into the dataset
  // [size] what the pictures of a source are called; beyond that unspecified. Empty where there is a dataset.
  std::vector<std::string> names;
  std::vector<PicturePlace> places;   // like `names`: where the source says that each picture stands in its listing
  std::vector<BrokenPicture> broken;  // those of this batch that were skipped, in order
  int truncated = 0;                  // of its pictures: they end early, and were taken all the same
};

enum class OnError { kSkip, kStop };

// How pictures are read, and when it is the disk that is gone.
struct ReadingOptions {
  // So many files in a row that cannot be opened or read are an Outage, whatever batches and threads they come in. So
  // are as many as the data set has, once one of it could be read. 0: there may be any number of them.
  int64_t outage = kOutage;
  // Asked by any thread, while it waits for a machine that fails to come back, or decodes a picture that takes long:
  // true ends the run as a consumer does that asks to stop, and without the batches that are under way.
  std::function<bool()> stop = {};
  FileSystem* files = &machine_files();  // outlives the loader; a pack is read by the one that it was opened with
};

enum class Sampler {
  kEvery,     // each sample once an epoch
  kWeighted,  // as many as there are, each drawn by its weight: pipeline/order.h
};

struct LoaderOptions {
  int batch = 32;
  int threads = 1;  // of the loader's arena
  int slots = 3;    // batches alive at once: the bound on memory
  uint64_t seed = 0;
  bool shuffle = true;  // else the data set's order; kWeighted is always drawn
  Sampler sampler = Sampler::kEvery;
  std::vector<double> weights = {};  // kWeighted: one a sample, as balanced_weights() gives them
  bool drop_last = false;
  OnError on_error = OnError::kSkip;
  bool exif = false;  // pictures are turned upright as their EXIF data say
  DecodeMode decode = DecodeMode::kExact;
  Acceptance accept = {};  // which pictures are not broken
  ReadingOptions reading = {};
};

struct EpochReport {
  int64_t batches = 0, images = 0;
  std::vector<BrokenPicture> broken;
  int64_t truncated = 0;    // pictures that end early and were taken all the same
  bool stopped = false;     // the consumer asked to stop, or LoaderOptions::stop did
  double wait_seconds = 0;  // how long there was no batch to consume
  StageSeconds seconds;     // where the loader's threads spent their time, summed over threads; of whole pictures
  int64_t bytes_read = 0;
};

class Loader {
 public:
  // Throws Error{kUsage} for options that cannot be (batch or threads below 1, ...).
  // REQUIRES: `dataset` lives as long as the Loader.
  Loader(const Dataset& dataset, const Recipe& recipe, const LoaderOptions& options);
  ~Loader();

  int64_t batches_per_epoch() const;

  // Streams batches first_batch, first_batch + 1, ... of `epoch` to consume, serially and in order, on the
  // calling thread, which is within the loader's arena meanwhile: compute in an arena of your own. The slot is
  // reused when consume returns. Return false to stop early. A batch whose every file is broken comes too, with
  // size 0, so that its `broken` is seen in order. A batch whose last files could not be opened or read comes when
  // it is known that this is no Outage: with the next file that could be read.
  // Throws, after all work of the loader has ended, so that another run may follow: what consume throws;
  // Error{kData} at the first broken file under OnError::kStop, naming it and the reason; Outage where the machine
  // fails (the disk, memory, file handles). Whatever else a picture makes its decoding throw is that picture's error.
  // REQUIRES: one run at a time.
  EpochReport run(uint64_t epoch, int64_t first_batch, const std::function<bool(const Batch&)>& consume);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
