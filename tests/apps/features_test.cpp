// resflow train --mode features and --mode svm: what is trained and what stays, caches, kills, broken files.
//
// Covers: apps/train/feature_extraction apps/train/feature_rows apps/train/features apps/train/svm
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "graph/head/probabilities.h"
#include "io/checkpoint/checkpoint.h"
#include "tests/apps/program.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

using Words = std::vector<std::string>;

class FeaturesTest : public ::testing::Test {
 protected:
  FeaturesTest() {
    draw_photos(data_ + "/train", 3, 12);
    draw_photos(data_ + "/val", 3, 6, 100);
    // A network that has learnt nothing is enough of a backbone for photographs that are drawn so differently.
    const ProcessResult start = resflow({"train", data_, "--out", folder_ / "start", "--model", "resnet18",
                                         "--image-size", "48", "--batch", "4", "--epochs", "0", "--threads", "2"});
    EXPECT_EQ(start.exit_code, 0) << start.err;
  }

  Words arguments(const std::string& out, const Words& more) const {
    Words all = {"train", data_, "--out", folder_ / out, "--threads", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Words started(const std::string& out, const std::string& mode, const Words& more = {}) const {
    Words all = arguments(out, {"--weights", folder_ / "start/last.resflow", "--image-size", "48", "--mode", mode});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::string file(const std::string& run, const std::string& name = "last.resflow") const {
    return folder_ / run + "/" + name;
  }
  std::map<std::string, Array> values(const std::string& path) const {
    std::map<std::string, Array> all;
    for (NamedArray& a : load_checkpoint(path).parameters) all.emplace(a.name, std::move(a.array));
    return all;
  }
  void expect_only_the_head_moved(const std::string& run) const {
    const auto before = values(file("start")), after = values(file(run, "best.resflow"));
    for (const auto& [name, value] : before) EXPECT_EQ(after.at(name) == value, !name.starts_with("fc.")) << name;
  }
  void expect_same_run(const std::string& a, const std::string& b) const {
    for (const char* name : {"last.resflow", "best.resflow"}) {
      const Checkpoint one = load_checkpoint(file(a, name)), other = load_checkpoint(file(b, name));
      EXPECT_EQ(values(file(a, name)), values(file(b, name))) << name;
      EXPECT_EQ(one.head, other.head);
      EXPECT_EQ(one.training.epoch, other.training.epoch);
      ASSERT_EQ(one.optimizer.size(), other.optimizer.size());
      for (size_t i = 0; i < one.optimizer.size(); ++i)
        EXPECT_EQ(one.optimizer[i].array, other.optimizer[i].array) << one.optimizer[i].name;
    }
  }

  const TemporaryFolder folder_;
  const std::string data_ = folder_ / "photos";
};

TEST_F(FeaturesTest, TrainTheHeadAloneAndLeaveTheRestToTheBit) {
  const ProcessResult run = resflow(started("run", "features", {"--epochs", "30", "--batch", "8", "--lr", "0.01"}));
  ASSERT_EQ(run.exit_code, 0) << run.err;
  expect_only_the_head_moved("run");
  const Checkpoint best = load_checkpoint(file("run", "best.resflow"));
  EXPECT_EQ(best.classes.size(), 3U);
  EXPECT_EQ(best.head, Head());
  const Checkpoint last = load_checkpoint(file("run"));
  ASSERT_EQ(last.training.history.size(), 30U);
  EXPECT_EQ(last.training.step, 30 * 5) << "36 pictures in batches of 8";
  EXPECT_LT(last.training.history.back().train_loss, last.training.history.front().train_loss);
  EXPECT_GT(best.training.best_val_accuracy, 0.45) << "chance is a third";
  EXPECT_EQ(last.training.best_val_accuracy, best.training.best_val_accuracy);
  for (const NamedArray& state : last.optimizer) EXPECT_TRUE(state.name.starts_with("fc.")) << state.name;
  EXPECT_THAT(read_text(file("run", "history.csv")), HasSubstr("\n30,"));
  if (python_has({"tensorboard"}, Python::kEnv)) {
    const std::string events = run_python("io/formats/read_events.py", {file("run", "tensorboard")}, Python::kEnv);
    EXPECT_THAT(events, HasSubstr("scalar accuracy/validation 30 "));
    EXPECT_THAT(events, HasSubstr("scalar learning_rate 1 "));
  }

  // What the run says of the validation pictures is what scoring says of them.
  const ProcessResult scored = resflow({"score", file("run", "best.resflow"), data_ + "/val"});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  int right = 0;
  std::istringstream rows(scored.out);
  for (std::string row; std::getline(rows, row);) {
    const std::string shown = row.substr(0, row.find(',', row.find(',') + 1));
    const size_t comma = shown.find(',');
    right += comma != std::string::npos && shown.find("/" + shown.substr(comma + 1) + "/") != std::string::npos ? 1 : 0;
  }
  EXPECT_NEAR(right / 18.0, best.training.best_val_accuracy, 1e-9);
}

TEST_F(FeaturesTest, AreComputedOnceAndSharedByRunsThatSayWhere) {
  const Words shared = {"--feature-cache", folder_ / "shared", "--epochs", "3", "--batch", "8"};
  const ProcessResult first = resflow(started("one", "features", shared));
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("features   train: 36 pictures into " + (folder_ / "shared")));
  EXPECT_THAT(first.out, HasSubstr("img/s"));
  const ProcessResult second = resflow(started("two", "features", shared));
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.out, HasSubstr("features   train: 36 pictures from " + (folder_ / "shared")));
  EXPECT_THAT(second.out, Not(HasSubstr("img/s")));
  expect_same_run("one", "two");
  EXPECT_FALSE(fs::exists(file("one", "train.features")));
  const ProcessResult svm =
      resflow(started("svm", "svm", {"--feature-cache", folder_ / "shared", "--svm-c", "1", "--svm-folds", "3"}));
  ASSERT_EQ(svm.exit_code, 0) << svm.err;
  EXPECT_THAT(svm.out, HasSubstr("36 pictures from"));
  // In the runs' own folders they are the same rows.
  ASSERT_EQ(resflow(started("own", "features", {"--epochs", "3", "--batch", "8"})).exit_code, 0);
  expect_same_run("one", "own");
  EXPECT_TRUE(fs::exists(file("own", "train.features")) && fs::exists(file("own", "val.features")));
}

TEST_F(FeaturesTest, StaleOrDamagedOnesAreNamedAndMadeAnew) {
  const Words options = {"--epochs", "2", "--batch", "8"};
  ASSERT_EQ(resflow(started("run", "features", options)).exit_code, 0);
  const std::string cache = file("run", "train.features");
  const std::string before = read_text(cache);
  Words again = options;
  again.emplace_back("--overwrite");

  std::string damaged = before;
  damaged[damaged.size() - 9] = static_cast<char>(damaged[damaged.size() - 9] ^ 1);
  write_text(cache, damaged);
  const ProcessResult repaired = resflow(started("run", "features", again));
  ASSERT_EQ(repaired.exit_code, 0) << repaired.err;
  EXPECT_THAT(repaired.err, HasSubstr(cache + ": is damaged after row 32: what follows row 32 is made anew"));
  EXPECT_EQ(read_text(cache), before);

  const std::string photo = data_ + "/train/" + demo_classes()[1] + "/03.jpg";
  write_text(photo, photo_bytes(1, 999));
  const ProcessResult edited = resflow(started("run", "features", again));
  ASSERT_EQ(edited.exit_code, 0) << edited.err;
  EXPECT_THAT(edited.err, HasSubstr(cache + ": is of other weights, pictures or preprocessing: made anew"));
  EXPECT_NE(read_text(cache), before);

  again.insert(again.end(), {"--image-size", "64"});
  Words larger = arguments("run", {"--weights", folder_ / "start/last.resflow", "--mode", "features"});
  larger.insert(larger.end(), again.begin(), again.end());
  const ProcessResult resized = resflow(larger);
  ASSERT_EQ(resized.exit_code, 0) << resized.err;
  EXPECT_THAT(resized.err, HasSubstr(cache + ": is of other weights"));
}

TEST_F(FeaturesTest, AugmentedCopiesAreTrainedOnBesideThePictures) {
  const Words options = {"--augment-copies", "2", "--epochs", "4", "--batch", "8", "--seed", "5"};
  const ProcessResult run = resflow(started("run", "features", options));
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(load_checkpoint(file("run")).training.step, 4 * 14) << "108 rows in batches of 8";
  const std::string first = read_text(file("run", "train-copy-1.features"));
  EXPECT_NE(first, read_text(file("run", "train-copy-2.features")));
  ASSERT_EQ(resflow(started("again", "features", options)).exit_code, 0);
  expect_same_run("run", "again");
  Words other = options;
  other.back() = "6";
  ASSERT_EQ(resflow(started("other", "features", other)).exit_code, 0);
  EXPECT_NE(first, read_text(file("other", "train-copy-1.features"))) << "another seed draws other copies";
  EXPECT_EQ(read_text(file("run", "train.features")), read_text(file("other", "train.features")));
}

TEST_F(FeaturesTest, ARunThatWasKilledGoesOnToTheSameBits) {
  const Words options = {"--augment-copies", "3", "--epochs", "50", "--batch", "8", "--schedule", "cosine"};
  ASSERT_EQ(resflow(started("whole", "features", options)).exit_code, 0);
  // Killed with the training pictures' features begun, and again with the copies' begun.
  {
    RunningProgram program(started("parts", "features", options), folder_ / "log");
    ASSERT_TRUE(program.wait_until([&] { return fs::exists(file("parts", "train.features")); }));
    program.send(SIGKILL);
    program.wait();
  }
  {
    RunningProgram program(arguments("parts", {"--resume"}), folder_ / "log");
    ASSERT_TRUE(program.wait_until([&] { return fs::exists(file("parts", "train-copy-2.features")); }));
    program.send(SIGKILL);
    program.wait();
  }
  const ProcessResult rest = resflow(arguments("parts", {"--resume"}));
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  expect_same_run("whole", "parts");
  // And from the middle of the epochs.
  ASSERT_EQ(resflow(started("longer", "features", {"--epochs", "9", "--batch", "8"})).exit_code, 0);
  ASSERT_EQ(resflow(started("shorter", "features", {"--epochs", "4", "--batch", "8"})).exit_code, 0);
  const ProcessResult more = resflow(arguments("shorter", {"--resume", "--epochs", "9"}));
  ASSERT_EQ(more.exit_code, 0) << more.err;
  expect_same_run("longer", "shorter");
  const ProcessResult done = resflow(arguments("shorter", {"--resume"}));
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("has its 9 epochs already"));
  expect_same_run("longer", "shorter");
}

