// The flow graph that Loader and StreamLoader share: its slots, its workers, and a run from rows to batches, as
// pipeline/loader.h draws it. The two differ in where rows come from.
#pragma once

#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/core/array.h"
#include "io/core/stopwatch.h"
#include "io/images/decode.h"
#include "io/pictures/picture_source.h"
#include "pipeline/loader.h"
#include "pipeline/outage.h"
#include "pipeline/recipe.h"
#include "pipeline/stages.h"
#include "pipeline/stream_loader.h"

namespace resflow {

// A batch under way. A row is written by one task; whoever finishes the last row moves the slot on.
struct Slot {
  Slot(int capacity, int image_size);
  size_t row_floats() const {
    return 3 * static_cast<size_t>(batch.image_size) * static_cast<size_t>(batch.image_size);
  }

  Array pixels;
  Batch batch;
  std::vector<std::exception_ptr> errors;  // [begun]: what became of each; null where it is whole
  std::vector<std::string> names;          // [rows] of a source's pictures
  std::vector<PicturePlace> places;        // [rows] likewise
  int begun = 0;                           // rows that tasks were begun for
  int rows = 0;                            // those that there are: of the last batch of a source perhaps fewer
  std::atomic<int> pending = 0;            // begun rows not yet finished
  std::atomic<int> truncated = 0;          // rows whose pictures end early
};

// What one picture at a time needs; it goes with the picture's row from node to node. There are as many as threads:
// they are the tokens that bound how many pictures are under way.
struct Worker {
  Worker(const Recipe& recipe, const StreamOptions& options) : recipe_worker(recipe, options.decode) {
    decoder.set_exif(options.exif);
    decoder.set_acceptance(options.accept);
    decoder.set_stop(options.reading.stop);
  }
  // Frees what decoding a huge picture needed, and what its file did.
  void give_back_pixels() {
    decoder.give_back();
    recipe_worker.give_back();
  }
  void give_back_file() {
    give_back_large(buffer);
    give_back_large(picture.bytes);
    bytes = {};
  }

  Decoder decoder;
  RecipeWorker recipe_worker;
  Picture picture;  // of a source: the one at hand
  std::vector<uint8_t> buffer;
  std::span<const uint8_t> bytes;  // of the file at hand: in `buffer`, in `picture`, or in a pack
  bool resized = false;            // the picture at hand: a huge one passes its stages at once
  // Of one run; whoever holds the worker adds to them.
  Stopwatch watch;
  StageSeconds seconds;
  int64_t bytes_read = 0;
};

struct Row {
  Slot* slot = nullptr;
  int index = 0;
};

// Where the rows of batches come from. No call of start or list runs beside another one of its kind.
class RowSource {
 public:
  virtual ~RowSource() = default;

  // Begins batch `number`: sets the slot's begun, rows (0 where list() will count them), labels and samples.
  virtual void start(Slot& slot, int64_t number) = 0;

  // Whether each row is to be listed before it is read: one after another, in order.
  virtual bool lists() const { return false; }
  // Whether list() has come to the end of the source, so that no further batch need be begun. Any thread may ask.
  virtual bool ended() const { return false; }

  // Whether it has ended because the machine failed, so that nobody knows what it would have had.
  virtual bool broke_off() const { return false; }

  // Finds the picture that the row is; false where there is none. What it throws ends the run.
  virtual bool list(const Row& /*row*/, Worker& /*worker*/) { return true; }

  // The sample and the name of a row as it was begun: rows of the Batch have moved up over broken ones since.
  virtual int64_t sample(const Slot& slot, size_t row) const = 0;
  virtual const std::string& name(const Slot& slot, size_t row) const = 0;

  // The bytes of the file. Throws UnreadableFile or another Error{kData} that begins with the row's name, or what the
  // machine throws.
  virtual std::span<const uint8_t> read(const Row& row, Worker& worker, const PictureReading& reading) const = 0;
};

class LoaderFlow {
 public:
  // `pictures` is how many there are in all; 0: not known. Throws Error{kUsage} for options that cannot be.
  LoaderFlow(const Recipe& recipe, const StreamOptions& options, int64_t pictures = 0);
  ~LoaderFlow();

  // Makes the slots: as many as the options say, or fewer where there are fewer batches. To be called once, before run.
  void make_slots(int64_t batches);

  // As StreamLoader::hold.
  void hold(int batches);

  // Draws of the recipe.
  struct Keys {
    uint64_t seed = 0, epoch = 0;
  };

  struct RunOptions {
    Keys keys = {};
    int64_t first_batch = 0;
    int64_t end_batch = std::numeric_limits<int64_t>::max();  // one past the last, unless the source ends before
    bool keep_broken = false;                                 // the report names every broken row
  };

  // Streams batches of the source's rows to `consume`, as Loader::run has it.
  EpochReport run(RowSource& source, const RunOptions& options, const std::function<bool(const Batch&)>& consume);

 private:
  class Run;

  StreamOptions options_;
  Recipe recipe_;
  tbb::task_arena arena_;
  std::vector<std::unique_ptr<Slot>> slots_;
  UnreadFiles unread_;  // from run to run: the next epoch's first files follow the last ones of this epoch
  size_t held_ = 0;     // slots beyond those of the options, for batches that were consumed
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace resflow
