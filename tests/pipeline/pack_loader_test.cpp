// Batches of packed pictures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/core/error.h"
#include "io/files/file.h"
#include "io/pack/reader.h"
#include "io/pack/writer.h"
#include "pipeline/loader.h"
#include "tests/pipeline/made_picture.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryFolder;

// FOLDER/data/{a,b,c}/NN.jpg, and FOLDER/pack of them.
class PackLoader : public ::testing::Test {
 protected:
  PackLoader() {
    for (int i = 0; i < 29; ++i) {
      const std::string name = std::string(1, static_cast<char>('a' + i % 3)) + "/" + std::to_string(10 + i) + ".jpg";
      std::filesystem::create_directories(std::filesystem::path(root_ + "/" + name).parent_path());
      replace_file(root_ + "/" + name, testing::picture(i));
    }
    folder_set_ = list_image_folder(root_);
    PackWriter writer(pack_, {.classes = folder_set_.classes});
    std::vector<uint8_t> buffer;
    for (const Sample& sample : folder_set_.samples)
      writer.add(sample.path.substr(root_.size() + 1), sample.label, read_sample(sample, buffer));
    writer.commit();
  }

  struct Seen {
    std::vector<int32_t> labels;
    std::vector<int64_t> samples;
    std::vector<float> pixels;
    bool operator==(const Seen&) const = default;
  };
  static std::vector<Seen> batches(const Dataset& dataset, const Recipe& recipe, int threads, bool shuffle,
                                   EpochReport* report = nullptr) {
    Loader loader(dataset, recipe, {.batch = 8, .threads = threads, .seed = 7, .shuffle = shuffle});
    std::vector<Seen> all;
    const EpochReport found = loader.run(2, 0, [&](const Batch& batch) {
      const size_t floats = static_cast<size_t>(batch.size) * 3 * 32 * 32;
      all.push_back({batch.labels, batch.samples, {batch.pixels, batch.pixels + floats}});
      return true;
    });
    if (report != nullptr) *report = found;
    return all;
  }

  TemporaryFolder folder_;
  std::string root_ = folder_ / "data", pack_ = folder_ / "pack";
  Dataset folder_set_;
};

TEST_F(PackLoader, BatchesAreTheFoldersToTheBit) {
  const Dataset packed = list_image_folder(pack_);
  EXPECT_EQ(packed.classes, folder_set_.classes);
  Preprocessing evaluation;
  evaluation.resize = 36;
  evaluation.crop = 32;
  Recipe train = Recipe::train(32);
  train.auto_augment = AutoAugment::kRandAugment;
  for (const int threads : {1, 2}) {
    EXPECT_TRUE(batches(packed, train, threads, true) == batches(folder_set_, train, 2, true));
    const Recipe eval = Recipe::eval(evaluation);
    EXPECT_TRUE(batches(packed, eval, threads, false) == batches(folder_set_, eval, 2, false));
  }
}

TEST_F(PackLoader, ADamagedPictureIsSkippedAndSaid) {
  const PackReader reader(pack_);
  std::vector<uint8_t> buffer, bytes;
  const std::string needle = [&] {
    const auto data = reader.read(11, buffer);
    return std::string(data.begin(), data.end());
  }();
  std::string all;
  {
    const auto read = read_file(pack_, bytes);
    all.assign(read.begin(), read.end());
  }
  const size_t at = all.find(needle);
  ASSERT_NE(at, std::string::npos);
  all[at + needle.size() / 2] ^= 1;
  std::ofstream(pack_, std::ios::binary) << all;
  const Dataset packed = list_image_folder(pack_);
  EpochReport report;
  batches(packed, Recipe::train(32), 2, true, &report);
  EXPECT_EQ(report.images, 28);
  ASSERT_EQ(report.broken.size(), 1U);
  EXPECT_EQ(report.broken[0].sample, 11);
  EXPECT_EQ(report.broken[0].reason, "damaged: its checksum in the pack differs");
  Loader stopping(packed, Recipe::train(32), {.batch = 8, .on_error = OnError::kStop});
  try {
    stopping.run(0, 0, [](const Batch&) { return true; });
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_THAT(error.what(), HasSubstr(packed.samples[11].path + ": damaged"));
  }
}

}  // namespace
}  // namespace resflow
