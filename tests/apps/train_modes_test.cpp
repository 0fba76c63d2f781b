// resflow train --mode and --freeze: what stays as it is, what a resumed run goes on with, what is refused.
//
// Covers: apps/train/settings
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <map>

#include "apps/train/options.h"
#include "io/checkpoint/checkpoint.h"
#include "tests/apps/program.h"
#include "tests/io/expect_error.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class TrainModes : public ::testing::Test {
 protected:
  TrainModes() {
    draw_photos(data_, 2, 8);
    EXPECT_EQ(train("start", {"--epochs", "1"}).exit_code, 0);
  }

  ProcessResult train(const std::string& out, const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"train",   data_,      "--out",        folder_ / out, "--batch",   "4",
                                    "--model", "resnet18", "--image-size", "48",          "--threads", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return resflow(all);
  }

  std::string file(const std::string& run) const { return folder_ / run + "/last.resflow"; }
  std::map<std::string, Array> values(const std::string& run) const {
    std::map<std::string, Array> all;
    for (NamedArray& a : load_checkpoint(file(run)).parameters) all.emplace(a.name, std::move(a.array));
    return all;
  }

  const TemporaryFolder folder_;
  const std::string data_ = folder_ / "photos";
};

TEST_F(TrainModes, PartialLeavesWhatIsFrozenToTheBit) {
  for (const char* batch_norm : {"eval", "train"}) {
    const std::string out = std::string("partial-") + batch_norm;
    const ProcessResult run =
        train(out, {"--mode", "partial", "--weights", file("start"), "--freeze", "conv1,bn1,layer1", "--freeze",
                    "layer2", "--freeze-bn", batch_norm, "--epochs", "2"});
    ASSERT_EQ(run.exit_code, 0) << run.err;
    EXPECT_THAT(run.out, HasSubstr("683,072 of 11,177,538 parameters (6.1 %): conv1, bn1, layer1, layer2"));
    const auto before = values("start"), after = values(out);
    for (const auto& [name, value] : before) {
      const bool frozen = name.starts_with("layer1.") || name.starts_with("layer2.") || name.starts_with("conv1.") ||
                          name.starts_with("bn1.");
      const bool statistics = name.find("running_") != std::string::npos || name.ends_with("num_batches_tracked");
      const bool stays = frozen && (!statistics || std::string(batch_norm) == "eval");
      EXPECT_EQ(after.at(name) == value, stays) << name << " with " << batch_norm;
    }
  }
}

TEST_F(TrainModes, AResumedPartialRunIsTheSameToTheBit) {
  const std::vector<std::string> options = {"--weights", file("start"), "--freeze", "conv1,bn1,layer1,layer2,layer3"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), options.begin(), options.end());
    return more;
  };
  ASSERT_EQ(train("whole", with({"--epochs", "3"})).exit_code, 0);
  ASSERT_EQ(train("parts", with({"--epochs", "1"})).exit_code, 0);
  ProcessResult other = train("parts", {"--resume", "--epochs", "3", "--freeze", "conv1"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("--freeze was conv1 bn1 layer1 layer2 layer3, now conv1"));
  ASSERT_EQ(train("parts", {"--resume", "--epochs", "3"}).exit_code, 0);
  EXPECT_EQ(values("whole"), values("parts"));
  const Checkpoint whole = load_checkpoint(file("whole")), parts = load_checkpoint(file("parts"));
  ASSERT_EQ(whole.optimizer.size(), parts.optimizer.size());
  for (size_t i = 0; i < whole.optimizer.size(); ++i) {
    EXPECT_EQ(whole.optimizer[i].array, parts.optimizer[i].array) << whole.optimizer[i].name;
    EXPECT_THAT(whole.optimizer[i].name,
                ::testing::AnyOf(::testing::StartsWith("layer4."), ::testing::StartsWith("fc.")));
  }
}

TEST_F(TrainModes, WhatFreezesNothingOrAllIsRefusedBeforeTheFirstStep) {
  const auto refused = [&](const std::string& freeze, const std::string& why) {
    const ProcessResult run = train("bad", {"--weights", file("start"), "--freeze", freeze, "--overwrite"});
    EXPECT_EQ(run.exit_code, 2);
    EXPECT_THAT(run.err, HasSubstr(why));
  };
  refused("layer7", "--freeze: no parameter of resnet18 is called 'layer7'");
  refused("*", "something left to train");
}

