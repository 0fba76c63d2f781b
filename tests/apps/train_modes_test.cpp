// resflow train --mode and --freeze: what stays as it is, what a resumed run goes on with, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "apps/train_options.h"
#include "io/checkpoint.h"
#include "tests/apps/program.h"
#include "tests/io/expect_error.h"

namespace resflow::testing {
namespace {

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
  refused({.mode = "svd"}, "--mode svd: wanted finetune, partial or scratch");
  refused({.weights = "x.pth", .mode = "scratch"}, "leave out --weights");
  refused({.mode = "finetune"}, "give --weights");
  refused({.freeze = {"layer1"}}, "give --weights");
  refused({.weights = "x.pth", .mode = "partial"}, "--freeze conv1,bn1");
  refused({.weights = "x.pth", .mode = "finetune", .freeze = {"layer1"}}, "--freeze goes with --mode partial");
  refused({.weights = "x.pth", .freeze = {"layer1"}, .freeze_bn = "no"}, "--freeze-bn no: wanted eval or train");
}

}  // namespace
}  // namespace resflow::testing
