// Probabilities of several views of a picture: those of the views by themselves, averaged.
#include "apps/score/predictions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "graph/head/probabilities.h"
#include "io/core/error.h"
#include "io/pictures/archive_source.h"
#include "io/pictures/folder_source.h"
#include "io/pictures/open_pictures.h"
#include "tests/apps/program.h"
#include "tests/io/expect_error.h"
#include "tests/io/pictures/made_archive.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

class Predictions : public ::testing::Test {
 protected:
  Predictions() : compute_(2) {
    trained_.model = std::make_unique<Model>(ModelDescription{.architecture = "resnet18", .num_classes = 3}, compute_);
    trained_.model->initialise(1);
    trained_.classes = {"a", "b", "c"};
    trained_.preprocessing.resize = 54;
    trained_.preprocessing.crop = 48;
  }

  std::vector<std::vector<double>> predict(const std::vector<std::string>& paths, Views views) {
    std::vector<Sample> samples;
    for (const std::string& path : paths) samples.push_back({.path = path, .label = 0});
    std::vector<std::vector<double>> all;
    predict_samples(trained_, samples, {.batch = 3, .threads = 2, .views = views}, silent(),
                    [&](const ScoredPicture& p) {
                      EXPECT_EQ(p.sample, static_cast<int64_t>(all.size()));
                      EXPECT_EQ(p.error, "");
                      all.emplace_back(p.probabilities.begin(), p.probabilities.end());
                    });
    return all;
  }

  Compute compute_;
  TrainedModel trained_;
};

TEST_F(Predictions, OfSeveralViewsAreTheMeanOfTheirs) {
  if (!testing::python_has({"PIL", "torchvision"})) GTEST_SKIP() << "needs python3-torchvision and python3-pil";
  const TemporaryFolder folder;
  testing::run_python("apps/score/make_views.py", {folder.path().string(), "54", "48"});
  const std::string whole = folder / "whole.png";
  std::vector<std::string> views;
  for (int i = 0; i < 10; ++i) views.push_back(folder / ("view" + std::to_string(i) + ".png"));
  const auto single = predict(views, Views::kOne);
  const auto mean = [&](const std::vector<size_t>& of) {
    std::vector<double> sum(3);
    for (const size_t i : of)
      for (size_t k = 0; k < 3; ++k) sum[k] += single[i][k] / static_cast<double>(of.size());
    return sum;
  };
  // Where a picture lies in a batch may change the last bits of f32.
  const auto near = ::testing::Pointwise(::testing::DoubleNear(1e-5), mean({4, 9}));
  EXPECT_THAT(predict({whole}, Views::kOne)[0], ::testing::Pointwise(::testing::DoubleNear(1e-5), single[4]));
  EXPECT_THAT(predict({whole}, Views::kFlip)[0], near);
  EXPECT_THAT(predict({whole}, Views::kTenCrop)[0],
              ::testing::Pointwise(::testing::DoubleNear(1e-5), mean({0, 1, 2, 3, 4, 5, 6, 7, 8, 9})));
  // The views are told apart: each differs from the mean by far more than that.
  EXPECT_THAT(single[4], ::testing::Not(near));
  EXPECT_GT(std::abs(single[0][0] - single[3][0]), 1e-4);
}

TEST_F(Predictions, TenCropsNeedRoom) {
  trained_.preprocessing.resize = 48;
  testing::expect_error(ErrorKind::kUsage, {"resizes pictures to 48 and takes 48"},
                        [&] { predict({"x.jpg"}, Views::kTenCrop); });
}

TEST_F(Predictions, WhatIsNoNumberIsAnError) {
  if (!testing::python_has({"PIL", "torchvision"})) GTEST_SKIP() << "needs python3-torchvision and python3-pil";
  const TemporaryFolder folder;
  testing::run_python("apps/score/make_views.py", {folder.path().string(), "54", "48"});
  auto state = trained_.model->state();
  for (NamedArray& named : state)
    if (named.name == "fc.bias") named.array.values<float>()[1] = std::numeric_limits<float>::quiet_NaN();
  trained_.model->load(state);
  std::vector<std::string> errors;
  const PredictSummary summary = predict_samples(trained_, {{folder / "whole.png", 0}, {folder / "absent.png", 0}},
                                                 {.batch = 2, .threads = 1}, silent(), [&](const ScoredPicture& p) {
                                                   EXPECT_TRUE(p.probabilities.empty());
                                                   errors.emplace_back(p.error);
                                                 });
  EXPECT_EQ(summary.files, 2);
  EXPECT_EQ(summary.failed, 2);
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_THAT(errors[0], ::testing::HasSubstr("not finite"));
  EXPECT_THAT(errors[1], ::testing::HasSubstr("No such file"));
}

// All that predict_stream says of each picture.
struct Said {
  std::string name, error;
  std::vector<double> probabilities;
  std::vector<float> features;
};