TEST_F(FeaturesTest, ATermSignalKeepsWhatIsDone) {
  for (const char* mode : {"features", "svm"}) {
    const std::string out = std::string("stopped-") + mode;
    RunningProgram program(started(out, mode, {"--augment-copies", "40"}), folder_ / "log");
    ASSERT_TRUE(program.wait_until([&] { return fs::exists(file(out, "train-copy-1.features")); }));
    program.send(SIGTERM);
    EXPECT_EQ(program.wait(), 128 + SIGTERM) << read_text(folder_ / "log");
    EXPECT_THAT(read_text(folder_ / "log"), HasSubstr("go on with --resume"));
    EXPECT_FALSE(fs::exists(file(out, "best.resflow")));
  }
}

TEST_F(FeaturesTest, PicturesThatCannotBeReadAreNamedFromTheCacheToo) {
  write_text(data_ + "/train/" + demo_classes()[0] + "/99.jpg", "GIF89a no photograph");
  for (const char* out : {"first", "second"}) {
    const ProcessResult run =
        resflow(started(out, "features", {"--epochs", "2", "--batch", "8", "--feature-cache", folder_ / "cache"}));
    ASSERT_EQ(run.exit_code, 0) << run.err;
    EXPECT_THAT(run.out, HasSubstr("skipped    1 picture that could not be read"));
    EXPECT_THAT(run.out, HasSubstr("99.jpg: is a GIF"));
    EXPECT_EQ(load_checkpoint(file(out)).training.step, 2 * 5) << "36 pictures are left";
  }
  const ProcessResult strict = resflow(
      started("strict", "features", {"--feature-cache", folder_ / "cache", "--batch", "8", "--on-error", "stop"}));
  EXPECT_EQ(strict.exit_code, 3);
  EXPECT_THAT(strict.err, HasSubstr("99.jpg: is a GIF"));
}

