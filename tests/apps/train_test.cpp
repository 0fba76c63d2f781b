// resflow train: what it writes, how it is stopped and resumed, and what it refuses.
//
// Covers: apps/train/network apps/train/run apps/train/training apps/train/validation
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "io/checkpoint/checkpoint.h"
#include "ops/precision.h"
#include "tests/apps/program.h"
#include "tests/apps/runs.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// 2 classes of 13 pictures: 7 batches of 4, the last one of 2.
class TrainProgram : public ::testing::Test {
 protected:
  TrainProgram() {
    draw_photos(data_, 2, 13);
    draw_photos(val_, 2, 3, 500);
  }

  // Several epochs with validation; the learning rate keeps so short a run from wandering off.
  std::vector<std::string> arguments(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = train_arguments(
        data_, out, {"--val", val_, "--lr", "0.0005", "--label-smoothing", "0.1", "--save-every", "2", "--keep", "1"});
    *std::next(std::find(all.begin(), all.end(), "--epochs")) = "3";
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<std::string> resume_arguments(const std::string& out) const {
    return {"train", data_, "--val", val_, "--out", out, "--resume"};
  }

  TemporaryFolder folder_;
  std::string data_ = folder_ / "data", val_ = folder_ / "val";
};

TEST_F(TrainProgram, LeavesModelsAndHistoryAndSaysWhatItDoes) {
  const std::string run = folder_ / "run";
  const ProcessResult result = resflow(arguments(run));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* words :
       {"26 pictures, 2 classes (fence 13, net 13)", "6 pictures in", "resnet18, 11,177,538 parameters",
        " planned: activations ", "threads    2, ", "epoch 1/3  train loss ", "epoch 3/3  ", "validation loss "})
    EXPECT_THAT(result.out, HasSubstr(words));
  const Checkpoint last = load_checkpoint(run + "/last.resflow"), best = load_checkpoint(run + "/best.resflow");
  EXPECT_EQ(last.training.epoch, 3);
  EXPECT_EQ(last.training.step, 21);
  EXPECT_EQ(last.training.history.size(), 3U);
  EXPECT_EQ(last.optimizer_name, "adam");
  EXPECT_EQ(best.optimizer_name, "");
  EXPECT_EQ(best.classes, (std::vector<std::string>{"fence", "net"}));
  EXPECT_EQ(best.preprocessing.crop, 48);
  const std::string history = read_text(run + "/history.csv");
  EXPECT_EQ(std::count(history.begin(), history.end(), '\n'), 4);
  EXPECT_FALSE(fs::exists(run + "/last.resflow.1"));  // --keep 1

  // Another run is not written over it, but goes on or replaces it.
  EXPECT_EQ(resflow(arguments(run)).exit_code, 2);
  EXPECT_THAT(resflow(arguments(run)).err, HasSubstr("--resume goes on with it, --overwrite replaces it"));
  EXPECT_EQ(resflow(arguments(run, {"--overwrite", "--epochs", "0"})).exit_code, 2);  // --epochs twice
}

TEST_F(TrainProgram, StoppedBySignalsMidEpochAndResumedGivesTheBitsOfTheUninterruptedRun) {
  const std::string whole = folder_ / "whole", run = folder_ / "stopped";
  ASSERT_EQ(resflow(arguments(whole)).exit_code, 0);

  {
    RunningProgram program(arguments(run), folder_ / "log");
    ASSERT_TRUE(program.wait_until([&] { return cursor(run).step >= 4; })) << read_text(folder_ / "log");
    program.send(SIGTERM);
    EXPECT_EQ(program.wait(), 128 + SIGTERM) << read_text(folder_ / "log");
  }
  EXPECT_THAT(read_text(folder_ / "log"), HasSubstr("go on with --resume"));
  TrainingState at = cursor(run);
  EXPECT_LT(at.epoch, 3) << "it had ended before the signal came";

  {
    RunningProgram program(resume_arguments(run), folder_ / "log");
    ASSERT_TRUE(program.wait_until([&] { return cursor(run).step >= std::max<int64_t>(at.step + 2, 10); }));
    program.send(SIGKILL);
    program.wait();
  }
  at = cursor(run);
  EXPECT_LT(at.epoch, 3) << "it had ended before it was killed";

  const ProcessResult resumed = resflow(resume_arguments(run));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("resumed    at epoch "));
  EXPECT_EQ(resumed.err.find("not to the same bits"), std::string::npos);
  expect_same_run(whole, run);
}

