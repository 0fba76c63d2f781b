// resflow train --weights: what a run starts from, what it says, and what it refuses.
//
// Covers: apps/model/initial_weights
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "apps/data/training_data.h"
#include "apps/model/class_names.h"
#include "apps/model/initial_weights.h"
#include "apps/model/model_file.h"
#include "apps/train/options.h"
#include "apps/train/saved_options.h"
#include "graph/model/init.h"
#include "graph/model/model_zoo.h"
#include "io/checkpoint/checkpoint.h"
#include "pipeline/loader.h"
#include "tests/apps/environment.h"
#include "tests/apps/program.h"
#include "tests/graph/raw_file.h"
#include "tests/io/expect_error.h"
#include "tests/support/heard_sentences.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Values = std::map<std::string, Array>;

Values by_name(std::vector<NamedArray> arrays) {
  Values values;
  for (NamedArray& a : arrays) values.emplace(a.name, std::move(a.array));
  return values;
}

Array initial(const std::string& name, int64_t classes, uint64_t seed) {
  const Graph graph = build_model({.architecture = "resnet18", .num_classes = classes});
  for (const ParameterSpec& spec : graph.parameters())
    if (spec.name == name) return initial_value(spec, seed);
  throw std::runtime_error("no parameter " + name);
}

std::string said(const InitialWeights& weights) {
  std::string text;
  for (const auto& [what, sentence] : weights.facts) text += what + ": " + without_marks(sentence) + "\n";
  return text;
}

// 2 classes of 4 pictures. Runs of no epoch: what they leave is what they start from.
class TrainWeights : public ::testing::Test {
 protected:
  TrainWeights() { draw_photos(data_, 2, 4); }

  // False where there is no PyTorch; `names` are those of make_weights.py.
  bool make(const std::vector<std::string>& names) {
    std::vector<std::string> arguments = {folder_.path().string()};
    arguments.insert(arguments.end(), names.begin(), names.end());
    return !run_python("apps/make_weights.py", arguments).starts_with("absent");
  }

  std::string pth(const std::string& name) const { return folder_ / (name + ".pth"); }

  ProcessResult train(const std::string& out, const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"train",    data_, "--out",        folder_ / out, "--batch",   "4",
                                    "--epochs", "0",   "--image-size", "48",          "--threads", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return resflow(all);
  }

  Checkpoint last(const std::string& out) const { return load_checkpoint(folder_ / out + "/last.resflow"); }

  InitialWeights load(const std::string& weights, const std::vector<std::string>& skip = {},
                      const std::string& architecture = {}, int image_size = 48) {
    return load_initial_weights({.weights = weights,
                                 .skip = skip,
                                 .architecture = architecture,
                                 .classes = {"fence", "net"},
                                 .image_size = image_size,
                                 .seed = 3},
                                heard_);
  }

  // A checkpoint of our own, with values that are no run's.
  Checkpoint own_checkpoint(const std::vector<std::string>& classes) const {
    Checkpoint c;
    c.model = {.architecture = "resnet18", .num_classes = static_cast<int64_t>(classes.size())};
    c.classes = classes;
    for (const ParameterSpec& spec : build_model(c.model).parameters())
      c.parameters.push_back({spec.name, initial_value(spec, 99)});
    return c;
  }

  TemporaryFolder folder_;
  HeardSentences heard_;
  std::string data_ = folder_ / "data";
};

