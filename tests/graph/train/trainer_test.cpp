// Covers: graph/train/evaluator graph/train/gradient_sum graph/train/optimizer
#include "graph/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "graph/train/evaluator.h"
#include "io/core/error.h"
#include "tests/graph/cases.h"
#include "tests/graph/raw_file.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;
using testing::kClasses;
using testing::kSide;
using testing::kSmall;

struct Batches {
  Batches(int64_t batch, int steps) {
    for (int step = 0; step < steps; ++step) {
      pixels.push_back(testing::noise_pixels(batch, kSide, kSide, 100 + static_cast<uint64_t>(step)));
      labels.push_back(testing::noise_labels(batch, kClasses, 100 + static_cast<uint64_t>(step)));
    }
  }
  std::vector<std::vector<float>> pixels;
  std::vector<std::vector<int32_t>> labels;
};

void expect_same(const std::vector<NamedArray>& a, const std::vector<NamedArray>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_EQ(a[i].array, b[i].array) << a[i].name;
  }
}

struct Recipe {
  OptimizerOptions options;
  LossOptions loss;
  std::vector<std::string> torch;  // the same in torch's words
  int accumulate = 1;              // batches an update
  const char* suffix = "";         // of the test's name
};

class TenSteps : public ::testing::TestWithParam<Recipe> {};

TEST_P(TenSteps, GiveTorchsLosses) {
  constexpr int kSteps = 10;
  constexpr int64_t kBatch = 8;
  const Batches batches(kBatch, kSteps);
  const testing::TemporaryFolder folder;
  const Compute compute(2);
  Model model(kSmall, compute);
  // From torchvision's initial weights PyTorch differs from itself (channels last or not) by more than the tolerance.
  testing::settle(model, 11);
  testing::write_weights(folder / "weights", model);
  std::ofstream pixels(folder / "pixels", std::ios::binary), labels(folder / "labels", std::ios::binary);
  for (int step = 0; step < kSteps; ++step) {
    const auto s = static_cast<size_t>(step);
    testing::append_raw<float>(pixels, batches.pixels[s]);
    testing::append_raw<int32_t>(labels, batches.labels[s]);
  }
  pixels.close();
  labels.close();
  std::vector<std::string> arguments = {folder.path().string(), std::to_string(kClasses), std::to_string(kBatch),
                                        std::to_string(kSide),  std::to_string(kSteps),   GetParam().options.name};
  arguments.insert(arguments.end(), GetParam().torch.begin(), GetParam().torch.end());
  const std::string output = testing::run_python("graph/train/steps.py", arguments);
  if (output.starts_with("absent")) GTEST_SKIP() << output;
  std::istringstream losses(output);

  if (GetParam().options.name == "lars" || GetParam().options.name == "lamb")
    for (const auto& parameter : model.parameters()) parameter->decay = parameter->value.dims().size() > 1;
  Trainer trainer(model, kBatch, kSide, GetParam().options, GetParam().loss);
  const int accumulate = GetParam().accumulate;
  if (accumulate > 1) trainer.allow_accumulation();
  for (int step = 0; step < kSteps; ++step) {
    const auto s = static_cast<size_t>(step);
    double wanted = 0;
    ASSERT_TRUE(losses >> wanted);
    double loss = 0;
    if (accumulate == 1) {
      loss = trainer.step(batches.pixels[s].data(), batches.labels[s]).loss;
    } else {
      loss = trainer.accumulate(batches.pixels[s].data(), batches.labels[s], {}, 1.0 / accumulate).loss;
      if ((step + 1) % accumulate == 0) trainer.update();
    }
    EXPECT_NEAR(loss, wanted, 1e-3 * wanted) << "step " << step;  // the tolerance of the project
  }
  EXPECT_EQ(trainer.steps(), kSteps / accumulate);
}

Recipe recipe(const std::string& optimizer, double lr, std::vector<std::string> torch) {
  Recipe recipe;
  recipe.options.name = optimizer;
  recipe.options.lr = lr;
  recipe.torch = std::move(torch);
  return recipe;
}

