#include "pipeline/recipe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "io/dataset.h"
#include "io/error.h"
#include "io/file.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::python_has;
using testing::run_python;
using testing::TemporaryFolder;

constexpr uint64_t kSeed = 3, kEpoch = 1;

// The number that recipe.py makes of the same floats: any single bit changes it.
uint64_t digest(const std::vector<float>& values) {
  uint64_t mixed = 0, sum = 0, odd = 1;
  for (const float value : values) {
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    const uint64_t product = bits * (odd * 0x9E3779B97F4A7C15U);
    mixed ^= product;
    sum += product;
    odd += 2;
  }
  return mixed ^ sum;
}

std::vector<std::string> shared_photographs() {
  std::vector<std::string> paths;
  const std::string root = std::string(RESFLOW_SHARED_DIR) + "/data/animals4";
  if (!std::filesystem::exists(root)) return paths;
  for (const char* part : {"/train", "/val"})
    for (const Sample& sample : list_image_folder(root + part).samples) paths.push_back(sample.path);
  return paths;
}

std::vector<std::string> noise_of_many_sizes(const TemporaryFolder& folder) {
  run_python("pipeline/recipe.py", {"pictures", folder.path().string()});
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
      if (image_format(bytes) == ImageFormat::kGif) continue;  // one of the shared files, named .jpg or .gif
      decoder.open(bytes, paths[i]);
      list << line(decoder, i) << paths[i] << '\n';
      worker.run(decoder, kSeed, kEpoch, i, values.data());
      read.push_back(paths[i]);
      ours.push_back(digest(values));
    }
  }
  EXPECT_GE(read.size() + 1, paths.size());
  arguments.push_back(folder / "list.txt");
  std::istringstream theirs(run_python("pipeline/recipe.py", arguments));
  for (size_t i = 0; i < read.size(); ++i) {
    uint64_t wanted = 0;
    ASSERT_TRUE(theirs >> wanted);
    EXPECT_EQ(ours[i], wanted) << read[i];
  }
}

void expect_eval_bits(int resize, int crop, const std::vector<std::string>& paths) {
  Preprocessing preprocessing;
  preprocessing.resize = resize;
  preprocessing.crop = crop;
  expect_torchvisions_bits(Recipe::eval(preprocessing), paths, {"eval", std::to_string(resize), std::to_string(crop)},
                           [](const Decoder&, size_t) { return std::string(); });
}

void expect_train_bits(int size, const std::vector<std::string>& paths) {
  const Recipe recipe = Recipe::train(size);
  expect_torchvisions_bits(recipe, paths, {"train", std::to_string(size)}, [&](const Decoder& decoder, size_t i) {
    const TrainDraw draw = draw_train(recipe, decoder.width(), decoder.height(), kSeed, kEpoch, i);
    std::ostringstream line;
    line << draw.crop.left << ' ' << draw.crop.top << ' ' << draw.crop.width << ' ' << draw.crop.height << ' '
         << draw.flip << ' ';
    return line.str();
  });
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
  expect_train_bits(224, paths);
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
  for (const int size : {1, 32, 65, 224, 288}) expect_train_bits(size, paths);
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
  Preprocessing preprocessing;
  preprocessing.resize = 0;
  EXPECT_THROW(RecipeWorker{Recipe::eval(preprocessing)}, Error);
  preprocessing.mean = {0.5F};
  EXPECT_THROW(Recipe::eval(preprocessing), Error);
}

}  // namespace
}  // namespace resflow