TEST_F(TrainProgram, InterruptAndUser1SaveAndLeaveTooAndSayHowToGoOn) {
  for (const int signal : {SIGINT, SIGUSR1, SIGHUP}) {
    const std::string run = folder_ / ("run" + std::to_string(signal));
    RunningProgram program(arguments(run), folder_ / "log");
    ASSERT_TRUE(program.wait_until([&] { return cursor(run).step >= 2; })) << read_text(folder_ / "log");
    program.send(signal);
    EXPECT_EQ(program.wait(), 128 + signal);
    EXPECT_THAT(read_text(folder_ / "log"), HasSubstr("go on with --resume"));
    EXPECT_LT(cursor(run).epoch, 3);
  }
}

TEST_F(TrainProgram, AFinishedRunGoesOnForMoreEpochs) {
  const std::string whole = folder_ / "whole", run = folder_ / "more";
  ASSERT_EQ(resflow(train_arguments(data_, run)).exit_code, 0);
  const ProcessResult again = resflow({"train", data_, "--out", run, "--resume"});
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_THAT(again.out, HasSubstr("the run has its 1 epoch already"));
  ASSERT_EQ(resflow({"train", data_, "--out", run, "--resume", "--epochs", "2"}).exit_code, 0);
  std::vector<std::string> two = train_arguments(data_, whole);
  *std::next(std::find(two.begin(), two.end(), "--epochs")) = "2";
  ASSERT_EQ(resflow(two).exit_code, 0);
  expect_same_run(whole, run);
}