std::vector<Recipe> recipes() {
  std::vector<Recipe> all = {
      recipe("sgd", 0.01, {"lr=0.01", "momentum=0.9", "weight_decay=1e-4"}),
      recipe("sgd", 0.01, {"lr=0.01", "momentum=0.9", "nesterov=true", "label_smoothing=0.1"}),
      recipe("adam", 1e-4, {"lr=1e-4", "weight_decay=1e-2"}),
      recipe("adamw", 1e-4, {"lr=1e-4", "beta1=0.8", "beta2=0.99", "weight_decay=0.1"}),
      recipe("rmsprop", 1e-4, {"lr=1e-4", "momentum=0.9"}),
      // Settled weights have gradients of a norm about 3: both clip each step.
      recipe("sgd", 0.1, {"lr=0.1", "clip=0.5"}),
      recipe("sgd", 0.1, {"lr=0.1", "clip=0.5", "accumulate=2"}),
      recipe("adam", 1e-4, {"lr=1e-4", "accumulate=5"}),
      recipe("lars", 1, {"lr=1", "momentum=0.9", "weight_decay=1e-2"}),
      recipe("lars", 1, {"lr=1", "momentum=0.9", "nesterov=true"}),
      recipe("lamb", 1e-3, {"lr=1e-3", "weight_decay=0.1", "clip=1"}),
  };
  all[0].options.momentum = all[1].options.momentum = 0.9;
  all[0].options.weight_decay = 1e-4;
  all[1].options.nesterov = true;
  all[1].loss.label_smoothing = 0.1;
  all[2].options.weight_decay = 1e-2;
  all[3].options.beta1 = 0.8;
  all[3].options.beta2 = 0.99;
  all[3].options.weight_decay = 0.1;
  all[4].options.momentum = 0.9;
  all[5].options.clip_norm = all[6].options.clip_norm = 0.5;
  all[5].suffix = "_clip";
  all[6].accumulate = 2;
  all[6].suffix = "_clip_accumulate";
  all[7].accumulate = 5;
  all[7].suffix = "_accumulate";
  all[8].options.momentum = all[9].options.momentum = 0.9;
  all[8].options.weight_decay = 1e-2;
  all[9].options.nesterov = true;
  all[10].options.eps = 1e-6;
  all[10].options.weight_decay = 0.1;
  all[10].options.clip_norm = 1;
  return all;
}

INSTANTIATE_TEST_SUITE_P(Optimizers, TenSteps, ::testing::ValuesIn(recipes()),
                         [](const ::testing::TestParamInfo<Recipe>& info) {
                           return info.param.options.name + (info.param.options.nesterov ? "_nesterov" : "") +
                                  info.param.suffix;
                         });

TEST(Trainer, ResumeEqualsUninterrupted) {
  for (const char* optimizer : {"adam", "sgd", "rmsprop"}) {
    const OptimizerOptions options = {.name = optimizer, .lr = 1e-3, .momentum = 0.9};
    const Batches batches(4, 4);
    const Compute compute(2);
    Model whole(kSmall, compute), first(kSmall, compute), second(kSmall, compute);
    whole.initialise(2);
    first.initialise(2);
    Trainer uninterrupted(whole, 4, kSide, options);
    for (size_t s = 0; s < 4; ++s) uninterrupted.step(batches.pixels[s].data(), batches.labels[s]);
    std::vector<NamedArray> optimizer_state;
    {
      Trainer before(first, 4, kSide, options);
      for (size_t s = 0; s < 2; ++s) before.step(batches.pixels[s].data(), batches.labels[s]);
      optimizer_state = before.state();
    }
    second.load(first.state());
    Trainer after(second, 4, kSide, options);
    after.load(optimizer_state, 2);
    for (size_t s = 2; s < 4; ++s) after.step(batches.pixels[s].data(), batches.labels[s]);
    expect_same(second.state(), whole.state());
    expect_same(after.state(), uninterrupted.state());
    EXPECT_EQ(after.steps(), 4);
  }
}

