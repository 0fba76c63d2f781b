#include "apps/bench/pipeline_stages.h"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>

#include "io/core/error.h"
#include "io/core/stopwatch.h"

namespace resflow {
namespace {

bool same(const Image& a, const Image& b) {
  return a.width() == b.width() && a.height() == b.height() &&
         std::memcmp(a.row(0), b.row(0), a.row_bytes() * static_cast<size_t>(a.height())) == 0;
}

}  // namespace

StageWorker::StageWorker(const Recipe& recipe, size_t rows)
    : size_(recipe.size),
      normalizer_(recipe.mean, recipe.std),
      row_floats_(3 * static_cast<size_t>(recipe.size) * static_cast<size_t>(recipe.size)) {
  resized_.resize(size_, size_);
  rows_.resize(rows * row_floats_);
}

void StageWorker::read(const Sample& sample) { bytes_read_ = read_sample(sample, buffer_).size(); }

void StageWorker::decode(const BenchPicture& picture) {
  decoder_.open(picture.bytes);
  decoder_.decode(picture.region, decoded_);
}

void StageWorker::resize(const BenchPicture& picture) {
  if (picture.keep.width < size_ || picture.keep.height < size_)
    std::fill_n(resized_.row(0), resized_.row_bytes() * static_cast<size_t>(size_), uint8_t{0});
  resizer_.plan(picture.width, picture.height, picture.out_width, picture.out_height, picture.keep);
  resizer_.run(picture.decoded, resized_.row(0) + picture.offset, resized_.row_bytes());
}

const float* StageWorker::normalize(const BenchPicture& picture) {
  float* const row = rows_.data() + next_row_;
  next_row_ = (next_row_ + row_floats_) % rows_.size();
  normalizer_.run(picture.resized.row(0), size_, size_, picture.flip, row);
  return row;
}

struct StageRunner::Impl {
  Impl(const BenchPictures& the_pictures, int the_threads, int batch)
      : pictures(the_pictures), threads(the_threads), arena(the_threads) {
    constexpr int kSlots = 3;
    const auto rows = static_cast<size_t>(std::max(1, kSlots * batch / threads));
    for (int i = 0; i < threads; ++i) workers.push_back(std::make_unique<StageWorker>(pictures.recipe, rows));
  }

  void work(StageWorker& worker, Stage stage, size_t i) const {
    switch (stage) {
      case Stage::kRead:
        worker.read(pictures.dataset.samples[i]);
        break;
      case Stage::kDecode:
        worker.decode(pictures.all[i]);
        break;
      case Stage::kResize:
        worker.resize(pictures.all[i]);
        break;
      case Stage::kNormalize:
        worker.normalize(pictures.all[i]);
        break;
    }
  }

  const BenchPictures& pictures;
  int threads;
  tbb::task_arena arena;
  std::vector<std::unique_ptr<StageWorker>> workers;
};

StageRunner::StageRunner(const BenchPictures& pictures, int threads, int batch)
    : impl_(std::make_unique<Impl>(pictures, threads, batch)) {}
StageRunner::~StageRunner() = default;

double StageRunner::run(Stage stage, double seconds) {
  Impl& runner = *impl_;
  const auto pass = static_cast<int64_t>(runner.pictures.all.size());
  // Threads take one picture after another, so that none waits for the others at the end of a pass. The one that
  // comes to the first picture of a pass too late ends the work there.
  std::atomic<int64_t> next = 0, end = std::numeric_limits<int64_t>::max(), done = 0;
  const Stopwatch watch;
  const auto passed = [&] { return watch.seconds(); };
  runner.arena.execute([&] {
    tbb::parallel_for(
        0, runner.threads, 1,
        [&](int part) {
          StageWorker& worker = *runner.workers[static_cast<size_t>(part)];
          for (int64_t i = next++; i < end; i = next++) {
            if (i > 0 && i % pass == 0 && passed() >= seconds) {
              end = i;
              break;
            }
            runner.work(worker, stage, static_cast<size_t>(i % pass));
            ++done;
          }
        },
        tbb::static_partitioner());
  });
  return static_cast<double>(done) / passed();
}

void StageRunner::check(Stage stage) {
  const Impl& runner = *impl_;
  StageWorker& worker = *runner.workers.front();
  for (size_t i = 0; i < runner.pictures.all.size(); ++i) {
    const BenchPicture& picture = runner.pictures.all[i];
    runner.work(worker, stage, i);
    const bool right = stage == Stage::kRead     ? worker.bytes_read() == picture.bytes.size()
                       : stage == Stage::kDecode ? same(worker.decoded(), picture.decoded)
                       : stage == Stage::kResize ? same(worker.resized(), picture.resized)
                                                 : true;  // the loader's, as BenchPictures has found
    if (!right)
      throw internal_error("{}: {} alone gives another result", runner.pictures.dataset.samples[i].path,
                           stage_name(stage));
  }
}

}  // namespace resflow