TEST_F(FeaturesTest, WhatDoesNothingIsRefused) {
  const auto refused = [&](const Words& command, const std::string& why) {
    const ProcessResult run = resflow(command);
    EXPECT_EQ(run.exit_code, 2) << run.out;
    EXPECT_THAT(run.err, HasSubstr(why));
    EXPECT_FALSE(fs::exists(file("bad")));
  };
  refused(arguments("bad", {"--mode", "features"}), "--mode features starts from trained values: give --weights");
  refused(arguments("bad", {"--mode", "svm"}), "--mode svm starts from trained values: give --weights");
  refused(started("bad", "features", {"--save-every", "3"}), "--save-every does nothing with --mode features");
  refused(started("bad", "features", {"--svm-c", "3"}), "--svm-c does nothing with --mode features");
  refused(started("bad", "svm", {"--epochs", "3"}), "--epochs does nothing with --mode svm");
  refused(started("bad", "svm", {"--svm-c", "0"}), "--svm-c is 0: wanted a number above 0");
  refused(started("bad", "svm", {"--svm-folds", "1"}), "--svm-folds is 1: wanted at least 2");
  refused(started("bad", "finetune", {"--augment-copies", "1"}), "--augment-copies goes with --mode features or svm");
  refused(started("bad", "features", {"--augment-copies", "-1"}), "--augment-copies is -1");
  refused(started("bad", "features", {"--freeze", "layer1"}), "--freeze goes with --mode partial");
}

