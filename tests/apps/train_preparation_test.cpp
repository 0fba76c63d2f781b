// How training prepares its pictures: mean and deviation, interpolation, another size in validation; what of it the
// files carry.
//
// Covers: apps/data/normalization
#include "apps/data/normalization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "apps/data/stats.h"
#include "apps/model/initial_weights.h"
#include "graph/model/init.h"
#include "graph/model/model_zoo.h"
#include "io/checkpoint/checkpoint.h"
#include "io/images/png_encode.h"
#include "io/weights/model_metadata.h"
#include "io/weights/safetensors.h"
#include "io/weights/weights.h"
#include "tests/apps/environment.h"
#include "tests/apps/program.h"
#include "tests/apps/runs.h"
#include "tests/io/expect_error.h"

namespace resflow::testing {
namespace {

using ::testing::HasSubstr;

class Preparation : public ::testing::Test {
 protected:
  Preparation() { draw_photos(data_, 2, 4); }

  ProcessResult train(const std::string& out, const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"train",   data_, "--out",        folder_ / out, "--model",   "resnet18",
                                    "--batch", "4",   "--image-size", "48",          "--threads", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return resflow(all);
  }
  static Preprocessing of_file(const std::string& file) {
    const ModelMetadata metadata = from_texts(read_weights_summary(file).metadata);
    return metadata.preprocessing.value();
  }

