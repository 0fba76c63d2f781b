// Logits, loss, every gradient and every running statistic against PyTorch from the same weights.
#include <gtest/gtest.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "graph/model/freeze.h"
#include "graph/plan/plan.h"
#include "graph/train/trainer.h"
#include "ops/softmax_loss.h"
#include "tests/graph/cases.h"
#include "tests/graph/raw_file.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::kClasses;
using testing::TemporaryFolder;

struct ParityCase {
  std::string name;
  std::string architecture = {};
  Mode mode = Mode::kTrain;
  int64_t batch = 4, height = 64, width = 64;
  std::vector<int> threads = {2};
  Layout layout = Layout::kAny;
  std::vector<std::string> freeze = {};
  FreezeBatchNorm freeze_bn = FreezeBatchNorm::kEval;
  // Of a network without a name in torchvision: what it is, and how tests/graph/variants.py is told.
  ModelDescription variant = {};
  std::string torch = {};

  ModelDescription description() const {
    ModelDescription d = torch.empty() ? ModelDescription{.architecture = architecture} : variant;
    d.num_classes = kClasses;
    return d;
  }
  friend void PrintTo(const ParityCase& c, std::ostream* out) { *out << c.name; }
};

void run_case(const ParityCase& c, int threads, uint64_t seed, const TemporaryFolder& folder, bool first) {
  const Compute compute(threads);
  Model model(c.description(), compute);
  testing::settle(model);
  if (!c.freeze.empty()) freeze(model, c.freeze, c.freeze_bn);
  const auto pixels = testing::noise_pixels(c.batch, c.height, c.width, seed);
  const auto labels = testing::noise_labels(c.batch, kClasses, seed);
  if (first) {
    testing::write_weights(folder / "weights", model);
    testing::write_raw<float>(folder / "pixels", pixels);
    testing::write_raw<int32_t>(folder / "labels", labels);
  }
  Plan plan(model, {.batch = c.batch, .height = c.height, .width = c.width, .mode = c.mode, .layout = c.layout});
  const std::string prefix = folder / std::to_string(threads);
  const std::span<const float> logits = plan.forward(pixels.data(), c.batch);
  testing::write_raw<float>(prefix + ".logits", logits);
  if (c.mode == Mode::kEval) return;
  SoftmaxLoss loss(compute, c.batch, kClasses);
  std::vector<float> diff_logits(logits.size());
  const auto mean = static_cast<float>(loss.run(logits.data(), labels, diff_logits.data()).loss);
  plan.backward(diff_logits.data(), [](const Bucket& /*bucket*/) {});
  testing::write_raw<float>(prefix + ".loss", std::span(&mean, 1));
  testing::write_gradients(prefix + ".gradients", model);
  testing::write_statistics(prefix + ".statistics", model);
}

// Differences by "THREADS WHAT NAME"; empty where PyTorch is not installed.
std::map<std::string, double> differences(const ParityCase& c, uint64_t seed) {
  const TemporaryFolder folder;
  std::vector<std::string> arguments;
  if (!c.freeze.empty())
    arguments = {"--freeze", c.freeze_bn == FreezeBatchNorm::kEval ? "eval" : "train",
                 fmt::format("{}", fmt::join(c.freeze, ","))};
  for (const std::string& argument : {folder.path().string(), std::string(c.mode == Mode::kTrain ? "train" : "eval"),
                                      c.torch.empty() ? c.architecture : c.torch, std::to_string(kClasses),
                                      std::to_string(c.batch), std::to_string(c.height), std::to_string(c.width)})
    arguments.push_back(argument);
  for (const int threads : c.threads) {
    run_case(c, threads, seed, folder, threads == c.threads.front());
    arguments.push_back(std::to_string(threads));
  }
  std::map<std::string, double> all;
  std::istringstream lines(testing::run_python("graph/parity.py", arguments));
  for (std::string line; std::getline(lines, line) && !line.starts_with("absent");) {
    const size_t end = line.rfind(' ');
    all[line.substr(0, end)] = std::stod(line.substr(end));
  }
  return all;
}