TEST_F(TrainProgram, AnotherMachineAndChangedPicturesAreNoticedOnResume) {
  const std::string run = folder_ / "run", last = run + "/last.resflow";
  write_text(data_ + "/fence/broken.jpg", "no picture");
  ASSERT_EQ(resflow(train_arguments(data_, run)).exit_code, 0);
  const Checkpoint saved = load_checkpoint(last);
  ASSERT_EQ(saved.training.broken_count, 1);
  EXPECT_THAT(saved.training.broken.at(0).first, HasSubstr("broken.jpg"));
  const auto resume = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"train", data_, "--out", run, "--resume", "--epochs", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return resflow(words);
  };
  // What was left out before is named again, although this process never met it.
  ProcessResult result = resume({"--strict"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, Not(HasSubstr("were changed since")));

  Checkpoint elsewhere = saved;
  elsewhere.training.fingerprint = "an abacus";
  save_checkpoint(elsewhere, last);
  result = resume({"--strict"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--strict: this run began on an abacus"));
  result = resume({});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("this run began on an abacus; on resflow"));

  save_checkpoint(saved, last);
  write_text(data_ + "/fence/00.jpg", photo_bytes(0, 77));
  result = resume({"--strict"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("were changed since"));
  result = resume({});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("pictures of " + data_));

  Checkpoint old = saved;
  old.training.files.clear();
  old.training.fingerprint.clear();
  save_checkpoint(old, last);
  EXPECT_EQ(resume({"--strict"}).exit_code, 0);
}

// What a checkpoint says of its run may be anything: it is the file's fault.
TEST_F(TrainProgram, ARunThatCannotHaveBeenIsBadData) {
  const std::string run = folder_ / "run", last = run + "/last.resflow";
  ASSERT_EQ(resflow(train_arguments(data_, run, {"--clip-norm", "inf"})).exit_code, 0);
  ASSERT_EQ(resflow({"train", data_, "--out", run, "--resume"}).exit_code, 0);
  const Checkpoint saved = load_checkpoint(last);
  const auto refusal = [&](const std::string& name, const std::string& value) {
    Checkpoint changed = saved;
    std::erase_if(changed.training.options, [&](const auto& option) { return option.first == name; });
    changed.training.options.emplace_back(name, value);
    save_checkpoint(changed, last);
    const ProcessResult result = resflow({"train", data_, "--out", run, "--resume"});
    EXPECT_EQ(result.exit_code, 3) << result.err;
    return result.err;
  };
  EXPECT_THAT(refusal("--future", "on"), HasSubstr("was made with --future, which this resflow does not know"));
  EXPECT_THAT(refusal("--batch", "-4"), HasSubstr("its run cannot have been: --batch is -4"));
  EXPECT_THAT(refusal("--lr", "fast"), HasSubstr("its run cannot have been"));
}

TEST_F(TrainProgram, ResumeRefusesOtherOptionsDataAndFolders) {
  const std::string run = folder_ / "run";
  ASSERT_EQ(resflow(train_arguments(data_, run, {"--val", val_})).exit_code, 0);
  const std::string before = read_text(run + "/last.resflow");
  const auto refusal = [&](std::vector<std::string> arguments) {
    const ProcessResult result = resflow(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    return result.err;
  };
  auto with = resume_arguments(run);
  with.insert(with.end(), {"--lr", "0.5", "--seed", "7", "--batch", "4"});
  EXPECT_THAT(refusal(with), HasSubstr("--seed was 0, now 7; --lr was 0.001, now 0.5;"));
  EXPECT_THAT(refusal({"train", val_, "--val", val_, "--out", run, "--resume"}), HasSubstr("DATA is not the run's"));
  EXPECT_THAT(refusal({"train", data_, "--out", run, "--resume"}), HasSubstr("validation data is not the run's"));
  EXPECT_THAT(refusal({"train", data_, "--out", folder_ / "none", "--resume"}), HasSubstr("holds no run"));
  EXPECT_EQ(read_text(run + "/last.resflow"), before);
}

TEST_F(TrainProgram, BrokenPicturesAreSkippedAndReportedOrStopTheRun) {
  const std::string good = photo_bytes(0, 0);
  std::string corrupt = good;
  for (size_t i = corrupt.size() / 2; i < corrupt.size() / 2 + 40; ++i) corrupt[i] = static_cast<char>(0xFF);
  const std::string huge_png = std::string("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xFD\xE8\0\0\xFD\xE8\x08\x02\0\0\0", 29) +
                               std::string("\x8A\x37\x47\x6A", 4);
  write_text(data_ + "/fence/empty.jpg", "");
  write_text(data_ + "/fence/truncated.jpg", good.substr(0, good.size() / 2));
  write_text(data_ + "/fence/text.jpg", "this is no picture");
  write_text(data_ + "/net/gif.jpg", "GIF89a\x01");
  write_text(data_ + "/net/huge.png", huge_png);
  fs::create_symlink(folder_ / "nowhere", data_ + "/net/lost.jpg");

  const ProcessResult skipped = resflow(train_arguments(data_, folder_ / "run"));
  ASSERT_EQ(skipped.exit_code, 0) << skipped.err;
  for (const char* name : {"empty.jpg: ", "truncated.jpg: ", "text.jpg: ", "gif.jpg: ", "huge.png: "})
    EXPECT_THAT(skipped.out, HasSubstr(name));
  EXPECT_THAT(skipped.out, HasSubstr(" pictures that could not be read:"));

  const ProcessResult stopped = resflow(train_arguments(data_, folder_ / "run2", {"--on-error", "stop"}));
  EXPECT_EQ(stopped.exit_code, 3);
  EXPECT_THAT(stopped.err, HasSubstr(data_));
  EXPECT_NO_THROW(load_checkpoint(folder_ / "run2/last.resflow"));
}

TEST_F(TrainProgram, DataThatCannotBeLearnedFromIsRefused) {
  const auto refusal = [&](const std::string& data) {
    const ProcessResult result = resflow(train_arguments(data, folder_ / "run"));
    EXPECT_EQ(result.exit_code, 3) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_FALSE(fs::exists(folder_ / "run"));
    return result.err;
  };
  fs::create_directories(folder_ / "empty");
  refusal(folder_ / "empty");
  refusal(folder_ / "absent");
  write_text(folder_ / "flat/1.jpg", photo_bytes(0, 0));
  refusal(folder_ / "flat");
  write_text(folder_ / "one/cats/1.jpg", photo_bytes(0, 0));
  EXPECT_THAT(refusal(folder_ / "one"), HasSubstr("has one class only (cats)"));
  write_text(folder_ / "hollow/cats/1.jpg", photo_bytes(0, 0));
  fs::create_directories(folder_ / "hollow/dogs");
  EXPECT_THAT(refusal(folder_ / "hollow"), HasSubstr("dogs"));
}

TEST_F(TrainProgram, NoPictureThatCanBeReadIsBadData) {
  for (const char* file : {"a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"})
    write_text(folder_ / "bad/" + file, "no picture");
  const ProcessResult result = resflow(train_arguments(folder_ / "bad", folder_ / "run"));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("not one of its 4 pictures could be trained on"));
}

TEST_F(TrainProgram, UsageThatCannotBeIsRefused) {
  const auto refusal = [&](const std::vector<std::string>& more, const std::string& out) {
    std::vector<std::string> all = {"train", data_, "--out", out, "--model", "resnet18"};
    all.insert(all.end(), more.begin(), more.end());
    const ProcessResult result = resflow(all);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    return result.err;
  };
  const std::string run = folder_ / "run";
  EXPECT_THAT(refusal({}, run), HasSubstr("--batch 32 is more than the 26 pictures"));
  EXPECT_THAT(refusal({"--batch", "0"}, run), HasSubstr("--batch is 0"));
  EXPECT_THAT(refusal({"--resume", "--overwrite"}, run), HasSubstr("one or the other"));
  write_text(folder_ / "file", "x");
  EXPECT_THAT(refusal({"--batch", "4"}, folder_ / "file"), HasSubstr("is a file"));
  EXPECT_THAT(refusal({"--batch", "4"}, "/proc/run"), HasSubstr("cannot make the folder"));
}

TEST_F(TrainProgram, NoPermissionOnTheFolderIsSaid) {
  // Root may write anywhere: go without that right.
  std::vector<std::string> command = {"setpriv", "--bounding-set=-dac_override,-dac_read_search"};
  if (geteuid() != 0) command.clear();
  fs::create_directories(folder_ / "locked");
  fs::permissions(folder_ / "locked", fs::perms(0555));
  auto probe = command;
  probe.insert(probe.end(), {"touch", folder_ / "locked/probe"});
  if (run_process(probe).exit_code != 1) GTEST_SKIP() << "no way here to be without permission";
  command.emplace_back(RESFLOW_PROGRAM);
  for (const char* out : {"locked", "locked/run"}) {
    auto all = command;
    for (const auto& word : train_arguments(data_, folder_ / out)) all.push_back(word);
    const ProcessResult result = run_process(all);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(folder_ / out));
    EXPECT_THAT(result.err, HasSubstr("ermission"));
  }
}

