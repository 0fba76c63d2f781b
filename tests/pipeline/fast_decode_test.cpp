// DecodeMode::kFast: which scale it takes, that the crop lands where it does in exact decoding, and how far pixels
// differ.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "io/files/file.h"
#include "io/images/jpeg.h"
#include "io/images/jpeg_encode.h"
#include "io/images/png_encode.h"
#include "pipeline/loader.h"
#include "pipeline/pixels/crop.h"
#include "pipeline/recipe.h"
#include "tests/pipeline/pixels/augmentation.h"
#include "tests/support/exif_jpeg.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::TemporaryFolder;
using testing::with_exif;

// Waves of 160 pixels and more: half, a quarter and an eighth of the pixels show them as well.
Image waves(int width, int height) {
  Image image;
  image.resize(width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      uint8_t* pixel = image.row(y) + static_cast<ptrdiff_t>(x) * 3;
      pixel[0] = static_cast<uint8_t>(std::lround(128 + 90 * std::sin(x * 0.04)));
      pixel[1] = static_cast<uint8_t>(std::lround(128 + 90 * std::sin(y * 0.04)));
      pixel[2] = static_cast<uint8_t>(std::lround(128 + 90 * std::sin((x + y) * 0.025)));
    }
  return image;
}

// In units of a pixel's 255 values.
struct Difference {
  double mean = 0, max = 0;
};

class Decoded {
 public:
  explicit Decoded(const Recipe& recipe) : recipe_(recipe) {}

  std::vector<float> run(std::span<const uint8_t> bytes, DecodeMode mode, uint64_t sample, bool exif = false) {
    RecipeWorker worker(recipe_, mode);
    decoder_.set_exif(exif);
    decoder_.open(bytes);
    std::vector<float> values(3 * static_cast<size_t>(recipe_.size) * static_cast<size_t>(recipe_.size));
    worker.run(decoder_, 5, 1, sample, values.data());
    return values;
  }
  Difference difference(std::span<const uint8_t> bytes, uint64_t sample, bool exif = false) {
    const auto exact = run(bytes, DecodeMode::kExact, sample, exif), fast = run(bytes, DecodeMode::kFast, sample, exif);
    Difference d;
    for (size_t i = 0; i < exact.size(); ++i) {
      const double apart = std::abs(exact[i] - fast[i]) * 255;
      d.mean += apart / static_cast<double>(exact.size());
      d.max = std::max(d.max, apart);
    }
    return d;
  }

 private:
  Recipe recipe_;
  Decoder decoder_;
};

Recipe plain(Recipe recipe) {
  std::fill_n(recipe.mean, 3, 0.0F);
  std::fill_n(recipe.std, 3, 1.0F);
  return recipe;
}
Recipe eval_recipe(int resize, int crop) {
  Preprocessing preprocessing;
  preprocessing.resize = resize;
  preprocessing.crop = crop;
  return plain(Recipe::eval(preprocessing));
}

TEST(FastDecode, TakesTheSmallestScaleThatLeavesEnoughPixels) {
  EXPECT_EQ(fast_scale(447, 1000, 224, 224), 8);
  EXPECT_EQ(fast_scale(448, 448, 224, 224), 4);
  EXPECT_EQ(fast_scale(448, 447, 224, 224), 8);
  EXPECT_EQ(fast_scale(895, 896, 224, 224), 4);
  EXPECT_EQ(fast_scale(896, 896, 224, 224), 2);
  EXPECT_EQ(fast_scale(1792, 1792, 224, 224), 1);
  EXPECT_EQ(fast_scale(60000, 60000, 224, 224), 1);
  EXPECT_EQ(fast_scale(1, 1, 224, 224), 8);
}

TEST(FastDecode, SmallPicturesAndOtherFormatsAreExact) {
  Decoded decoded(plain(Recipe::train(64)));
  const auto small = encode_jpeg(waves(100, 90)), png = encode_png(waves(500, 400));
  for (uint64_t sample = 0; sample < 20; ++sample) {
    EXPECT_EQ(decoded.run(small, DecodeMode::kFast, sample), decoded.run(small, DecodeMode::kExact, sample));
    EXPECT_EQ(decoded.run(png, DecodeMode::kFast, sample), decoded.run(png, DecodeMode::kExact, sample));
  }
}

// A crop that were off by half a pixel at half size, the least that rounding could do, would change waves of this
// height by 90 * 0.04 * 2 / pi = 2.3 on average; the rest is rounding, twice, and what a longer filter takes of them.
TEST(FastDecode, CropsLieWhereTheyDoInExactDecoding) {
  for (const auto& [width, height] : {std::pair{640, 480}, {641, 483}, {2047, 1337}}) {
    const auto jpeg = encode_jpeg(waves(width, height), 100);
    for (const int size : {32, 96}) {
      Decoded train(plain(Recipe::train(size))), eval(eval_recipe(size * 8 / 7, size));
      for (uint64_t sample = 0; sample < 6; ++sample) EXPECT_LT(train.difference(jpeg, sample).mean, 1.2) << size;
      for (uint8_t exif = 1; exif <= 8; ++exif) {
        EXPECT_LT(eval.difference(with_exif(jpeg, exif), 0, true).mean, 1.2) << size << " " << int{exif};
        EXPECT_LT(train.difference(with_exif(jpeg, exif), exif, true).mean, 1.2) << size << " " << int{exif};
      }
    }
  }
}