class PredictStream : public Predictions {
 protected:
  PredictStream() {
    for (int i = 0; i < 7; ++i) {
      const std::string name = std::to_string(i) + ".jpg";
      testing::write_text(folder_ / "photos/" + name, i == 4 ? "no picture" : testing::photo_bytes(i % 3, 5));
      members_.push_back({name, testing::read_text(folder_ / "photos/" + name)});
    }
    testing::write_archive(folder_ / "x.tar.zst", members_, ARCHIVE_FILTER_ZSTD);
  }

  std::vector<Said> said(PictureSource& source, const PredictOptions& options) {
    std::vector<Said> all;
    summary_ = predict_stream(trained_, source, options, silent(), [&](const ScoredPicture& p) {
      EXPECT_EQ(p.sample, static_cast<int64_t>(all.size()));
      all.push_back({std::string(p.name),
                     std::string(p.error),
                     {p.probabilities.begin(), p.probabilities.end()},
                     {p.features.begin(), p.features.end()}});
    });
    return all;
  }

  testing::TemporaryFolder folder_;
  std::vector<testing::Member> members_;
  PredictSummary summary_;
};

TEST_F(PredictStream, SaysOfASourceWhatPredictSamplesSaysOfItsFiles) {
  const std::vector<Sample> samples = list_pictures(folder_ / "photos");
  ASSERT_EQ(samples.size(), 7U);
  for (const int batch : {2, 7, 32}) {
    const PredictOptions options = {.batch = batch, .threads = 2};
    std::vector<Said> wanted;
    predict_samples(trained_, samples, options, silent(), [&](const ScoredPicture& p) {
      EXPECT_TRUE(p.features.empty());
      wanted.push_back(
          {std::string(p.name), std::string(p.error), {p.probabilities.begin(), p.probabilities.end()}, {}});
    });
    for (const char* input : {"photos", "x.tar.zst"}) {
      InputSource source({recognise_input(folder_ / input)});
      const std::vector<Said> all = said(source, options);
      ASSERT_EQ(all.size(), 7U);
      EXPECT_EQ(summary_.files, 7);
      EXPECT_EQ(summary_.failed, 1);
      EXPECT_FALSE(summary_.stopped);
      for (size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].name, folder_ / input + "/" + std::to_string(i) + ".jpg");
        EXPECT_EQ(wanted[i].name, samples[i].path);
        EXPECT_EQ(all[i].probabilities, wanted[i].probabilities);  // the same batches, so the same bits
        EXPECT_EQ(all[i].probabilities.size(), i == 4 ? 0U : 3U);
        EXPECT_EQ(all[i].error.empty(), i != 4);
        EXPECT_TRUE(all[i].features.empty());
      }
      EXPECT_EQ(all[4].error, wanted[4].error);
    }
  }
}

TEST_F(PredictStream, GivesTheFeaturesThatTheHeadReads) {
  FolderSource source(folder_ / "photos");
  const std::vector<Said> all = said(source, {.batch = 4, .threads = 2, .features = true});
  ASSERT_EQ(all.size(), 7U);
  auto state = trained_.model->state();
  const auto values = [&](const std::string& name) {
    for (NamedArray& named : state)
      if (named.name == name) return named.array.values<float>();
    throw std::runtime_error(name);
  };
  const auto weight = values("fc.weight"), bias = values("fc.bias");
  for (size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i].features.size(), i == 4 ? 0U : 512U);
    if (i == 4) continue;
    std::vector<float> logits;
    for (size_t k = 0; k < 3; ++k) {
      double sum = bias[k];
      for (size_t j = 0; j < 512; ++j)
        sum += static_cast<double>(weight[k * 512 + j]) * static_cast<double>(all[i].features[j]);
      logits.push_back(static_cast<float>(sum));
    }
    // f32 sums of 512 products on the other side.
    EXPECT_THAT(softmax(logits), ::testing::Pointwise(::testing::DoubleNear(1e-5), all[i].probabilities));
  }
  EXPECT_NE(all[0].features, all[1].features);
  // Of several views it is their mean.
  FolderSource one(folder_ / "photos"), both(folder_ / "photos");
  const auto single = said(one, {.batch = 4, .features = true});
  const auto mean = said(both, {.batch = 4, .views = Views::kFlip, .features = true});
  EXPECT_EQ(mean[0].features.size(), 512U);
  EXPECT_NE(mean[0].features, single[0].features);
}