class Parity : public ::testing::TestWithParam<ParityCase> {};

// The tolerance of the project, 1e-4 of the largest logit, and relative L2 of a tensor. Loss and statistics follow
// from the forward pass, so the same holds for them.
//
// A ReLU whose input is 0 but for rounding passes the gradient in one of two correct programs and not in the other
// (see settle()). Such a tie belongs to one input; a fault shows with every input. So a tensor's gradient that is off
// has a second and a third chance with other pixels, while none may ever be off by more than a unit can be.
TEST_P(Parity, WithTorch) {
  constexpr double kTolerance = 1e-4, kTie = 0.05;
  const ParityCase& c = GetParam();
  std::map<std::string, double> best;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const auto now = differences(c, seed);
    if (now.empty()) GTEST_SKIP() << "needs torch and torchvision";
    const size_t all = c.mode == Mode::kEval ? 2 : c.torch.empty() ? 100 : 20;
    EXPECT_GE(now.size(), all * c.threads.size());
    for (const auto& [what, difference] : now) {
      const bool gradient = what.find(" gradient ") != std::string::npos;
      EXPECT_LE(difference, gradient ? kTie : kTolerance) << what;
      const auto known = best.try_emplace(what, difference).first;
      known->second = std::min(known->second, difference);
    }
    if (std::all_of(best.begin(), best.end(), [&](const auto& one) { return one.second <= kTolerance; })) break;
  }
  for (const auto& [what, difference] : best)
    EXPECT_LE(difference, kTolerance) << what << ", with each of three inputs";
}

std::vector<ParityCase> parity_cases() {
  std::vector<ParityCase> all = {
      {.name = "resnet18", .architecture = "resnet18", .batch = 6, .threads = {1, 2, 4}},
      {.name = "resnet34", .architecture = "resnet34", .batch = 3, .height = 96},
      {.name = "resnet50", .architecture = "resnet50", .threads = {1, 2}},
      {.name = "resnet101", .architecture = "resnet101"},
      {.name = "resnet152", .architecture = "resnet152"},
      {.name = "resnext50_32x4d", .architecture = "resnext50_32x4d"},
      {.name = "resnext101_32x8d", .architecture = "resnext101_32x8d"},
      {.name = "resnext101_64x4d", .architecture = "resnext101_64x4d"},
      {.name = "wide_resnet50_2", .architecture = "wide_resnet50_2"},
      {.name = "wide_resnet101_2", .architecture = "wide_resnet101_2"},
      {.name = "resnet18_224", .architecture = "resnet18", .batch = 2, .height = 224, .width = 224},
      {.name = "resnet18_odd", .architecture = "resnet18", .batch = 5, .height = 75, .width = 101},
      {.name = "resnet18_channels_last", .architecture = "resnet18", .layout = Layout::kChannelsLast},
      {.name = "resnet50_channels_last", .architecture = "resnet50", .layout = Layout::kChannelsLast},
      {.name = "resnext50_channels_last", .architecture = "resnext50_32x4d", .layout = Layout::kChannelsLast},
  };
  // What is frozen from the input on runs as in inference; a batch norm in the middle passes its gradient on.
  const std::vector<std::string> prefix = {"conv1", "bn1", "layer1", "layer2"};
  const std::vector<std::string> middle = {"layer2", "layer3.0.bn2", "layer4.1.bn1", "layer1.0.downsample.1"};
  all.push_back({.name = "resnet18_frozen_prefix", .architecture = "resnet18", .threads = {1, 2}, .freeze = prefix});
  // Not resnet50: behind running statistics that do not fit its activations PyTorch's f32 is 1e-2 off its own f64.
  all.push_back({.name = "resnet34_frozen_prefix", .architecture = "resnet34", .freeze = prefix});
  all.push_back({.name = "resnet50_frozen_prefix_in_training",
                 .architecture = "resnet50",
                 .freeze = prefix,
                 .freeze_bn = FreezeBatchNorm::kTrain});
  all.push_back({.name = "resnet50_frozen_middle", .architecture = "resnet50", .freeze = middle});
  for (const char* architecture :
       {"resnet18", "resnet34", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "resnext101_64x4d"})
    all.push_back({.name = std::string(architecture) + "_eval", .architecture = architecture, .mode = Mode::kEval});
  all.push_back({.name = "resnet34_eval_one_large",
                 .architecture = "resnet34",
                 .mode = Mode::kEval,
                 .batch = 1,
                 .height = 224,
                 .width = 288,
                 .threads = {1, 2, 4}});
  all.push_back({.name = "resnet50_eval_channels_last",
                 .architecture = "resnet50",
                 .mode = Mode::kEval,
                 .layout = Layout::kChannelsLast});
  return all;
}