TEST_F(TrainWeights, StartsFromPyTorchsFilesToTheBit) {
  if (!make({"two", "seven", "half", "uncounted"})) GTEST_SKIP() << "no PyTorch here";
  const ProcessResult two = train("two", {"--weights", pth("two")});
  ASSERT_EQ(two.exit_code, 0) << two.err;
  EXPECT_THAT(two.out, HasSubstr("model      resnet18, "));  // not the default: what the file fits
  EXPECT_THAT(two.out, HasSubstr("weights    " + pth("two") + ", 122 of 122 tensors\n"));
  EXPECT_THAT(two.out, HasSubstr("head       kept: the weights have 2 classes, as the data have\n"));
  const Values file = by_name(read_weights(pth("two")).tensors);
  const Checkpoint started = last("two");
  ASSERT_EQ(started.parameters.size(), file.size());
  for (const auto& [name, array] : started.parameters) EXPECT_EQ(array, file.at(name)) << name;
  EXPECT_EQ(started.provenance.front().first, "weights");
  EXPECT_TRUE(started.provenance.front().second.starts_with("two.pth sha256 "));

  const ProcessResult seven = train("seven", {"--weights", pth("seven"), "--seed", "8"});
  ASSERT_EQ(seven.exit_code, 0) << seven.err;
  EXPECT_THAT(seven.out, HasSubstr("weights    " + pth("seven") + ", 120 of 122 tensors\n"));
  EXPECT_THAT(
      seven.out,
      HasSubstr("head       fc.weight and fc.bias are initialised anew: the weights have 7 classes, the data 2"));
  const Values sevens = by_name(read_weights(pth("seven")).tensors);
  for (const auto& [name, array] : last("seven").parameters)
    EXPECT_EQ(array, name.starts_with("fc.") ? initial(name, 2, 8) : sevens.at(name)) << name;

  // torchvision's first wide ResNets are such files.
  const ProcessResult half = train("half", {"--weights", pth("half")});
  ASSERT_EQ(half.exit_code, 0) << half.err;
  EXPECT_THAT(half.out, HasSubstr("122 of 122 tensors, f16 taken as f32\n"));
  const Values halves = by_name(last("half").parameters);
  EXPECT_EQ(halves.at("bn1.weight"), file.at("bn1.weight"));
  const auto exact = file.at("conv1.weight").values<float>(), rounded = halves.at("conv1.weight").values<float>();
  for (size_t i = 0; i < exact.size(); ++i) ASSERT_NEAR(rounded[i], exact[i], 1e-3 * std::abs(exact[i]) + 1e-7);

  // PyTorch before 0.4.1 did not count batches.
  const ProcessResult uncounted = train("uncounted", {"--weights", pth("uncounted")});
  ASSERT_EQ(uncounted.exit_code, 0) << uncounted.err;
  EXPECT_THAT(uncounted.out, HasSubstr("102 of 122 tensors\n"));
  const Values counts = by_name(last("uncounted").parameters);
  EXPECT_EQ(counts.at("bn1.num_batches_tracked").values<int64_t>()[0], 0);
  EXPECT_EQ(file.at("bn1.num_batches_tracked").values<int64_t>()[0], 7);
  EXPECT_EQ(counts.at("bn1.running_var"), file.at("bn1.running_var"));
}

// The file's weights, our batches with the file's normalization, and PyTorch's losses of both steps.
TEST_F(TrainWeights, FirstStepsGiveTorchsLosses) {
  if (!make({"two"})) GTEST_SKIP() << "no PyTorch here";
  fs::copy_file(pth("two"), pth("weights"));
  Checkpoint c = own_checkpoint({"fence", "net"});
  c.parameters = read_weights(pth("weights")).tensors;
  c.preprocessing = {.resize = 232, .crop = 224, .mean = {0.4F, 0.5F, 0.6F}, .std = {0.3F, 0.25F, 0.2F}};
  save_checkpoint(c, folder_ / "weights.resflow");

  constexpr int kBatch = 8, kSize = 64, kSteps = 2;
  const ProcessResult result = resflow({"train",          data_,
                                        "--out",          folder_ / "run",
                                        "--weights",      folder_ / "weights.resflow",
                                        "--batch",        "8",
                                        "--image-size",   "64",
                                        "--epochs",       "2",
                                        "--optimizer",    "sgd",
                                        "--momentum",     "0",
                                        "--weight-decay", "0",
                                        "--lr",           "0.001",
                                        "--threads",      "2"});
  ASSERT_EQ(result.exit_code, 0) << result.err;

  Recipe recipe = Recipe::train(kSize);
  std::copy(c.preprocessing.mean.begin(), c.preprocessing.mean.end(), recipe.mean);
  std::copy(c.preprocessing.std.begin(), c.preprocessing.std.end(), recipe.std);
  const TrainingData data = load_training_data(data_, "", silent());
  Loader loader(data.train, recipe, {.batch = kBatch, .threads = 2});
  {
    std::ofstream pixels(folder_ / "pixels", std::ios::binary), labels(folder_ / "labels", std::ios::binary);
    for (int epoch = 0; epoch < kSteps; ++epoch)
      loader.run(static_cast<uint64_t>(epoch), 0, [&](const Batch& batch) {
        append_raw<float>(pixels, {batch.pixels, size_t{kBatch} * 3 * kSize * kSize});
        append_raw<int32_t>(labels, {batch.labels.data(), size_t{kBatch}});
        return true;
      });
  }
  std::istringstream torch(
      run_python("apps/make_weights.py", {folder_.path().string(), "losses", "2", std::to_string(kBatch),
                                          std::to_string(kSize), std::to_string(kSteps), "0.001"}));
  const std::vector<EpochRecord> history = last("run").training.history;
  ASSERT_EQ(history.size(), size_t{kSteps});
  for (const EpochRecord& record : history) {
    double wanted = 0;
    ASSERT_TRUE(torch >> wanted);
    EXPECT_NEAR(record.train_loss, wanted, 1e-3 * wanted) << "step " << record.epoch;  // the tolerance of the project
  }
}

