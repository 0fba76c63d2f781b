#include "pipeline/recipe.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "io/core/error.h"
#include "io/files/file.h"
#include "io/images/image_format.h"
#include "io/pictures/dataset.h"
#include "tests/pipeline/pixels/augmentation.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::python_has;
using testing::run_python;
using testing::TemporaryFolder;

constexpr uint64_t kSeed = 3, kEpoch = 1;

std::vector<std::string> shared_photographs() {
  std::vector<std::string> paths;
  const std::string root = std::string(RESFLOW_SHARED_DIR) + "/data/animals4";
  if (!std::filesystem::exists(root)) return paths;
  for (const char* part : {"/train", "/val"})
    for (const Sample& sample : list_image_folder(root + part).samples) paths.push_back(sample.path);
  return paths;
}

std::vector<std::string> noise_of_many_sizes(const TemporaryFolder& folder) {
  run_python("pipeline/pixels/recipe.py", {"pictures", folder.path().string()});
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Compares the digests of all `paths` that resflow reads; `line` says what recipe.py is told of a picture.
void expect_torchvisions_bits(const Recipe& recipe, const std::vector<std::string>& paths,
                              std::vector<std::string> arguments,
                              const std::function<std::string(const Decoder&, size_t index)>& line) {
  const TemporaryFolder folder;
  Decoder decoder;
  RecipeWorker worker(recipe);
  std::vector<uint8_t> buffer;
  std::vector<float> values(3 * static_cast<size_t>(recipe.size) * static_cast<size_t>(recipe.size));
  std::vector<std::string> read;
  std::vector<uint64_t> ours;
  {
    std::ofstream list(folder / "list.txt");
    for (size_t i = 0; i < paths.size(); ++i) {
      const auto bytes = read_file(paths[i], buffer);
      if (const ImageFormat* format = image_format(bytes); format != nullptr && format->name == "GIF")
        continue;  // one of the shared files, named .jpg or .gif
      decoder.open(bytes, paths[i]);
      list << line(decoder, i) << paths[i] << '\n';
      worker.run(decoder, kSeed, kEpoch, i, values.data());
      read.push_back(paths[i]);
      ours.push_back(testing::digest_of_bits(values));
    }
  }
  EXPECT_GE(read.size() + 1, paths.size());
  arguments.push_back(folder / "list.txt");
  std::istringstream theirs(run_python("pipeline/pixels/recipe.py", arguments));
  for (size_t i = 0; i < read.size(); ++i) {
    uint64_t wanted = 0;
    ASSERT_TRUE(theirs >> wanted);
    EXPECT_EQ(ours[i], wanted) << read[i];
  }
}

// The mode of recipe.py.
std::string mode(const std::string& kind, const std::string& interpolation) {
  return interpolation == "bilinear" ? kind : kind + "-" + interpolation;
}

void expect_eval_bits(int resize, int crop, const std::vector<std::string>& paths,
                      const std::string& interpolation = "bilinear") {
  Preprocessing preprocessing;
  preprocessing.resize = resize;
  preprocessing.crop = crop;
  preprocessing.interpolation = interpolation;
  expect_torchvisions_bits(Recipe::eval(preprocessing), paths,
                           {mode("eval", interpolation), std::to_string(resize), std::to_string(crop)},
                           [](const Decoder&, size_t) { return std::string(); });
}

void expect_train_bits(const Recipe& recipe, const std::vector<std::string>& paths) {
  expect_torchvisions_bits(
      recipe, paths,
      {mode("train", recipe.interpolation == Interpolation::kBicubic ? "bicubic" : "bilinear"),
       std::to_string(recipe.size)},
      [&](const Decoder& decoder, size_t i) {
        const TrainDraw draw = draw_train(recipe, decoder.width(), decoder.height(), kSeed, kEpoch, i);
        std::string line = fmt::format("{} {} {} {} {} {} ", draw.crop.left, draw.crop.top, draw.crop.width,
                                       draw.crop.height, draw.flip ? 1 : 0, draw.ops.size());
        for (const ImageOp& op : draw.ops) line += fmt::format("{} {} ", testing::op_name(op.kind), op.value);
        return line + fmt::format("{} {} {} {} ", draw.erase.left, draw.erase.top, draw.erase.width, draw.erase.height);
      });
}

// All that a training recipe can do.
Recipe everything(int size, AutoAugment which) {
  Recipe recipe = Recipe::train(size);
  recipe.auto_augment = which;
  recipe.color_jitter = {0.4, 0.4, 0.4, 0.1};
  recipe.erase_probability = 0.5;
  return recipe;
}

class RecipeTest : public ::testing::Test {
  void SetUp() override {
    if (!python_has({"torch", "torchvision", "PIL", "numpy"})) GTEST_SKIP() << "needs python3-torchvision";
  }
};

TEST_F(RecipeTest, EvalEqualsTorchvisionOnEveryPhotograph) {
  const auto paths = shared_photographs();
  if (paths.empty()) GTEST_SKIP() << "no shared photographs";
  expect_eval_bits(256, 224, paths);
}

TEST_F(RecipeTest, TrainEqualsTorchvisionOnEveryPhotograph) {
  const auto paths = shared_photographs();
  if (paths.empty()) GTEST_SKIP() << "no shared photographs";
  expect_train_bits(Recipe::train(224), paths);
}

TEST_F(RecipeTest, BicubicEqualsTorchvisionOnPhotographsAndManySizes) {
  Recipe train = Recipe::train(224);
  train.interpolation = Interpolation::kBicubic;
  if (const auto paths = testing::photographs(12); !paths.empty()) {
    expect_eval_bits(303, 288, paths, "bicubic");
    expect_train_bits(train, paths);
  }
  const TemporaryFolder folder;
  const auto paths = noise_of_many_sizes(folder);
  expect_eval_bits(235, 224, paths, "bicubic");
  expect_eval_bits(50, 65, paths, "bicubic");  // padded
  for (const int size : {1, 65, 288}) {
    train.size = size;
    expect_train_bits(train, paths);
  }
}

TEST_F(RecipeTest, EvalEqualsTorchvisionOnManySizes) {
  const TemporaryFolder folder;
  const auto paths = noise_of_many_sizes(folder);
  ASSERT_GT(paths.size(), 10U);
  expect_eval_bits(256, 224, paths);
  expect_eval_bits(232, 224, paths);
  expect_eval_bits(73, 64, paths);
  expect_eval_bits(224, 224, paths);
  expect_eval_bits(50, 65, paths);  // padded
  expect_eval_bits(63, 64, paths);
}

TEST_F(RecipeTest, TrainEqualsTorchvisionOnManySizes) {
  const TemporaryFolder folder;
  const auto paths = noise_of_many_sizes(folder);
  for (const int size : {1, 32, 65, 224, 288}) expect_train_bits(Recipe::train(size), paths);
}

TEST_F(RecipeTest, RandAugmentJitterAndErasingEqualTorchvisionOnPhotographs) {
  const auto paths = testing::photographs(4);
  if (paths.empty()) GTEST_SKIP() << "no shared photographs";
  expect_train_bits(everything(224, AutoAugment::kRandAugment), paths);
}

TEST_F(RecipeTest, TrivialAugmentJitterAndErasingEqualTorchvisionOnPhotographs) {
  const auto paths = testing::photographs(4);
  if (paths.empty()) GTEST_SKIP() << "no shared photographs";
  expect_train_bits(everything(160, AutoAugment::kTrivialAugment), paths);
}

// Many draws, odd sizes, and the flip before and after what tells left from right.
TEST_F(RecipeTest, EverythingEqualsTorchvisionOnManySizes) {
  const TemporaryFolder folder;
  std::vector<std::string> paths = noise_of_many_sizes(folder);
  const size_t once = paths.size();
  for (size_t i = 0; i < 9 * once; ++i) paths.push_back(paths[i % once]);
  for (const int size : {1, 2, 33, 64}) {
    expect_train_bits(everything(size, AutoAugment::kTrivialAugment), paths);
    Recipe strong = everything(size, AutoAugment::kRandAugment);
    strong.randaugment_ops = 3;
    strong.randaugment_magnitude = 27;
    strong.color_jitter = {};
    expect_train_bits(strong, paths);
  }
}

// What a run drew before there was any of this, and what the flip and the crop draw beside it.
TEST(Recipe, AugmentationLeavesCropAndFlipAsTheyWere) {
  for (uint64_t sample = 0; sample < 200; ++sample) {
    const TrainDraw plain = draw_train(Recipe::train(224), 500, 375, 1, 0, sample);
    const TrainDraw all = draw_train(everything(224, AutoAugment::kRandAugment), 500, 375, 1, 0, sample);
    EXPECT_EQ(plain.crop, all.crop);
    EXPECT_EQ(plain.flip, all.flip);
    EXPECT_TRUE(plain.ops.empty());
    EXPECT_EQ(plain.erase, Rect{});
    EXPECT_EQ(all.ops.size(), 2U + 4U);
  }
}

TEST(Recipe, EvalPairsWithTrainingAs256PairsWith224) {
  EXPECT_EQ(eval_preprocessing(224).resize, 256);
  EXPECT_EQ(eval_preprocessing(224).crop, 224);
  EXPECT_EQ(eval_preprocessing(64).resize, 73);
  EXPECT_EQ(eval_preprocessing(32).resize, 36);
}

TEST(Recipe, FlipsHalfOfThePictures) {
  const Recipe recipe = Recipe::train(224);
  int flips = 0;
  for (uint64_t sample = 0; sample < 10'000; ++sample) flips += draw_train(recipe, 500, 375, 1, 0, sample).flip ? 1 : 0;
  EXPECT_NEAR(flips, 5000, 5 * 50);  // five standard deviations
}

TEST(Recipe, RefusesWhatCannotBe) {
  Recipe recipe = Recipe::train(224);
  recipe.scale[0] = 0;
  EXPECT_THROW(RecipeWorker{recipe}, Error);
  recipe = Recipe::train(224);
  recipe.ratio[1] = 0.1;
  EXPECT_THROW(RecipeWorker{recipe}, Error);
  recipe = Recipe::train(224);
  recipe.flip_probability = 1.5;
  EXPECT_THROW(RecipeWorker{recipe}, Error);
  const auto refused = [](auto change) {
    Recipe changed = Recipe::train(224);
    change(changed);
    EXPECT_THROW(RecipeWorker{changed}, Error);
  };
  refused([](Recipe& r) { r.randaugment_ops = -1; });
  refused([](Recipe& r) { r.randaugment_magnitude = 31; });
  refused([](Recipe& r) { r.color_jitter.hue = 0.6; });
  refused([](Recipe& r) { r.erase_probability = -0.5; });
  refused([](Recipe& r) { r.erase_scale[1] = 1.5; });
  refused([](Recipe& r) { r.erase_ratio[0] = 0; });
  Preprocessing preprocessing;
  preprocessing.resize = 0;
  EXPECT_THROW(RecipeWorker{Recipe::eval(preprocessing)}, Error);
  preprocessing.mean = {0.5F};
  EXPECT_THROW(Recipe::eval(preprocessing), Error);
}

}  // namespace
}  // namespace resflow
