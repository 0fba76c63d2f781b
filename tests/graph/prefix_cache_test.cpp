#include "graph/prefix_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "graph/freeze.h"
#include "graph/trainer.h"
#include "tests/graph/cases.h"

namespace resflow {
namespace {

constexpr int64_t kSide = 64, kBatch = 3, kClasses = 5;
const std::vector<std::string> kUpToLayer3 = {"conv1", "bn1", "layer1", "layer2", "layer3"};

std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

struct Case {
  explicit Case(const std::string& architecture = "resnet18")
      : model({.architecture = architecture, .num_classes = kClasses}, compute) {
    testing::settle(model);
  }
  PlanOptions options() const { return {.batch = kBatch, .height = kSide, .width = kSide}; }
  size_t prefix_bytes(const std::vector<std::string>& frozen, FreezeBatchNorm norms = FreezeBatchNorm::kEval) {
    freeze(model, frozen, norms);
    return Plan(model, options()).prefix_bytes();
  }

  const Compute compute{2};
  Model model;
  const std::vector<float> pixels = testing::noise_pixels(kBatch, kSide, kSide, 1);
  const std::vector<float> others = testing::noise_pixels(kBatch, kSide, kSide, 2);
  const std::vector<int64_t> samples = {4, 0, 7};
};

size_t bytes_of(int64_t channels, int64_t side) { return static_cast<size_t>(kBatch * channels * side * side * 4); }

TEST(Prefix, EndsWhereOneValueHoldsAllThatIsFrozen) {
  Case net;
  EXPECT_EQ(Plan(net.model, net.options()).prefix_bytes(), 0);
  EXPECT_EQ(net.prefix_bytes({"fc.bias", "layer3"}), 0) << "layer3 reads what is trained";
  EXPECT_EQ(net.prefix_bytes({"conv1", "bn1"}), bytes_of(64, 16)) << "the max pool's";
  EXPECT_EQ(net.prefix_bytes({"conv1", "bn1"}, FreezeBatchNorm::kTrain), 0) << "its statistics move";
  EXPECT_EQ(net.prefix_bytes({"conv1", "bn1", "layer1.0.conv1", "layer1.0.bn1"}), bytes_of(64, 16))
      << "in a block there are two values, its shortcut's too";
  EXPECT_EQ(net.prefix_bytes({"conv1", "bn1", "layer1.0", "layer1.1.conv1"}), bytes_of(64, 16));
  EXPECT_EQ(net.prefix_bytes(kUpToLayer3), bytes_of(256, 4));
  EXPECT_EQ(Case("resnet50").prefix_bytes(kUpToLayer3), bytes_of(1024, 4));
}

TEST(Prefix, ForwardFromItGivesTheSameBits) {
  for (const std::string architecture : {"resnet18", "resnet50"}) {
    Case net(architecture);
    freeze(net.model, kUpToLayer3, FreezeBatchNorm::kEval);
    Trainer trainer(net.model, kBatch, kSide, {.name = "sgd", .lr = 0.05});
    for (const Plan* lender : {static_cast<const Plan*>(nullptr), &trainer.plan()}) {
      Plan plan(net.model, net.options(), lender);
      std::vector<std::byte> prefix(plan.prefix_bytes());
      const std::vector<float> wanted = copy(plan.forward(net.pixels.data(), 2));
      EXPECT_EQ(copy(plan.forward_keeping(net.pixels.data(), 2, prefix.data())), wanted);
      plan.forward(net.others.data(), kBatch);
      EXPECT_EQ(copy(plan.forward_from(prefix.data())), wanted);
      // Training changes what follows, not the prefix.
      trainer.step(net.others.data(), testing::noise_labels(kBatch, kClasses));
      const std::vector<float> learnt = copy(plan.forward(net.pixels.data(), 2));
      EXPECT_NE(learnt, wanted);
      EXPECT_EQ(copy(plan.forward_from(prefix.data())), learnt);
    }
  }
}

TEST(PrefixCache, ReadsBackWhatItHasSeen) {
  Case net;
  freeze(net.model, kUpToLayer3, FreezeBatchNorm::kEval);
  Plan plan(net.model, net.options());
  PrefixCache cache(net.model, plan, 3 * plan.prefix_bytes() / 2);
  const std::vector<float> wanted = copy(plan.forward(net.pixels.data(), kBatch));
  const std::vector<float> of_others = copy(plan.forward(net.others.data(), kBatch));
  ASSERT_NE(wanted, of_others);
  EXPECT_EQ(copy(cache.forward(net.pixels.data(), kBatch, net.samples)), wanted);
  EXPECT_EQ(cache.bytes(), plan.prefix_bytes());
  // That it does not compute them anew shows where the pixels are not theirs.
  EXPECT_EQ(copy(cache.forward(net.others.data(), kBatch, net.samples)), wanted);
  EXPECT_EQ(copy(cache.forward(net.others.data(), kBatch, {})), of_others);
  // A second batch has no room: computed each time.
  const std::vector<int64_t> next = {1, 2, 3};
  EXPECT_EQ(copy(cache.forward(net.others.data(), kBatch, next)), of_others);
  EXPECT_EQ(copy(cache.forward(net.pixels.data(), kBatch, next)), wanted);
  EXPECT_EQ(cache.bytes(), plan.prefix_bytes());
}

TEST(PrefixCache, ForgetsWhenFrozenValuesChange) {
  Case net;
  freeze(net.model, kUpToLayer3, FreezeBatchNorm::kEval);
  Plan plan(net.model, net.options());
  PrefixCache cache(net.model, plan, plan.prefix_bytes());
  cache.forward(net.pixels.data(), kBatch, net.samples);
  testing::settle(net.model, 6);
  const std::vector<float> wanted = copy(plan.forward(net.pixels.data(), kBatch));
  EXPECT_EQ(copy(cache.forward(net.pixels.data(), kBatch, net.samples)), wanted);
  EXPECT_EQ(copy(cache.forward(net.others.data(), kBatch, net.samples)), wanted) << "and keeps the new ones";
}

TEST(PrefixCache, OfAModelWithoutAFrozenBeginningIsThePlanAlone) {
  Case net;
  Plan plan(net.model, net.options());
  PrefixCache cache(net.model, plan, size_t{1} << 30);
  const std::vector<float> wanted = copy(plan.forward(net.others.data(), kBatch));
  cache.forward(net.pixels.data(), kBatch, net.samples);
  EXPECT_EQ(copy(cache.forward(net.others.data(), kBatch, net.samples)), wanted);
  EXPECT_EQ(cache.bytes(), 0);
}

}  // namespace
}  // namespace resflow