ModelDescription unnamed(const char* block, std::vector<int64_t> layers) {
  ModelDescription description;
  description.architecture = "resnet";
  description.block = block;
  description.layers = std::move(layers);
  return description;
}

// What torchvision has no name for. Small pictures: the smallest stages have a few pixels still.
std::vector<ParityCase> variant_cases() {
  std::vector<ParityCase> all;
  const auto add = [&](const char* name, const ModelDescription& variant, const char* torch, int64_t side = 32) {
    all.push_back({.name = name, .height = side, .width = side, .variant = variant, .torch = torch});
  };
  add("resnet20", {.architecture = "resnet20"},
      R"({"layers": [3, 3, 3], "channels": 16, "stem": "cifar", "shortcut": "padding"})");
  ModelDescription model = unnamed("basic", {2, 1, 1});
  model.stem = "cifar";
  model.channels = 24;
  add("projection_for_cifar", model, R"({"layers": [2, 1, 1], "channels": 24, "stem": "cifar"})", 35);
  model = unnamed("bottleneck", {1, 2});
  model.shortcut = "padding";
  add("bottleneck_with_padding", model, R"({"block": "bottleneck", "layers": [1, 2], "shortcut": "padding"})", 64);
  model = unnamed("bottleneck", {1, 1, 1, 1, 1});
  model.groups = 4;
  model.width_per_group = 16;
  model.channels = 32;
  model.replace_stride_with_dilation = {false, true, false, true};
  add("five_stages_dilated_in_groups", model,
      R"({"block": "bottleneck", "layers": [1, 1, 1, 1, 1], "groups": 4, "width_per_group": 16, "channels": 32,
          "dilate": [false, true, false, true]})",
      64);
  model = {.architecture = "resnet18"};
  model.norm = "group";
  add("group_norm", model, R"({"layers": [2, 2, 2, 2], "norm": "group", "norm_groups": 32})", 64);
  model = unnamed("bottleneck", {1, 1, 1});
  model.norm = "group";
  model.norm_groups = 8;
  model.stem = "cifar";
  add("group_norm_bottleneck", model,
      R"({"block": "bottleneck", "layers": [1, 1, 1], "channels": 16, "stem": "cifar", "norm": "group",
          "norm_groups": 8, "width_per_group": 64})");
  model = unnamed("basic", {2, 2});
  model.no_residual = true;
  add("plain", model, R"({"layers": [2, 2], "residual": false})", 64);
  const std::vector<ParityCase> training = all;
  for (ParityCase c : training) {
    c.name += "_eval";
    c.mode = Mode::kEval;
    all.push_back(c);
  }
  ParityCase one = all[4];  // group norm of a single picture
  one.name += "_of_one";
  one.batch = 1;
  all.push_back(one);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Variants, Parity, ::testing::ValuesIn(variant_cases()),
                         [](const ::testing::TestParamInfo<ParityCase>& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(Models, Parity, ::testing::ValuesIn(parity_cases()),
                         [](const ::testing::TestParamInfo<ParityCase>& info) { return info.param.name; });

}  // namespace
}  // namespace resflow
