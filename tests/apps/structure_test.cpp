// The constructor of the network at the command line: what train, inspect, bench, score and convert make of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/model/model_zoo.h"
#include "io/checkpoint/checkpoint.h"
#include "io/pth/pth.h"
#include "io/weights/safetensors.h"
#include "tests/apps/made_weights.h"
#include "tests/apps/program.h"
#include "tests/apps/runs.h"

namespace resflow::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ModelDescription small_group_norm() {
  ModelDescription model;
  model.architecture = "resnet";
  model.num_classes = 2;
  model.block = "bottleneck";
  model.layers = {1, 2};
  model.channels = 32;
  model.norm = "group";
  model.norm_groups = 8;
  model.stem = "cifar";
  return model;
}

class StructureProgram : public ::testing::Test {
 protected:
  StructureProgram() { draw_photos(data_, 2, 4); }

  ProcessResult train(const std::string& run, const std::vector<std::string>& more, const char* batch = "4") const {
    std::vector<std::string> all = {"train", data_, "--out", run, "--batch", batch, "--epochs", "1", "--threads", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return resflow(all);
  }

  TemporaryFolder folder_;
  std::string data_ = folder_ / "data", run_ = folder_ / "run";
};

TEST_F(StructureProgram, ATrainedNetworkOfNoNameIsTheSameInEveryFile) {
  const ProcessResult result =
      train(run_, {"--block", "bottleneck", "--layers", "1,2", "--channels", "32", "--stem", "cifar", "--norm", "group",
                   "--norm-groups", "8", "--zero-init-residual", "--replace-stride-with-dilation", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("for a picture of 32 x 32"));
  ModelDescription wanted = small_group_norm();
  wanted.zero_init_residual = true;
  wanted.replace_stride_with_dilation = {true};
  const std::string best = run_ + "/best.resflow", text = to_text(wanted);
  EXPECT_EQ(load_checkpoint(best).model, wanted);
  EXPECT_THAT(result.out, HasSubstr("model      " + text));

  const ProcessResult resumed = resflow({"train", data_, "--out", run_, "--resume", "--epochs", "2"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(load_checkpoint(run_ + "/last.resflow").model, wanted);
  // The run's own config.toml makes the same network.
  ASSERT_EQ(resflow({"train", "--config", run_ + "/config.toml", "--out", folder_ / "again"}).exit_code, 0);
  EXPECT_EQ(load_checkpoint(folder_ / "again/last.resflow").model, wanted);

  const std::string tensors = folder_ / "best.safetensors", own = folder_ / "back.resflow";
  ASSERT_EQ(resflow({"convert", best, tensors}).exit_code, 0);
  ASSERT_EQ(resflow({"convert", tensors, own}).exit_code, 0);
  EXPECT_EQ(load_checkpoint(own).model, wanted);
  EXPECT_EQ(resflow({"convert", best, folder_ / "best.onnx"}).exit_code, 0);
  EXPECT_EQ(resflow({"score", best, data_, "--out", folder_ / "a.csv"}).exit_code, 0);
  EXPECT_EQ(resflow({"score", own, data_, "--out", folder_ / "b.csv"}).exit_code, 0);
  EXPECT_EQ(read_text(folder_ / "a.csv"), read_text(folder_ / "b.csv"));

  // Training from it goes on with the same network, dilation too.
  ASSERT_EQ(train(folder_ / "tuned", {"--weights", tensors}).exit_code, 0);
  EXPECT_EQ(load_checkpoint(folder_ / "tuned/best.resflow").model, wanted);
}

TEST_F(StructureProgram, GroupNormTrainsOnOnePictureOfAnySize) {
  const ProcessResult result = train(run_, {"--model", "resnet20", "--norm", "group"}, "1");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, Not(HasSubstr("left out")));
  const Checkpoint best = load_checkpoint(run_ + "/best.resflow");
  EXPECT_EQ(to_text(best.model), "resnet20 (norm group)");
  EXPECT_EQ(load_checkpoint(run_ + "/last.resflow").training.step, 8);
  // No whole-number formats, and no convolution into which a norm could be folded.
  const ProcessResult quantized = resflow({"quantize", run_ + "/best.resflow", data_, "--out", folder_ / "q.resflow"});
  EXPECT_EQ(quantized.exit_code, 2);
  EXPECT_THAT(quantized.err, HasSubstr("a network with group norm is scored in f32 alone: it cannot be quantized"));
  const ProcessResult half =
      resflow({"score", run_ + "/best.resflow", data_, "--precision", "bf16", "--force-precision"});
  EXPECT_EQ(half.exit_code, 2);
  EXPECT_THAT(half.err, HasSubstr("a network with group norm is scored in f32, not in bf16"));
}

TEST_F(StructureProgram, WhatCannotBeIsRefusedInOneSentence) {
  std::string ones = "1";
  for (int i = 1; i < 64; ++i) ones += ",1";
  const std::vector<std::pair<std::vector<std::string>, std::string>> all = {
      {{"--block", "basic", "--layers", "0,1"}, "number of blocks in a stage is 0: wanted 1 to 1000"},
      {{"--block", "basic", "--layers", ones}, "number of stages in layers is 64: wanted 1 to 8"},
      {{"--layers", "1,1"}, "--block and --layers go together"},
      {{"--model", "resnet50", "--block", "basic", "--layers", "1"},
       "--model resnet50 has its own --block and --layers"},
      {{"--model", "resnet50", "--groups", "3", "--width-per-group", "64", "--norm", "group", "--norm-groups", "48"},
       "48 groups do not divide the 64 channels of a group norm; 16 do"},
      {{"--model", "resnet18", "--groups", "2"}, "BasicBlock only supports groups 1"},
      {{"--model", "resnet50", "--groups", "0"}, "--groups is 0: wanted at least 1"},
      {{"--model", "resnet18", "--norm", "layer"}, "norm is layer: wanted batch or group"},
      {{"--model", "resnet18", "--norm-groups", "4"}, "batch norm has none"},
      {{"--model", "resnet18", "--no-residual", "--shortcut", "padding"}, "no_residual"},
      {{"--model", "resnet50", "--replace-stride-with-dilation", "0,1"}, "2 elements"},
      {{"--model", "resnet50", "--replace-stride-with-dilation", "0,1,2"}, "has 2: wanted 0 or 1"}};
  for (const auto& [options, sentence] : all) {
    const ProcessResult result = train(run_, options);
    EXPECT_EQ(result.exit_code, 2) << sentence;
    EXPECT_THAT(result.err, HasSubstr(sentence));
    EXPECT_FALSE(std::filesystem::exists(run_));
  }
}

TEST_F(StructureProgram, ACheckpointOfALaterVersionIsRefused) {
  for (const bool norm : {true, false}) {
    Checkpoint checkpoint;
    checkpoint.model = {.architecture = "resnet18", .num_classes = 2};
    (norm ? checkpoint.model.norm : checkpoint.model.shortcut) = "later";
    checkpoint.classes = {"a", "b"};
    const std::string path = folder_ / "later.resflow";
    save_checkpoint(checkpoint, path);
    const ProcessResult result = resflow({"score", path, data_});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.err, HasSubstr(norm ? "has the norm \"later\", this resflow knows batch and group"
                                           : "has the shortcut \"later\", this resflow knows projection and padding"));
  }
}

// Group norms have batch norms' names, but for the running statistics.
TEST_F(StructureProgram, GroupNormsInAFileOfTensorsAreNamed) {
  const std::string path = folder_ / "group.pth";
  ModelDescription model = small_group_norm();
  write_pth(made_weights(1, model), path);
  const ProcessResult inspected = resflow({"inspect", path});
  EXPECT_THAT(inspected.out, HasSubstr("norm group"));
  EXPECT_THAT(inspected.out,
              HasSubstr("they are group norms, not batch norms; of how many groups it does not say: 32"));
  EXPECT_THAT(resflow({"inspect", path, "--norm-groups", "8"}).out, HasSubstr("norm groups 8"));
  const ProcessResult batch = train(run_, {"--weights", path, "--norm", "batch"});
  EXPECT_EQ(batch.exit_code, 3);
  EXPECT_THAT(batch.err, HasSubstr("which does not fit --norm batch: missing: bn1.running_mean"));
  ASSERT_EQ(train(run_, {"--weights", path, "--norm", "group", "--norm-groups", "8"}).exit_code, 0);
  EXPECT_EQ(load_checkpoint(run_ + "/best.resflow").model, model);
  // What a checkpoint says cannot be told otherwise.
  const ProcessResult told = resflow({"score", run_ + "/best.resflow", data_, "--norm-groups", "4"});
  EXPECT_EQ(told.exit_code, 2);
  EXPECT_THAT(told.err, HasSubstr("--norm-groups 4: " + run_ + "/best.resflow says that it is a resnet"));
}

TEST_F(StructureProgram, InspectAndBenchTakeAnyNetwork) {
  const ProcessResult plain = resflow({"inspect", "resnet34", "--no-residual", "--image-size", "64"});
  EXPECT_EQ(plain.exit_code, 0) << plain.err;
  EXPECT_THAT(plain.out, HasSubstr("resnet34 (no residual): 1000 outputs"));
  EXPECT_THAT(plain.out, Not(HasSubstr(".add")));
  const ProcessResult unnamed = resflow({"inspect", "resnet", "--block", "bottleneck", "--layers", "3,4,6,3",
                                         "--groups", "32", "--width-per-group", "4", "--image-size", "64"});
  EXPECT_THAT(unnamed.out, HasSubstr("resnext50_32x4d: 1000 outputs, 25,028,904 parameters"));
  const ProcessResult bench = resflow({"bench", "train", "--model", "resnet20", "--norm", "group", "--batch", "2",
                                       "--seconds", "0.1", "--threads", "2"});
  EXPECT_EQ(bench.exit_code, 0) << bench.err;
  EXPECT_THAT(bench.out, HasSubstr("train resnet20 (norm group) with Adam, batch 2, 32 x 32"));
}

}  // namespace
}  // namespace resflow::testing