TEST_F(TrainProgram, AFullDiskKeepsThePreviousCheckpoint) {
  const std::string run = folder_ / "run";
  ASSERT_EQ(resflow(train_arguments(data_, run)).exit_code, 0);
  const std::string before = read_text(run + "/last.resflow");
  // A limit on the size of files fails a write as a full disk does.
  const ProcessResult full = run_process({"sh", "-c", "ulimit -f 20000; exec \"$0\" \"$@\"", RESFLOW_PROGRAM, "train",
                                          data_, "--out", run, "--resume", "--epochs", "2"});
  EXPECT_EQ(full.exit_code, 4) << full.err;
  EXPECT_THAT(full.err, HasSubstr("resflow"));
  EXPECT_TRUE(read_text(run + "/last.resflow") == before);
  EXPECT_EQ(resflow({"train", data_, "--out", run, "--resume", "--epochs", "2"}).exit_code, 0);
}

TEST_F(TrainProgram, ALossThatIsNoNumberStopsWithAdviceAndKeepsTheLastGoodCheckpoint) {
  const std::string run = folder_ / "run";
  std::vector<std::string> wild =
      train_arguments(data_, run, {"--optimizer", "sgd", "--lr", "1000000", "--save-every", "1"});
  const ProcessResult result = resflow(wild);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("try a lower --lr (it is 1000000)"));
  const Checkpoint last = load_checkpoint(run + "/last.resflow");
  for (const NamedArray& p : last.parameters) {
    if (p.array.dtype() != DType::kF32) continue;
    for (const float v : p.array.values<float>()) ASSERT_TRUE(std::isfinite(v)) << p.name;
  }
}