// Executors with as many threads as the one give its bits, in its order, whatever is broken.
TEST_F(PredictStream, SaysTheSameWithSeveralExecutors) {
  for (int i = 7; i < 40; ++i)
    testing::write_text(folder_ / ("photos/a" + std::to_string(100 + i) + ".jpg"),
                        i / 3 % 4 == 3 ? "no picture" : testing::photo_bytes(i % 3, 5));
  const Compute single(1);
  TrainedModel trained_by_one = {.model = std::make_unique<Model>(trained_.model->description(), single),
                                 .classes = trained_.classes,
                                 .preprocessing = trained_.preprocessing,
                                 .head = trained_.head};
  trained_by_one.model->load(trained_.model->state());
  std::swap(trained_, trained_by_one);
  FolderSource one(folder_ / "photos");
  const std::vector<Said> wanted =
      said(one, {.batch = 3, .threads = 1, .views = Views::kFlip, .features = true, .whole_plan = true});
  ASSERT_EQ(wanted.size(), 40U);
  std::swap(trained_, trained_by_one);
  for (const int executors : {2, 3}) {
    FolderSource source(folder_ / "photos");
    const std::vector<Said> all = said(source, {.batch = 3,
                                                .threads = executors,
                                                .views = Views::kFlip,
                                                .features = true,
                                                .whole_plan = true,
                                                .executors = executors});
    EXPECT_EQ(summary_.files, 40);
    EXPECT_EQ(summary_.failed, 1 + 3 * 3);
    ASSERT_EQ(all.size(), 40U);
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(all[i].name, wanted[i].name);
      EXPECT_EQ(all[i].error, wanted[i].error);
      EXPECT_EQ(all[i].probabilities, wanted[i].probabilities);
      EXPECT_EQ(all[i].features, wanted[i].features);
    }
  }
}

TEST_F(PredictStream, WhatThrowsEndsExecutorsToo) {
  for (const int at : {0, 3, 6}) {
    FolderSource source(folder_ / "photos");
    int taken = 0;
    testing::expect_error(ErrorKind::kData, {"taken"}, [&] {
      predict_stream(trained_, source, {.batch = 1, .threads = 2, .executors = 2}, silent(),
                     [&](const ScoredPicture& p) {
                       EXPECT_EQ(p.sample, taken);
                       if (taken++ == at) throw data_error("taken");
                     });
    });
    EXPECT_EQ(taken, at + 1);
  }
}

// The first batches are one executor's, then a measurement says how many there are.
TEST_F(PredictStream, ChoosesExecutorsWhereThereAreManyPictures) {
  EXPECT_EQ(trial_batches(64, 2), 128);
  const int64_t trial = trial_batches(8, 2) * 8;
  EXPECT_EQ(trial, 2048);
  const auto choices = [&](int64_t pictures, int64_t before, bool known) {
    const std::vector<Sample> samples(static_cast<size_t>(pictures), {.path = folder_ / "photos/0.jpg", .label = 0});
    int64_t done = 0, chosen_at = -1;
    const PredictOptions options = {.batch = 8,
                                    .threads = 2,
                                    .whole_plan = true,
                                    .executors = kChooseExecutors,
                                    .rows_before = before,
                                    .chosen = [&](const std::vector<ExecutorSpeed>& speeds, size_t chosen) {
                                      EXPECT_EQ(chosen_at, -1);
                                      EXPECT_EQ(speeds.size(), 2U);
                                      EXPECT_LT(chosen, 2U);
                                      for (const ExecutorSpeed& speed : speeds) EXPECT_GT(speed.images_per_second, 0);
                                      chosen_at = done;
                                    }};
    const auto take = [&](const ScoredPicture& p) {
      EXPECT_EQ(p.sample, done);
      EXPECT_EQ(p.error, "");
      ++done;
    };
    if (known) {
      predict_samples(trained_, samples, options, silent(), take);
    } else {
      const std::string archive = folder_ / "many.tar";
      std::vector<testing::Member> members;
      for (int64_t i = 0; i < pictures; ++i) members.push_back({std::to_string(i) + ".jpg", members_[0].bytes});
      testing::write_archive(archive, members);
      ArchiveSource source(archive);
      predict_stream(trained_, source, options, silent(), take);
    }
    EXPECT_EQ(done, pictures);
    return chosen_at;
  };
  trained_.preprocessing.resize = trained_.preprocessing.crop = 32;
  EXPECT_EQ(choices(2100, 0, false), trial);
  EXPECT_EQ(choices(200, trial - 64, false), 64);
  EXPECT_EQ(choices(200, trial - 64, true), -1);  // too few are left
  EXPECT_EQ(choices(130, 0, true), -1);
  EXPECT_EQ(choices(130, trial + 64, false), -1);
}

TEST_F(PredictStream, WhatEndsASourceComesAfterThePicturesBeforeIt) {
  members_.erase(members_.begin() + 4);
  testing::write_archive(folder_ / "cut.tar", members_);
  const auto size = fs::file_size(folder_ / "cut.tar");
  const std::string whole = testing::read_text(folder_ / "cut.tar");
  testing::write_text(folder_ / "cut.tar", whole.substr(0, whole.find("6.jpg") + 700));
  ASSERT_GT(size, whole.find("6.jpg") + 700);
  for (const int executors : {1, 2}) {
    ArchiveSource source(folder_ / "cut.tar");
    int taken = 0;
    testing::expect_error(ErrorKind::kData, {folder_ / "cut.tar", "ends early", "5 pictures"}, [&] {
      predict_stream(trained_, source, {.batch = 2, .threads = 2, .executors = executors}, silent(),
                     [&](const ScoredPicture& p) {
                       EXPECT_EQ(p.error, "");
                       ++taken;
                     });
    });
    EXPECT_EQ(taken, 5);
  }
}

}  // namespace
}  // namespace resflow
