#include "apps/bench/pictures.h"

#include <fmt/format.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "apps/bench/pipeline_stages.h"
#include "apps/data/demo_photos.h"
#include "io/core/error.h"
#include "io/images/decode.h"
#include "io/images/jpeg_encode.h"
#include "pipeline/loader.h"
#include "pipeline/pixels/crop.h"

namespace resflow {
namespace {

constexpr int64_t kPixelBytes = 1'000'000'000;  // of all decoded pictures
constexpr int64_t kHeaders = 32;                // as many are looked at to guess how large pictures are
constexpr int kLongSide = 500;                  // as most photographs of data sets from the web have it
constexpr int kBatch = 16;                      // of the loader that results are compared with

std::vector<Sample> every_nth(const std::vector<Sample>& samples, int64_t count) {
  const auto size = static_cast<int64_t>(samples.size());
  count = std::min(count, size);
  std::vector<Sample> some;
  some.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) some.push_back(samples[static_cast<size_t>(i * size / count)]);
  return some;
}

// The average of the decoded pictures. Pictures that cannot be opened do not count.
int64_t mean_pixel_bytes(const std::vector<Sample>& samples) {
  Decoder decoder;
  std::vector<uint8_t> buffer;
  int64_t sum = 0, count = 0;
  for (const Sample& sample : every_nth(samples, kHeaders)) {
    try {
      decoder.open(read_sample(sample, buffer), sample.path);
    } catch (const Error&) {
      continue;
    }
    sum += int64_t{3} * decoder.width() * decoder.height();
    ++count;
  }
  return count == 0 ? 1 : std::max<int64_t>(1, sum / count);
}

// Plans as RecipeWorker does. compare_with_loader() finds any difference.
void plan(const Recipe& recipe, int width, int height, uint64_t seed, uint64_t sample, BenchPicture& picture) {
  Resizer resizer;
  if (recipe.kind == Recipe::Kind::kTrain) {
    const TrainDraw draw = draw_train(recipe, width, height, seed, 0, sample);
    picture.width = draw.crop.width;
    picture.height = draw.crop.height;
    picture.out_width = picture.out_height = recipe.size;
    picture.keep = {0, 0, recipe.size, recipe.size};
    picture.flip = draw.flip;
    picture.region = resizer.plan(picture.width, picture.height, recipe.size, recipe.size, picture.keep);
    picture.region.left += draw.crop.left;
    picture.region.top += draw.crop.top;
    return;
  }
  const ResizeCrop crop = resize_center_crop(width, height, recipe.resize, recipe.size);
  picture.width = width;
  picture.height = height;
  picture.out_width = crop.width;
  picture.out_height = crop.height;
  picture.keep = crop.keep;
  picture.offset =
      (static_cast<size_t>(crop.top) * static_cast<size_t>(recipe.size) + static_cast<size_t>(crop.left)) * 3;
  picture.region = resizer.plan(width, height, crop.width, crop.height, crop.keep);
}

}  // namespace

Dataset spread_pictures(const Dataset& dataset, int64_t wanted) {
  const int64_t fit = std::max<int64_t>(1, kPixelBytes / mean_pixel_bytes(dataset.samples));
  return {.classes = dataset.classes, .samples = every_nth(dataset.samples, std::min(wanted, fit))};
}

void draw_bench_photos(const std::string& root, int64_t count, int threads) {
  const std::vector<std::string>& classes = demo_classes();
  for (const std::string& name : classes) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(root) / name, error);
    if (error) throw system_error("{}: a folder cannot be made there: {}", root, error.message());
  }
  tbb::task_arena arena(threads);
  arena.execute([&] {
    tbb::parallel_for(int64_t{0}, count, [&](int64_t i) {
      const auto label = static_cast<size_t>(i) % classes.size();
      const std::vector<uint8_t> bytes =
          encode_jpeg(draw_demo_photo(static_cast<int>(label), static_cast<uint64_t>(i) / classes.size(), kLongSide));
      const std::string path = fmt::format("{}/{}/{:04}.jpg", root, classes[label], i);
      std::ofstream file(path, std::ios::binary);
      file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
      if (!file.flush()) throw system_error("{}: cannot be written: {}", path, std::strerror(errno));
    });
  });
}

BenchPictures::BenchPictures(Dataset set, const Recipe& how, uint64_t the_seed, int threads)
    : dataset(std::move(set)), recipe(how), seed(the_seed) {
  take_out_broken(threads);
  prepare(threads);
  compare_with_loader(threads);
}

void BenchPictures::take_out_broken(int threads) {
  Loader loader(dataset, recipe, {.batch = kBatch, .threads = threads, .seed = seed, .shuffle = false});
  const EpochReport report = loader.run(0, 0, [](const Batch& /*batch*/) { return true; });
  broken = static_cast<int64_t>(report.broken.size());
  if (report.images == 0)
    throw data_error("{}: {}; and so on: none of its pictures can be read",
                     dataset.samples[static_cast<size_t>(report.broken.front().sample)].path,
                     report.broken.front().reason);
  for (auto it = report.broken.rbegin(); it != report.broken.rend(); ++it)
    dataset.samples.erase(dataset.samples.begin() + it->sample);
}

void BenchPictures::prepare(int threads) {
  all.resize(dataset.samples.size());
  tbb::task_arena arena(threads);
  arena.execute([&] {
    tbb::parallel_for(size_t{0}, all.size(), [&](size_t i) {
      BenchPicture& picture = all[i];
      StageWorker worker(recipe, 1);
      std::vector<uint8_t> buffer;
      const auto content = read_sample(dataset.samples[i], buffer);
      picture.bytes.assign(content.begin(), content.end());
      Decoder decoder;
      decoder.open(picture.bytes);
      plan(recipe, decoder.width(), decoder.height(), seed, i, picture);
      worker.decode(picture);
      picture.decoded = worker.decoded();
      worker.resize(picture);
      picture.resized = worker.resized();
    });
  });
  for (const BenchPicture& picture : all) bytes += static_cast<int64_t>(picture.bytes.size());
}

void BenchPictures::compare_with_loader(int threads) const {
  Loader loader(dataset, recipe, {.batch = kBatch, .threads = threads, .seed = seed, .shuffle = false});
  StageWorker worker(recipe, 1);
  const size_t row = 3 * static_cast<size_t>(recipe.size) * static_cast<size_t>(recipe.size);
  loader.run(0, 0, [&](const Batch& batch) {
    for (size_t i = 0; i < static_cast<size_t>(batch.size); ++i) {
      const auto sample = static_cast<size_t>(batch.samples[i]);
      const float* made = worker.normalize(all[sample]);
      if (std::memcmp(made, batch.pixels + i * row, row * sizeof(float)) != 0)
        throw internal_error("{}: the stages one by one give other pixels than the loader",
                             dataset.samples[sample].path);
    }
    return true;
  });
}

}  // namespace resflow