// On a CPU without instructions for it, too: hence the force.
TEST_F(TrainProgram, Bf16TrainsF32ParametersAndResumesToTheBit) {
  const std::string f32 = folder_ / "f32", whole = folder_ / "whole", parts = folder_ / "parts";
  const auto run = [&](const std::string& out, const std::string& epochs, std::vector<std::string> more) {
    std::vector<std::string> all = train_arguments(data_, out, {"--val", val_});
    *std::next(std::find(all.begin(), all.end(), "--epochs")) = epochs;
    all.insert(all.end(), more.begin(), more.end());
    const ProcessResult result = resflow(all);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  };
  const std::vector<std::string> bf16 = {"--precision", "bf16", "--force-precision"};
  run(f32, "2", {});
  EXPECT_THAT(run(whole, "2", bf16), HasSubstr("precision  bf16; validation f32"));
  run(parts, "1", bf16);
  std::vector<std::string> changed = resume_arguments(parts);
  changed.insert(changed.end(), {"--precision", "f32"});
  const ProcessResult refused = resflow(changed);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--precision was bf16, now f32"));
  std::vector<std::string> more = resume_arguments(parts);
  more.insert(more.end(), {"--epochs", "2"});
  EXPECT_EQ(resflow(more).exit_code, 0);
  const Checkpoint last = load_checkpoint(whole + "/last.resflow"), resumed = load_checkpoint(parts + "/last.resflow");
  expect_same_arrays(last.parameters, resumed.parameters);
  expect_same_arrays(last.optimizer, resumed.optimizer);
  EXPECT_EQ(timeless_history(whole), timeless_history(parts));
  const Checkpoint other = load_checkpoint(f32 + "/last.resflow");
  for (size_t i = 0; i < last.parameters.size(); ++i) {
    const Array& a = last.parameters[i].array;
    EXPECT_EQ(a.dtype(), other.parameters[i].array.dtype()) << last.parameters[i].name;
    if (last.parameters[i].name == "conv1.weight" && precision_obstacle(Precision::kBf16).empty()) {
      EXPECT_FALSE(a == other.parameters[i].array) << "f32 after all?";
    }
  }
  EXPECT_THAT(resflow({"train", data_, "--out", folder_ / "x", "--precision", "int8"}).err,
              HasSubstr("--precision int8: wanted f32 or bf16"));
  EXPECT_THAT(resflow({"train", data_, "--out", folder_ / "x", "--force-precision"}).err,
              HasSubstr("--force-precision goes with --precision bf16, not f32"));
}

TEST_F(TrainProgram, ASecondRunInAFolderIsToldWhoUsesIt) {
  const std::string run = folder_ / "run";
  std::vector<std::string> long_run = train_arguments(data_, run);
  *std::next(std::find(long_run.begin(), long_run.end(), "--epochs")) = "1000";
  RunningProgram first(long_run, folder_ / "log");
  ASSERT_TRUE(first.wait_until([&] { return std::filesystem::exists(run + "/best.resflow"); }));
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"train", data_, "--out", run, "--resume"},
                                                    train_arguments(data_, run, {"--overwrite"})}) {
    const ProcessResult second = resflow(arguments);
    EXPECT_EQ(second.exit_code, 2) << second.err;
    EXPECT_THAT(second.err, HasSubstr("--out " + run + ": is in use by process "));
    EXPECT_THAT(second.err, HasSubstr(" UTC"));
  }
  first.send(SIGKILL);
  EXPECT_EQ(first.wait(), 128 + SIGKILL);
  EXPECT_EQ(resflow({"train", data_, "--out", run, "--resume", "--epochs", "0"}).exit_code, 0)
      << "a run that was killed holds no folder";
}

TEST_F(TrainProgram, ABrokenCheckpointIsNotResumedFrom) {
  const std::string run = folder_ / "run", last = run + "/last.resflow";
  ASSERT_EQ(resflow(train_arguments(data_, run, {"--keep", "1"})).exit_code, 0);
  const std::string whole = read_text(last);
  std::string flipped = whole;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  const std::vector<std::string> broken = {whole.substr(0, whole.size() / 2), flipped, "PK\x03\x04 another program's",
                                           ""};
  for (const std::string& content : broken) {
    write_text(last, content);
    const ProcessResult result = resflow({"train", data_, "--out", run, "--resume", "--epochs", "2"});
    EXPECT_EQ(result.exit_code, 3) << result.err;
    EXPECT_THAT(result.err, HasSubstr(last));
    EXPECT_TRUE(read_text(last) == content);
  }
}

}  // namespace
}  // namespace resflow::testing