TEST(Trainer, StateIsNamedAfterParametersInTheirShapes) {
  const Compute compute(1);
  Model model(kSmall, compute);
  model.initialise(2);
  const auto names_of = [&](const OptimizerOptions& options) {
    std::vector<std::string> names;
    for (const NamedArray& a : Trainer(model, 2, kSide, options).state())
      names.push_back(a.name + " " + to_string(a.array.dims()));
    return names;
  };
  const auto adam = names_of({.name = "adam"});
  EXPECT_EQ(adam.size(), 2U * 62);
  EXPECT_THAT(adam, ::testing::Contains("conv1.weight/exp_avg (64,3,7,7)"));
  EXPECT_THAT(adam, ::testing::Contains("fc.bias/exp_avg_sq (10)"));
  EXPECT_THAT(names_of({.name = "sgd", .momentum = 0.9}), ::testing::Contains("bn1.weight/momentum_buffer (64)"));
  EXPECT_TRUE(names_of({.name = "sgd"}).empty());
  EXPECT_THAT(names_of({.name = "rmsprop", .momentum = 0.9}), ::testing::Contains("bn1.weight/square_avg (64)"));
  EXPECT_THAT(names_of({.name = "rmsprop", .momentum = 0.9}), ::testing::Contains("bn1.weight/momentum_buffer (64)"));
}

TEST(Trainer, RefusesAnotherOptimizersState) {
  const Compute compute(1);
  Model model(kSmall, compute);
  model.initialise(2);
  std::vector<NamedArray> sgd_state;
  { sgd_state = Trainer(model, 2, kSide, {.name = "sgd", .momentum = 0.9}).state(); }
  Trainer adam(model, 2, kSide, {.name = "adam"});
  try {
    adam.load(sgd_state, 3);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_THAT(error.what(), HasSubstr("conv1.weight/exp_avg missing"));
    EXPECT_THAT(error.what(), HasSubstr("conv1.weight/momentum_buffer unexpected"));
  }
  EXPECT_EQ(adam.steps(), 0);
}

TEST(Trainer, ASmallerBatchTrainsAsATrainerOfThatSize) {
  const OptimizerOptions options = {.name = "sgd", .lr = 0.01, .momentum = 0.9};
  const Batches full(6, 2), last(3, 1);
  const Compute compute(2);
  Model a(kSmall, compute), b(kSmall, compute);
  a.initialise(4);
  b.initialise(4);
  Trainer one(a, 6, kSide, options);
  const size_t planned = one.memory().activations;
  one.step(full.pixels[0].data(), full.labels[0]);
  const StepResult small = one.step(last.pixels[0].data(), last.labels[0]);
  one.step(full.pixels[1].data(), full.labels[1]);
  EXPECT_EQ(one.memory().activations, planned);

  // The same three steps, each by a trainer made for its size.
  std::vector<NamedArray> state;
  int64_t steps = 0;
  const auto step = [&](const Batches& batches, size_t index, int64_t rows) {
    Trainer trainer(b, rows, kSide, options);
    if (steps > 0) trainer.load(state, steps);
    const StepResult result = trainer.step(batches.pixels[index].data(), batches.labels[index]);
    state = trainer.state();
    steps = trainer.steps();
    return result;
  };
  step(full, 0, 6);
  const StepResult wanted = step(last, 0, 3);
  step(full, 1, 6);
  // Layouts of the weights, and with them the order of sums, may differ.
  EXPECT_NEAR(small.loss, wanted.loss, 1e-4 * wanted.loss);
  const auto x = a.state(), y = b.state();
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i].array.dtype() == DType::kF32) {
      EXPECT_LE(testing::relative_l2(x[i].array.values<float>(), y[i].array.values<float>()), 1e-3) << x[i].name;
    }
  }
}

TEST(Trainer, ClippingActsOnTheWholeNorm) {
  const Compute compute(2);
  const Batches batches(4, 1);
  // SGD of rate 1 without momentum moves the values by the gradient: how far they moved is its norm.
  const auto moved = [&](double clip_norm) {
    Model model(kSmall, compute);
    testing::settle(model, 11);
    const auto before = model.state();
    Trainer trainer(model, 4, kSide, {.name = "sgd", .lr = 1, .clip_norm = clip_norm});
    trainer.step(batches.pixels[0].data(), batches.labels[0]);
    const auto after = model.state();
    double sum = 0;
    for (size_t i = 0; i < before.size(); ++i) {
      if (!model.parameter(before[i].name).learnt) continue;
      const auto x = before[i].array.values<float>(), y = after[i].array.values<float>();
      for (size_t k = 0; k < x.size(); ++k) sum += std::pow(static_cast<double>(x[k]) - y[k], 2);
    }
    return std::sqrt(sum);
  };
  const double whole = moved(0);
  EXPECT_NEAR(moved(whole / 4), whole / 4, 1e-4 * whole);  // f32 differences of values near 1
  EXPECT_NEAR(moved(whole * 2), whole, 1e-4 * whole) << "below the limit nothing is scaled";
}