TEST_F(TrainModes, AScheduledRunSaysItsRatesAndIsResumedToTheBit) {
  const std::vector<std::string> options = {"--schedule", "cosine", "--warmup-epochs", "1", "--lr", "0.01",
                                            "--epochs",   "3",      "--save-every",    "1"};
  ASSERT_EQ(train("whole", options).exit_code, 0);
  const std::vector<EpochRecord> history = load_checkpoint(file("whole")).training.history;
  ASSERT_EQ(history.size(), 3U);
  EXPECT_DOUBLE_EQ(history[0].learning_rate, 0.0001);
  EXPECT_DOUBLE_EQ(history[1].learning_rate, 0.01);
  EXPECT_DOUBLE_EQ(history[2].learning_rate, 0.005);  // half of a cosine of two epochs

  std::vector<std::string> all = {"train",    data_,          "--out", folder_ / "parts", "--batch", "4", "--model",
                                  "resnet18", "--image-size", "48",    "--threads",       "2"};
  all.insert(all.end(), options.begin(), options.end());
  {
    RunningProgram program(all, folder_ / "log");
    ASSERT_TRUE(program.wait_until([&] { return fs::exists(file("parts") + ".1"); }));
    program.send(SIGKILL);
    program.wait();
  }
  const ProcessResult longer = train("parts", {"--resume", "--epochs", "9"});
  EXPECT_EQ(longer.exit_code, 2);
  EXPECT_THAT(longer.err, HasSubstr("--epochs was 3 and is part of --schedule cosine, now 9"));
  ASSERT_EQ(train("parts", {"--resume"}).exit_code, 0);
  EXPECT_EQ(values("whole"), values("parts"));
}