TEST_F(TrainWeights, WhatDoesNotFitIsListedByName) {
  if (!make({"misfit", "nan", "module", "resnet34"})) GTEST_SKIP() << "no PyTorch here";
  expect_error(
      ErrorKind::kData,
      {pth("misfit"), "is resnet18 with ", " but for 3 of 122 tensors: missing: layer1.0.conv1.weight, fc.bias; ",
       "misshapen: bn1.weight has f32 (32), model wants f32 (64)", "weights_skip"},
      [&] { load(pth("misfit")); });
  const InitialWeights left_out = load(pth("misfit"), {"aux.*", "layer1.0.conv1.weight", "bn1.weight", "fc.bias"});
  EXPECT_EQ(left_out.description.architecture, "resnet18");
  EXPECT_THAT(said(left_out), HasSubstr("119 of 122 tensors"));
  EXPECT_THAT(said(left_out), HasSubstr("3 tensors of the model by weights_skip 'aux.*' 'layer1.0.conv1.weight' "));

  expect_error(ErrorKind::kData,
               {pth("resnet34"), "does not fit model resnet18", "unexpected: layer1.2.conv1.weight", " and 91 more",
                "the weights fit model resnet34"},
               [&] { load(pth("resnet34"), {}, "resnet18"); });
  EXPECT_EQ(load(pth("resnet34")).description.architecture, "resnet34");
  // Without its last stage it is still no resnet18.
  EXPECT_EQ(load(pth("resnet34"), {"layer4.*"}).description.architecture, "resnet34");

  expect_error(ErrorKind::kData, {pth("nan"), "no numbers", "bn1.bias (64 NaN)"}, [&] { load(pth("nan")); });
  EXPECT_NO_THROW(load(pth("nan"), {"bn1.*"}));
  expect_error(ErrorKind::kData, {pth("module"), "state"}, [&] { load(pth("module")); });
  write_text(folder_ / "photo.pth", photo_bytes(0, 0));
  expect_error(ErrorKind::kData, {folder_ / "photo.pth", "JPEG"}, [&] { load(folder_ / "photo.pth"); });
  expect_error(ErrorKind::kData, {folder_ / "absent.pth"}, [&] { load(folder_ / "absent.pth"); });

  // The program: one sentence, and no folder for a run that does not begin.
  for (const char* name : {"misfit", "module"}) {
    const ProcessResult result = train("run", {"--weights", pth(name)});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_FALSE(fs::exists(folder_ / "run"));
  }
}