TEST(Trainer, TargetsOfOneClassTrainAsLabelsDo) {
  const Compute compute(2);
  const Batches batches(4, 2);
  const auto losses = [&](bool soft) {
    Model model(kSmall, compute);
    testing::settle(model, 11);
    Trainer trainer(model, 4, kSide, {.name = "sgd", .lr = 0.01});
    std::vector<double> all;
    for (size_t s = 0; s < 2; ++s) {
      std::vector<float> targets(soft ? 4 * kClasses : 0);
      for (size_t n = 0; soft && n < 4; ++n) targets[n * kClasses + static_cast<size_t>(batches.labels[s][n])] = 1;
      all.push_back(trainer.step(batches.pixels[s].data(), batches.labels[s], targets).loss);
    }
    return all;
  };
  const auto labels = losses(false), targets = losses(true);
  for (size_t s = 0; s < 2; ++s) EXPECT_NEAR(labels[s], targets[s], 1e-5 * labels[s]);
}

TEST(Trainer, UpdatesOfNothingAreNone) {
  const Compute compute(1);
  Model model(kSmall, compute);
  model.initialise(1);
  Trainer trainer(model, 2, kSide, {});
  trainer.allow_accumulation();
  const auto before = model.state();
  trainer.update();
  EXPECT_EQ(trainer.steps(), 0);
  expect_same(model.state(), before);
}

TEST(Trainer, LearnsABatchByHeart) {
  const Compute compute(2);
  Model model(kSmall, compute);
  model.initialise(1);
  const Batches batches(8, 1);
  Trainer trainer(model, 8, kSide, {.name = "adam", .lr = 1e-3});
  const StepResult first = trainer.step(batches.pixels[0].data(), batches.labels[0]);
  StepResult result;
  for (int step = 0; step < 12; ++step) result = trainer.step(batches.pixels[0].data(), batches.labels[0]);
  EXPECT_LT(result.loss, 0.3 * first.loss);
  EXPECT_EQ(result.correct, 8);
  EXPECT_EQ(model.parameter("bn1.num_batches_tracked").count, 13);
}

TEST(Trainer, AWrongLabelChangesNothing) {
  const Compute compute(1);
  Model model(kSmall, compute);
  model.initialise(1);
  Trainer trainer(model, 2, kSide, {});
  const auto before = model.state();
  const auto pixels = testing::noise_pixels(2, kSide, kSide);
  for (const int32_t label : {-1, 10}) {
    const std::vector<int32_t> labels = {0, label};
    EXPECT_THROW(trainer.step(pixels.data(), labels), Error);
  }
  expect_same(model.state(), before);
  EXPECT_EQ(trainer.steps(), 0);
}

