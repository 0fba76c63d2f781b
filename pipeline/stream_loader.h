// Streams batches of the pictures that a source lists, in its order or as they are done, with bounded memory: Loader's
// flow graph (pipeline/loader.h), with a node before its reading that asks the source for the next picture, one thread
// at a time, and without the sequencer where order does not matter.
//
// A picture is asked for when a worker is free, and its bytes lie in that worker's buffer: as many pictures are in
// memory as there are threads, beside the slots' pixels, however many the source has. One whose bytes are very many is
// decoded before the next one is asked for.
//
//   FolderSource source("photos");
//   StreamLoader loader(source, Recipe::eval(eval_preprocessing(224)), {.batch = 32, .threads = 4});
//   loader.run([&](const Batch& batch) {
//     if (batch.size > 0) plan.forward(batch.pixels, batch.size);  // batch.names says what the pictures are called
//     return true;
//   });
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "io/images/decode.h"
#include "io/pictures/picture_source.h"
#include "pipeline/loader.h"
#include "pipeline/recipe.h"

namespace resflow {

struct StreamOptions {
  int batch = 32;
  int threads = 1;  // of the loader's arena
  int slots = 3;    // batches alive at once: the bound on memory
  OnError on_error = OnError::kSkip;
  bool exif = false;  // pictures are turned upright as their EXIF data say
  DecodeMode decode = DecodeMode::kExact;
  Acceptance accept = {};  // as of LoaderOptions
  bool unordered = false;  // batches come when they are done: one that waits for a slow picture holds back none
  ReadingOptions reading = {};
};

class StreamLoader {
 public:
  // Throws Error{kUsage} for options that cannot be. REQUIRES: `source` lives as long as the StreamLoader.
  StreamLoader(PictureSource& source, const Recipe& recipe, const StreamOptions& options);
  ~StreamLoader();

  // Streams all that the source has left to `consume`, under the rules of Loader::run. In a batch, `samples` counts
  // this run's pictures from 0, `names` are theirs, labels are -1. The last batch alone may have fewer pictures, broken
  // ones included, than its capacity. The report's `broken` stays empty, for there may be any number of them.
  // If the consumer stops the run, the source has been asked for more pictures than were consumed.
  // Unordered: the batches are the same ones, each in its order, and the one that may have fewer pictures comes last. A
  // slow picture takes a slot and a thread until it is done, and where that is the calling thread another one of the
  // loader's calls consume, still never two at once. At most one full batch more waits then.
  // Throws as Loader::run, and what the source throws, after the pictures before it were consumed.
  EpochReport run(const std::function<bool(const Batch&)>& consume);

  // From now on a batch stays as it is until `batches` further ones have been consumed, or another run begins: for a
  // consumer that works on several batches at once. Each takes a slot of its own. To be called before run or from
  // consume, with a larger number than before.
  void hold(int batches);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