TEST_F(TrainModes, EarlyStopEndsARunThatGetsNoBetter) {
  // A rate of 0 changes no parameter; only the running statistics move.
  const std::vector<std::string> options = {"--val", data_, "--lr", "0", "--early-stop", "2", "--epochs", "50"};
  const ProcessResult run = train("stuck", options);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("no better validation accuracy in 2 epochs (--early-stop)"));
  EXPECT_THAT(run.out, HasSubstr("best.resflow"));
  const auto epochs = load_checkpoint(file("stuck")).training.epoch;
  EXPECT_LT(epochs, 50);
  EXPECT_GE(epochs, 3);
  const ProcessResult again = train("stuck", {"--val", data_, "--resume"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(load_checkpoint(file("stuck")).training.epoch, epochs) << "it stays stopped";
  const ProcessResult blind = train("blind", {"--early-stop", "2"});
  EXPECT_EQ(blind.exit_code, 2);
  EXPECT_THAT(blind.err, HasSubstr("--early-stop goes by the validation's accuracy"));
}

TEST_F(TrainModes, TheBackboneHasALearningRateOfItsOwn) {
  ASSERT_EQ(train("head", {"--weights", file("start"), "--lr-backbone", "0", "--epochs", "1"}).exit_code, 0);
  const auto before = values("start"), after = values("head");
  for (const auto& [name, value] : before) {
    const bool moves =
        name.starts_with("fc.") || name.find("running_") != std::string::npos || name.ends_with("num_batches_tracked");
    EXPECT_EQ(after.at(name) == value, !moves) << name;
  }
}

// With gradients too small to matter beside a decay of 1, only what decays moves by much.
TEST_F(TrainModes, NormsAndBiasesNeedNotDecay) {
  const std::vector<std::string> options = {"--weights",  file("start"), "--optimizer",    "sgd", "--lr",     "1e-4",
                                            "--momentum", "0",           "--weight-decay", "100", "--epochs", "1"};
  auto spared = options;
  spared.emplace_back("--no-decay-norm-bias");
  ASSERT_EQ(train("all", options).exit_code, 0);
  ASSERT_EQ(train("spared", spared).exit_code, 0);
  const auto before = values("start"), all = values("all"), norms = values("spared");
  const auto ratio = [&](const std::map<std::string, Array>& run, const std::string& name) {
    return run.at(name).values<float>()[0] / before.at(name).values<float>()[0];
  };
  // Four steps of (1 - 0.01).
  EXPECT_NEAR(ratio(all, "layer4.1.bn1.weight"), 0.9606, 0.005);
  EXPECT_NEAR(ratio(norms, "layer4.1.bn1.weight"), 1, 0.005);
  EXPECT_NEAR(ratio(all, "layer1.0.conv1.weight"), 0.9606, 0.02);
  EXPECT_NEAR(ratio(norms, "layer1.0.conv1.weight"), 0.9606, 0.02);
}

TEST_F(TrainModes, BalancedClassesWeighAlike) {
  // 2 of one class and 8 of the other: weights 10 / (2 * 2) and 10 / (2 * 8).
  const std::string uneven = folder_ / "uneven";
  fs::copy(data_, uneven, fs::copy_options::recursive);
  int left = 0;
  for (const auto& class_folder : fs::directory_iterator(uneven)) {
    if (left != 0) break;
    for (const auto& photo : fs::directory_iterator(class_folder))
      if (++left > 2) fs::remove(photo.path());
  }
  const auto loss_of = [&](const std::string& out, const std::string& weights) {
    const ProcessResult run = resflow(
        {"train",     uneven, "--val",           uneven, "--out",   folder_ / out, "--weights",    file("start"),
         "--lr",      "0",    "--epochs",        "1",    "--batch", "10",          "--image-size", "48",
         "--threads", "2",    "--class-weights", weights});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return load_checkpoint(folder_ / out + "/last.resflow").training.history.at(0).val_loss;
  };
  const double plain = loss_of("plain", "none"), balanced = loss_of("balanced", "balanced");
  // plain = (2 a + 8 b) / 10, balanced = (a + b) / 2: what each class loses alone follows, and must be a loss.
  const double a = (10 * plain - 16 * balanced) / -6, b = 2 * balanced - a;
  EXPECT_NE(plain, balanced);
  EXPECT_GT(a, 0);
  EXPECT_GT(b, 0);
}

TEST(TrainModeOptions, AnOptionOfAnotherScheduleIsRefused) {
  const auto refused = [](TrainOptions o, const std::string& why) {
    expect_error(ErrorKind::kUsage, {why}, [&] { resolve(o); });
  };
  refused({.schedule = "linear"}, "\"linear\"");
  refused({.schedule = "cosine", .step_size = 4, .given = {"step_size"}},
          "step_size goes with schedule step, not cosine");
  refused({.schedule = "step", .min_lr = 0.1, .given = {"min_lr"}}, "goes with schedule cosine or plateau");
  refused({.schedule = "multistep"}, "without milestones");
  refused({.early_stop = -1}, "early_stop is -1");
  refused({.class_weights = "equal"}, "class_weights equal: wanted none or balanced");
}

TEST(TrainModeOptions, ModeIsWhatTheOthersImply) {
  const auto mode_of = [](TrainOptions o) {
    resolve(o);
    return o.mode;
  };
  EXPECT_EQ(mode_of({}), "scratch");
  EXPECT_EQ(mode_of({.weights = "x.pth"}), "finetune");
  EXPECT_EQ(mode_of({.weights = "x.pth", .freeze = {"layer1"}}), "partial");
}

TEST(TrainModeOptions, ThatContradictEachOtherAreRefused) {
  const auto refused = [](TrainOptions o, const std::string& why) {
    expect_error(ErrorKind::kUsage, {why}, [&] { resolve(o); });
  };
  refused({.mode = "svd"}, "mode svd: wanted finetune, partial, features, svm or scratch");
  refused({.weights = "x.pth", .mode = "scratch"}, "leave out weights");
  refused({.mode = "finetune"}, "give weights");
  refused({.freeze = {"layer1"}}, "give weights");
  refused({.weights = "x.pth", .mode = "partial"}, "freeze conv1,bn1");
  refused({.weights = "x.pth", .mode = "finetune", .freeze = {"layer1"}}, "freeze goes with mode partial");
  refused({.weights = "x.pth", .freeze = {"layer1"}, .freeze_bn = "no"}, "freeze_bn no: wanted eval or train");
}

}  // namespace
}  // namespace resflow::testing