TEST(Trainer, RefusesOptionsThatCannotBe) {
  const Compute compute(1);
  Model model(kSmall, compute);
  const auto error_of = [&](const OptimizerOptions& options, int64_t size = kSide) -> std::string {
    try {
      Trainer(model, 2, size, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_of({.name = "lion"}), HasSubstr("\"lion\""));
  EXPECT_THAT(error_of({.lr = -1}), HasSubstr("lr is -1"));
  EXPECT_THAT(error_of({.lr = std::nan("")}), HasSubstr("lr is nan"));
  EXPECT_THAT(error_of({.beta1 = 1}), HasSubstr("beta1 is 1"));
  EXPECT_THAT(error_of({.clip_norm = -1}), HasSubstr("clip norm is -1"));
  EXPECT_THAT(error_of({.eps = -1}), HasSubstr("eps"));
  EXPECT_THAT(error_of({.weight_decay = -1}), HasSubstr("weight_decay"));
  EXPECT_THAT(error_of({.name = "sgd", .nesterov = true}), HasSubstr("nesterov"));
  EXPECT_THAT(error_of({}, 31), HasSubstr("31x31"));
}

TEST(Trainer, FrozenParametersStayAndTheOthersLearn) {
  const Compute compute(2);
  Model model(kSmall, compute);
  model.initialise(1);
  for (const auto& parameter : model.parameters())
    if (parameter->learnt && !parameter->name.starts_with("fc")) parameter->frozen = true;
  const auto before = model.state();
  const Batches batches(4, 2);
  Trainer trainer(model, 4, kSide, {.name = "sgd", .lr = 0.1});
  for (size_t s = 0; s < 2; ++s) trainer.step(batches.pixels[s].data(), batches.labels[s]);
  ASSERT_EQ(trainer.plan().buckets().size(), 1U);
  EXPECT_EQ(trainer.plan().buckets()[0].parameters.size(), 2U);
  const auto after = model.state();
  for (size_t i = 0; i < before.size(); ++i) {
    const bool moves = before[i].name.starts_with("fc") || before[i].name.find("running") != std::string::npos ||
                       before[i].name.ends_with("num_batches_tracked");
    EXPECT_EQ(before[i].array == after[i].array, !moves) << before[i].name;
  }
}

TEST(Evaluator, SumsAddUpOverBatchesAndBorrowedMemoryChangesNothing) {
  const Compute compute(2);
  Model model(kSmall, compute);
  testing::settle(model);
  Trainer trainer(model, 6, kSide, {});
  const auto pixels = testing::noise_pixels(10, kSide, kSide);
  const auto labels = testing::noise_labels(10, kClasses);
  Evaluator whole(model, {.batch = 10, .height = kSide, .width = kSide});
  Evaluator parts(model, {.batch = 4, .height = kSide, .width = kSide}, {}, &trainer.plan());
  EXPECT_EQ(parts.memory().activations, trainer.memory().activations + trainer.memory().gradients) << "one arena";
  const EvaluationSums wanted = whole.evaluate(pixels.data(), labels);
  EvaluationSums sums;
  constexpr size_t kRow = 3 * kSide * kSide;
  for (size_t from = 0; from < 10; from += 4) {
    const size_t rows = std::min<size_t>(4, 10 - from);
    sums += parts.evaluate(pixels.data() + from * kRow, std::span(labels).subspan(from, rows));
  }
  EXPECT_EQ(sums.rows, 10);
  EXPECT_EQ(sums.correct, wanted.correct);
  EXPECT_NEAR(sums.loss(), wanted.loss(), 1e-5 * wanted.loss());  // another batch, another order of sums
  // And the trainer, whose memory was borrowed, still steps as one that lent nothing.
  Model twin(kSmall, compute);
  testing::settle(twin);
  Trainer other(twin, 6, kSide, {});
  const std::span<const int32_t> six = std::span(labels).first(6);
  EXPECT_EQ(trainer.step(pixels.data(), six).loss, other.step(pixels.data(), six).loss);
  expect_same(model.state(), twin.state());
}

TEST(Evaluator, FollowsTraining) {
  const Compute compute(2);
  Model model(kSmall, compute);
  model.initialise(3);
  Trainer trainer(model, 4, kSide, {.lr = 1e-3});
  Evaluator evaluator(model, {.batch = 4, .height = kSide, .width = kSide});
  const Batches batches(4, 1);
  const double before = evaluator.evaluate(batches.pixels[0].data(), batches.labels[0]).loss();
  trainer.step(batches.pixels[0].data(), batches.labels[0]);
  const double after = evaluator.evaluate(batches.pixels[0].data(), batches.labels[0]).loss();
  EXPECT_NE(before, after);
  // A plan that has never seen the old values agrees.
  Evaluator fresh(model, {.batch = 4, .height = kSide, .width = kSide});
  EXPECT_EQ(fresh.evaluate(batches.pixels[0].data(), batches.labels[0]).loss(), after);
}

}  // namespace
}  // namespace resflow