TEST_F(FeaturesTest, AnSvmScoresAsAnyModelDoes) {
  const ProcessResult run = resflow(started("svm", "svm", {"--svm-folds", "3"}));
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("accuracy"));
  EXPECT_THAT(run.out, HasSubstr("(best)"));
  expect_only_the_head_moved("svm");
  const Checkpoint best = load_checkpoint(file("svm", "best.resflow"));
  EXPECT_EQ(best.head.kind, Head::Kind::kOneVsRest);
  ASSERT_EQ(best.head.platt_a.size(), 3U);
  ASSERT_EQ(best.training.history.size(), 1U);
  EXPECT_GT(best.training.history[0].val_accuracy, 0.45) << "chance is a third";
  if (python_has({"tensorboard"}, Python::kEnv)) {
    const std::string events = run_python("io/formats/read_events.py", {file("svm", "tensorboard")}, Python::kEnv);
    EXPECT_THAT(events, HasSubstr("scalar loss/validation 1 "));
    EXPECT_THAT(events, Not(HasSubstr("learning_rate"))) << "an SVM has none";
  }

  const ProcessResult scored = resflow({"score", file("svm", "best.resflow"), data_ + "/val", "--top", "3"});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  std::istringstream rows(scored.out);
  std::string row;
  std::getline(rows, row);
  int right = 0;
  while (std::getline(rows, row)) {
    std::vector<std::string> cells;
    std::istringstream line(row);
    for (std::string cell; std::getline(line, cell, ',');) cells.push_back(cell);
    ASSERT_GE(cells.size(), 7U) << row;
    EXPECT_NEAR(std::stod(cells[2]) + std::stod(cells[4]) + std::stod(cells[6]), 1, 3e-6);
    right += cells[0].find("/" + cells[1] + "/") != std::string::npos ? 1 : 0;
  }
  EXPECT_NEAR(right / 18.0, best.training.history[0].val_accuracy, 1e-9);

  // As safetensors it says the same; .pth has no place for it, and that is said.
  const std::string converted = folder_ / "svm.safetensors";
  ASSERT_EQ(resflow({"convert", file("svm", "best.resflow"), converted}).exit_code, 0);
  EXPECT_EQ(resflow({"score", converted, data_ + "/val", "--top", "3"}).out, scored.out);
  const std::string again = folder_ / "again.resflow";
  ASSERT_EQ(resflow({"convert", converted, again}).exit_code, 0);
  EXPECT_EQ(load_checkpoint(again).head, best.head);
  const ProcessResult pth = resflow({"convert", file("svm", "best.resflow"), folder_ / "svm.pth"});
  EXPECT_EQ(pth.exit_code, 0);
  EXPECT_THAT(pth.err, HasSubstr("decision values of an SVM"));
  const ProcessResult onnx = resflow({"convert", file("svm", "best.resflow"), folder_ / "svm.onnx"});
  EXPECT_EQ(onnx.exit_code, 0);
  EXPECT_THAT(onnx.err, HasSubstr("the metadata \"head\" has Platt's A and B"));

  const ProcessResult shown = resflow({"inspect", file("svm", "best.resflow")});
  EXPECT_THAT(shown.out, HasSubstr("one-vs-rest SVM"));
  const auto json = nlohmann::json::parse(resflow({"inspect", file("svm", "best.resflow"), "--json"}).out);
  EXPECT_EQ(json["head"]["kind"], "one_vs_rest");
  EXPECT_EQ(json["head"]["platt_a"].get<std::vector<double>>(), best.head.platt_a);
}