TEST_F(TrainWeights, PatternsLeaveOutOnPurpose) {
  const std::string file = folder_ / "own.resflow";
  save_checkpoint(own_checkpoint({"fence", "net"}), file);
  const Values theirs = by_name(load_checkpoint(file).parameters);
  const InitialWeights weights = load(file, {"layer4.*", "fc.bias"});
  EXPECT_THAT(said(weights), HasSubstr("left out: 31 tensors of the model by weights_skip 'layer4.*' 'fc.bias'"));
  EXPECT_THAT(said(weights), Not(HasSubstr("head")));
  ASSERT_EQ(weights.values.size(), theirs.size());
  for (const auto& [name, array] : weights.values) {
    const bool is_new = name.starts_with("layer4.") || name == "fc.bias";
    EXPECT_EQ(array, is_new ? initial(name, 2, 3) : theirs.at(name)) << name;
  }
  expect_error(ErrorKind::kUsage, {"weights_skip 'layer5.*': matches no name in " + file, "resnet18"}, [&] {
    load(file, {"fc.*", "layer5.*"});
  });
  expect_error(ErrorKind::kUsage, {"leaves nothing"}, [&] { load(file, {"*"}); });

  // Half of a head is not kept where the classes are others.
  const std::string other = folder_ / "other.resflow";
  save_checkpoint(own_checkpoint({"a", "b", "c"}), other);
  const InitialWeights replaced = load(other, {"fc.weight"});
  EXPECT_THAT(said(replaced),
              HasSubstr("head: fc.weight and fc.bias are initialised anew: the weights have 3 classes"));
  EXPECT_EQ(by_name(load(other, {"fc.weight"}).values).at("fc.bias"), initial("fc.bias", 2, 3));
}

TEST_F(TrainWeights, AHeadOfOtherClassesIsWarnedOf) {
  const std::string file = folder_ / "own.resflow";
  save_checkpoint(own_checkpoint({"wall", "gate"}), file);
  load(file);
  EXPECT_THAT(heard_.warnings(), HasSubstr("the head is that of the classes wall, gate, the data have fence, net"));
}

TEST_F(TrainWeights, RowsOfTheHeadAreKeptByTheNamesOfTheirClasses) {
  const std::string file = folder_ / "own.resflow";
  save_checkpoint(own_checkpoint({"net", "gate", "wall"}), file);
  const Array theirs = by_name(load_checkpoint(file).parameters).at("fc.weight");
  const InitialWeights weights = load(file);
  EXPECT_THAT(said(weights), HasSubstr("head: 1 of 2 rows kept"));
  const Values values = by_name(weights.values);
  const std::span<const float> kept = values.at("fc.weight").values<float>();
  const std::span<const float> was = theirs.values<float>();
  constexpr size_t kFeatures = 512;
  // The data's classes are fence and net: the first row is new, the second is the weights' first.
  EXPECT_TRUE(std::equal(kept.begin() + kFeatures, kept.end(), was.begin()));
  const Array fresh = initial("fc.weight", 2, 3);
  EXPECT_TRUE(std::equal(kept.begin(), kept.begin() + kFeatures, fresh.values<float>().begin()));
  EXPECT_EQ(heard_.warnings(), "");
}

TEST_F(TrainWeights, ThePreprocessingOfTheWeightsCarriesOver) {
  Checkpoint c = own_checkpoint({"a", "b", "c"});
  c.preprocessing = {.resize = 232, .crop = 224, .mean = {0.4F, 0.5F, 0.6F}, .std = {0.3F, 0.25F, 0.2F}};
  c.provenance = {{"weights", "x.pth sha256 00"}};
  const std::string file = folder_ / "own.resflow";
  save_checkpoint(c, file);
  EXPECT_EQ(load(file, {}, {}, 224).preprocessing, c.preprocessing);
  const ProcessResult result = train("run", {"--weights", file});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("evaluation short side to 49, centre 48 x 48, in the proportion of the weights\n"));
  const Checkpoint started = last("run");
  EXPECT_EQ(started.preprocessing.resize, 49);  // 48 * 232 / 224
  EXPECT_EQ(started.preprocessing.crop, 48);
  EXPECT_EQ(started.preprocessing.mean, c.preprocessing.mean);
  EXPECT_EQ(started.preprocessing.std, c.preprocessing.std);
  ASSERT_EQ(started.provenance.size(), 3U);
  EXPECT_EQ(started.provenance[0], c.provenance[0]);
  EXPECT_TRUE(started.provenance[1].second.starts_with("own.resflow sha256 "));
  EXPECT_EQ(started.provenance[2].first, "made by");

  c.preprocessing.crop = 0;
  save_checkpoint(c, file);
  expect_error(ErrorKind::kData, {"crop 0"}, [&] { load(file); });
}