  const TemporaryFolder folder_;
  const std::string data_ = folder_ / "photos";
};

TEST_F(Preparation, TheDataAreMeasuredAsStatsDoes) {
  const Dataset dataset = list_image_folder(data_);
  const auto measured = measure_normalization(dataset, data_, {.threads = 2}, silent());
  ASSERT_TRUE(measured);
  const DataStats stats = gather_data_stats({{.name = "train", .root = data_}}, {}, silent());
  EXPECT_EQ(measured->pictures, 8);
  EXPECT_EQ(measured->mean, stats.parts[0].pixels.mean());
  EXPECT_EQ(measured->std, stats.parts[0].pixels.std());
}

TEST_F(Preparation, DataWithoutAReadablePictureOrWithOneColourAreRefused) {
  const std::string broken = folder_ / "broken", flat = folder_ / "flat";
  for (const char* name : {"/a/1.jpg", "/b/1.jpg"}) write_text(broken + name, "no picture");
  expect_error(ErrorKind::kData, {broken, "not one of its 2 pictures could be read", "no mean and deviation"},
               [&] { measure_normalization(list_image_folder(broken), broken, {}, silent()); });
  Image grey;
  grey.resize(300, 300);
  std::fill_n(grey.row(0), grey.row_bytes() * 300, uint8_t{80});
  const std::vector<uint8_t> png = encode_png(grey);
  for (const char* name : {"/a/1.png", "/b/1.png"}) write_text(flat + name, {png.begin(), png.end()});
  expect_error(ErrorKind::kData, {flat, "its deviation is 0"},
               [&] { measure_normalization(list_image_folder(flat), flat, {}, silent()); });
  const ProcessResult result =
      resflow({"train", broken, "--out", folder_ / "run", "--batch", "2", "--normalize", "data"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("not one of its 2 pictures could be read"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run"));
}

TEST_F(Preparation, EveryFileOfTheModelCarriesItAndAResumedRunKeepsIt) {
  const ProcessResult run = train("run", {"--val", data_, "--val-size", "64", "--crop-pct", "0.95", "--interpolation",
                                          "bicubic", "--normalize", "data", "--epochs", "1"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("evaluation short side to 67, centre 64 x 64"));
  EXPECT_THAT(run.out, HasSubstr("resized    bicubic"));
  EXPECT_THAT(run.out, HasSubstr("over all pixels of 8 pictures"));
  const auto measured = measure_normalization(list_image_folder(data_), data_, {}, silent());
  const Preprocessing p = load_checkpoint(folder_ / "run/best.resflow").preprocessing;
  EXPECT_EQ(p.resize, 67);  // the largest side of which 64 is at least 0.95
  EXPECT_EQ(p.crop, 64);
  EXPECT_EQ(p.interpolation, "bicubic");
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(p.mean[i], static_cast<float>(measured->mean[i]));
    EXPECT_EQ(p.std[i], static_cast<float>(measured->std[i]));
  }
  const std::string safetensors = folder_ / "m.safetensors", onnx = folder_ / "m.onnx";
  ASSERT_EQ(resflow({"convert", folder_ / "run/best.resflow", safetensors}).exit_code, 0);
  ASSERT_EQ(resflow({"convert", folder_ / "run/best.resflow", onnx}).exit_code, 0);
  EXPECT_EQ(of_file(safetensors), p);
  EXPECT_EQ(of_file(onnx), p);

  // Both score alike, and not as a bilinear model does.
  const std::string from_checkpoint = resflow({"score", folder_ / "run/best.resflow", data_, "--all-scores"}).out;
  EXPECT_EQ(resflow({"score", safetensors, data_, "--all-scores"}).out, from_checkpoint);

  const ProcessResult longer =
      resflow({"train", data_, "--val", data_, "--out", folder_ / "run", "--resume", "--epochs", "2"});
  ASSERT_EQ(longer.exit_code, 0) << longer.err;
  EXPECT_EQ(load_checkpoint(folder_ / "run/last.resflow").preprocessing, p);

  // Weights bring theirs along; what is said goes before it.
  const ProcessResult tuned = train("tuned", {"--weights", safetensors, "--epochs", "0"});
  ASSERT_EQ(tuned.exit_code, 0) << tuned.err;
  const Preprocessing theirs = load_checkpoint(folder_ / "tuned/last.resflow").preprocessing;
  EXPECT_EQ(theirs.interpolation, "bicubic");
  EXPECT_EQ(theirs.mean, p.mean);
  EXPECT_EQ(theirs.crop, 48);
  EXPECT_EQ(theirs.resize, 48 * 67 / 64);
  const ProcessResult asked = train("asked", {"--weights", safetensors, "--epochs", "0", "--interpolation", "bilinear",
                                              "--mean", "0.5,0.5,0.5", "--std", "0.25,0.5,0.5", "--val-size", "56"});
  ASSERT_EQ(asked.exit_code, 0) << asked.err;
  const Preprocessing own = load_checkpoint(folder_ / "asked/last.resflow").preprocessing;
  EXPECT_EQ(own.interpolation, "bilinear");
  EXPECT_EQ(own.mean, (std::vector<float>{0.5F, 0.5F, 0.5F}));
  EXPECT_EQ(own.std, (std::vector<float>{0.25F, 0.5F, 0.5F}));
  EXPECT_EQ(own.crop, 56);
}

TEST_F(Preparation, TimmsEntriesBringTheirSizesAlong) {
  const EnvironmentVariable own("RESFLOW_WEIGHTS", folder_ / "own");
  std::vector<NamedArray> values;
  for (const ParameterSpec& spec : build_model({.architecture = "resnet18"}).parameters())
    values.push_back({spec.name, initial_value(spec, 1)});
  write_text(folder_ / "own/here", "");
  write_safetensors(values, {}, folder_ / "own/resnet18.a3_in1k.safetensors");

  InitialWeightsOptions options = {.weights = "resnet18:a3_in1k", .classes = {"a", "b"}, .image_size = 0};
  const InitialWeights as_timm = load_initial_weights(options, silent());
  EXPECT_EQ(as_timm.image_size, 160);
  EXPECT_EQ(as_timm.preprocessing.resize, 235);
  EXPECT_EQ(as_timm.preprocessing.crop, 224);
  EXPECT_EQ(as_timm.preprocessing.interpolation, "bicubic");
  options.image_size = 64;
  EXPECT_EQ(load_initial_weights(options, silent()).preprocessing.resize, 64 * 235 / 224);

  const std::vector<std::string> tune = {
      "train", data_,     "--out", folder_ / "run", "--weights", "resnet18:a3_in1k", "--epochs",
      "0",     "--batch", "4",     "--threads",     "2"};
  const ProcessResult result = resflow(tune);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("for a picture of 160 x 160"));
  const Checkpoint last = load_checkpoint(folder_ / "run/last.resflow");
  EXPECT_EQ(last.preprocessing, as_timm.preprocessing);
  const auto saved = [&](const char* name) {
    for (const auto& [option, value] : last.training.options)
      if (option == name) return value;
    return std::string();
  };
  EXPECT_EQ(saved("--image-size"), "160");
  EXPECT_EQ(saved("--val-size"), "224");
}

TEST_F(Preparation, WhatCannotBeIsSaidBeforeAFolderIsMade) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> wrong = {
      {{"--mean", "0.5,0.5", "--std", "1,1,1"}, "--mean has 2 values: wanted three"},
      {{"--mean", "0.5,0.5,0.5", "--std", "1,0,1"}, "--std is 0"},
      {{"--mean", "0.5,0.5,0.5", "--std", "1,-1,1"}, "--std is -1"},
      {{"--mean", "0.5,0.5,0.5", "--std", "1,nan,1"}, "--std is nan"},
      {{"--mean", "0.5,0.5,0.5"}, "--mean and --std go together"},
      {{"--mean", "a,b,c", "--std", "1,1,1"}, "--mean"},
      {{"--normalize", "both"}, "--normalize both: wanted imagenet or data"},
      {{"--normalize", "data", "--mean", "0,0,0", "--std", "1,1,1"}, "--normalize and --mean: one or the other"},
      {{"--interpolation", "lanczos"}, "--interpolation lanczos: wanted bilinear or bicubic"},
      {{"--crop-pct", "1.5"}, "--crop-pct is 1.5"},
      {{"--val-size", "16"}, "--val-size is 16: wanted at least 32"}};
  for (const auto& [arguments, words] : wrong) {
    const ProcessResult result = train("wrong", arguments);
    EXPECT_EQ(result.exit_code, 2) << words;
    EXPECT_THAT(result.err, HasSubstr(words));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "wrong"));
}

}  // namespace
}  // namespace resflow::testing