TEST_F(FeaturesTest, AnSvmRunThatWasKilledGoesOnToTheSameBits) {
  const Words options = {"--svm-folds", "3", "--augment-copies", "1", "--class-weights", "balanced"};
  ASSERT_EQ(resflow(started("whole", "svm", options)).exit_code, 0);
  {
    RunningProgram program(started("parts", "svm", options), folder_ / "log");
    ASSERT_TRUE(program.wait_until([&] { return fs::exists(file("parts", "train-copy-1.features")); }));
    program.send(SIGKILL);
    program.wait();
  }
  const ProcessResult rest = resflow(arguments("parts", {"--resume"}));
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  expect_same_run("whole", "parts");
  const ProcessResult other = resflow(arguments("parts", {"--resume", "--svm-c", "3"}));
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("--svm-c was 0, now 3"));
  const ProcessResult done = resflow(arguments("parts", {"--resume"}));
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_THAT(done.out, HasSubstr("the run is done already"));
}

TEST_F(FeaturesTest, AClassOfOnePictureIsTooFewToHoldOneOut) {
  const std::string lone = data_ + "/train/alone/0.jpg";
  write_text(lone, photo_bytes(2, 7));
  const ProcessResult run = resflow(started("svm", "svm", {"--val", data_ + "/val"}));
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.err, HasSubstr("of the class alone there is one picture that can be read"));
}

TEST(Probabilities, OfOneVsRestAreNormalizedSigmoids) {
  const Head head = {.kind = Head::Kind::kOneVsRest, .platt_a = {-2, -1, -3}, .platt_b = {0.5, 0, -1}};
  const std::vector<float> outputs = {1, -0.5F, 0.25F};
  const std::vector<double> p = probabilities(outputs, head);
  const double q[] = {1 / (1 + std::exp(-1.5)), 1 / (1 + std::exp(0.5)), 1 / (1 + std::exp(-1.75))};
  const double sum = q[0] + q[1] + q[2];
  for (size_t k = 0; k < 3; ++k) EXPECT_NEAR(p[k], q[k] / sum, 1e-15);
  const std::vector<double> rejected = probabilities(std::vector<float>{-1000, -2000, -3000}, head);
  EXPECT_NEAR(rejected[0] + rejected[1] + rejected[2], 1, 1e-12) << "no class wants it, and still it is a distribution";
}

}  // namespace
}  // namespace resflow::testing