TEST_F(TrainWeights, AResumedRunNeedsNoWeightsAndTakesNoOthers) {
  Checkpoint c = own_checkpoint({"a", "b", "c"});
  c.preprocessing = {.resize = 232, .crop = 224, .mean = {0.4F, 0.5F, 0.6F}, .std = {0.3F, 0.25F, 0.2F}};
  const std::string file = folder_ / "own.resflow";
  save_checkpoint(c, file);
  const std::vector<std::string> options = {"--weights",      file,      "--weights-skip", "layer4.*",
                                            "--weights-skip", "bn1.bias"};
  auto whole = options;
  whole.insert(whole.end(), {"--lr", "0.0001"});
  ASSERT_EQ(train("run", whole).exit_code, 0);
  fs::remove(file);

  const auto resume = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = {"train", data_, "--out", folder_ / "run", "--resume"};
    all.insert(all.end(), more.begin(), more.end());
    return resflow(all);
  };
  const ProcessResult other = resume({"--weights", "other.pth"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("--weights was " + file + ", now other.pth"));
  const ProcessResult skip = resume({"--weights-skip", "layer4.*"});
  EXPECT_EQ(skip.exit_code, 2);
  EXPECT_THAT(skip.err, HasSubstr("--weights-skip was layer4.* bn1.bias, now layer4.*"));

  const Checkpoint before = last("run");
  auto more = options;
  more.insert(more.end(), {"--epochs", "1"});
  const ProcessResult resumed = resume(more);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  const Checkpoint after = last("run");
  EXPECT_EQ(after.training.step, 2);
  EXPECT_EQ(after.preprocessing, before.preprocessing);
  EXPECT_EQ(after.provenance, before.provenance);
}

TEST_F(TrainWeights, EntriesOfTorchvisionAreLookedForBeforeAnythingIsMade) {
  const std::string file = folder_ / "own/resnet18-f37072fd.pth";
  const auto run = [&](const std::string& spec) {
    return run_process({RESFLOW_PROGRAM, "train", data_, "--out", folder_ / "run", "--batch", "4", "--weights", spec},
                       {.input = {}, .environment = {"RESFLOW_WEIGHTS=" + folder_ / "own"}});
  };
  write_text(file, "no weights");
  const ProcessResult wrong = run("resnet18:DEFAULT");
  EXPECT_EQ(wrong.exit_code, 3);
  EXPECT_THAT(wrong.err, HasSubstr(file + ": its SHA-256 begins with"));
  const ProcessResult unknown = run("resnet18:V3");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("resnet18:IMAGENET1K_V1"));
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

TEST(TrainOptionsOfWeights, ThatCannotBeAreRefused) {
  const auto refused = [](TrainOptions options, const std::string& words) {
    expect_error(ErrorKind::kUsage, {words}, [&] { resolve(options); });
  };
  TrainOptions skip;
  skip.weights_skip = {"fc.*"};
  refused(skip, "weights_skip goes with weights");
  TrainOptions empty;
  empty.given = {"weights"};
  refused(empty, "weights: wanted a file or MODEL:ENTRY");
  TrainOptions spaced;
  spaced.weights = "w.pth";
  spaced.weights_skip = {"layer4.* fc.*"};
  refused(spaced, "weights_skip 'layer4.* fc.*': is no pattern");
}

TEST(TrainOptionsOfWeights, ARunFromBeforeThereWereAnyHadNone) {
  TrainOptions began;
  resolve(began);
  SavedOptions saved = saved_options(began);
  std::erase_if(saved, [](const auto& option) { return option.first.starts_with("--weights"); });
  TrainOptions resumed;
  adopt_saved(resumed, saved);
  EXPECT_EQ(resumed.weights, "");
  EXPECT_THAT(resumed.weights_skip, ElementsAre());
  TrainOptions other;
  other.weights = "w.pth";
  other.given = {"weights"};
  expect_error(ErrorKind::kUsage, {"weights was not given, now w.pth"}, [&] { adopt_saved(other, saved); });
}

}  // namespace
}  // namespace resflow::testing