// Photographs of animals4 whose short side is 512 or more, evaluated at 256 and 224: exact to the rest of the file, the
// half-size picture is a filter of its own, wider than the triangle at its corners; edges differ, most pixels hardly.
TEST(FastDecode, PhotographsAreCloseToExact) {
  const std::string root = std::string(RESFLOW_SHARED_DIR) + "/data/animals4";
  if (!std::filesystem::exists(root)) GTEST_SKIP() << "no " << root;
  Decoded eval(eval_recipe(256, 224));
  Decoder decoder;
  std::vector<uint8_t> buffer;
  int changed = 0;
  double sum = 0;
  for (const Sample& sample : list_pictures(root)) {
    const auto bytes = read_file(sample.path, buffer);
    if (!is_jpeg(bytes)) continue;
    decoder.open(bytes);
    if (std::min(decoder.width(), decoder.height()) < 512) continue;
    const Difference d = eval.difference(bytes, 0);
    EXPECT_LT(d.mean, 6) << sample.path;
    sum += d.mean;
    ++changed;
  }
  ASSERT_GT(changed, 5);
  EXPECT_GT(sum, 0) << "nothing was scaled";
  EXPECT_LT(sum / changed, 2.5);
}

// The whole of it beside Pillow: draft, then crop to whole pixels and resize(box).
TEST(FastDecode, EqualsPillowsDraftAndResizeOfABox) {
  if (!testing::python_has({"PIL", "numpy", "torch"})) GTEST_SKIP() << "no Pillow and torch for /usr/bin/python3";
  const TemporaryFolder folder;
  std::vector<std::string> paths;
  for (const auto& [width, height] : {std::pair{640, 480}, {641, 483}, {1001, 1999}, {479, 2047}}) {
    paths.push_back(folder / fmt::format("{}x{}.jpg", width, height));
    replace_file(paths.back(), encode_jpeg(waves(width, height)));
  }
  const int size = 64;
  const Recipe train = plain(Recipe::train(size)), eval = eval_recipe(73, size);
  Decoded decoded_train(train), decoded_eval(eval);
  std::vector<uint64_t> ours;
  std::ofstream list(folder / "list");
  Decoder decoder;
  std::vector<uint8_t> buffer;
  const auto put = [&](const std::vector<float>& values) { ours.push_back(testing::digest_of_bits(values)); };
  for (const std::string& path : paths) {
    const auto bytes = read_file(path, buffer);
    decoder.open(bytes);
    const int width = decoder.width(), height = decoder.height();
    const ResizeCrop whole = resize_center_crop(width, height, 73, size);
    list << fmt::format("{} 0 0 {} {} {} {} {} {} 0 {}\n", 8 / fast_scale(width, height, whole.width, whole.height),
                        width, height, whole.width, whole.height, whole.keep.left, whole.keep.top, path);
    put(decoded_eval.run(bytes, DecodeMode::kFast, 0));
    for (uint64_t sample = 0; sample < 10; ++sample) {
      const TrainDraw draw = draw_train(train, width, height, 5, 1, sample);
      const Rect& crop = draw.crop;
      list << fmt::format("{} {} {} {} {} {} {} 0 0 {} {}\n", 8 / fast_scale(crop.width, crop.height, size, size),
                          crop.left, crop.top, crop.width, crop.height, size, size, draw.flip ? 1 : 0, path);
      put(decoded_train.run(bytes, DecodeMode::kFast, sample));
    }
  }
  list.close();
  std::istringstream theirs(testing::run_python("pipeline/fast_decode.py", {std::to_string(size), folder / "list"}));
  for (size_t i = 0; i < ours.size(); ++i) {
    uint64_t wanted = 0;
    ASSERT_TRUE(theirs >> wanted);
    EXPECT_EQ(ours[i], wanted) << "line " << i + 1;
  }
}

TEST(FastDecode, TheLoaderTakesItAndBatchesAreTheSameForAnyThreads) {
  const TemporaryFolder folder;
  Dataset dataset = {.classes = {"a"}, .samples = {}};
  for (int i = 0; i < 9; ++i) {
    dataset.samples.push_back({folder / (std::to_string(i) + ".jpg"), 0});
    replace_file(dataset.samples.back().path, encode_jpeg(waves(300 + i * 50, 260 + i * 40)));
  }
  const auto all = [&](DecodeMode mode, int threads) {
    std::vector<float> values;
    Loader loader(dataset, Recipe::train(64), {.batch = 4, .threads = threads, .decode = mode});
    loader.run(0, 0, [&](const Batch& batch) {
      values.insert(values.end(), batch.pixels, batch.pixels + static_cast<ptrdiff_t>(batch.size) * 3 * 64 * 64);
      return true;
    });
    return values;
  };
  const auto fast = all(DecodeMode::kFast, 1);
  EXPECT_EQ(fast, all(DecodeMode::kFast, 2));
  EXPECT_NE(fast, all(DecodeMode::kExact, 2));
}

}  // namespace
}  // namespace resflow
