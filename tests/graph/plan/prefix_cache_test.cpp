#include "graph/plan/prefix_cache.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "graph/model/freeze.h"
#include "graph/train/trainer.h"
#include "tests/graph/cases.h"

namespace resflow {
namespace {

using testing::copy_of;
using testing::kSide;

constexpr int64_t kPrefixBatch = 3, kPrefixClasses = 5;
const std::vector<std::string> kUpToLayer3 = {"conv1", "bn1", "layer1", "layer2", "layer3"};

struct PrefixCase {
  explicit PrefixCase(const std::string& architecture = "resnet18")
      : model({.architecture = architecture, .num_classes = kPrefixClasses}, compute) {
    testing::settle(model);
  }
  PlanOptions options() const { return {.batch = kPrefixBatch, .height = kSide, .width = kSide}; }
  size_t prefix_bytes(const std::vector<std::string>& frozen, FreezeBatchNorm norms = FreezeBatchNorm::kEval) {
    freeze(model, frozen, norms);
    return Plan(model, options()).prefix_bytes();
  }

  const Compute compute{2};
  Model model;
  const std::vector<float> pixels = testing::noise_pixels(kPrefixBatch, kSide, kSide, 1);
  const std::vector<float> others = testing::noise_pixels(kPrefixBatch, kSide, kSide, 2);
  const std::vector<int64_t> samples = {4, 0, 7};
};

size_t value_bytes(int64_t channels, int64_t side) {
  return static_cast<size_t>(kPrefixBatch * channels * side * side * 4);
}

TEST(Prefix, EndsWhereOneValueHoldsAllThatIsFrozen) {
  PrefixCase net;
  EXPECT_EQ(Plan(net.model, net.options()).prefix_bytes(), 0);
  EXPECT_EQ(net.prefix_bytes({"fc.bias", "layer3"}), 0) << "layer3 reads what is trained";
  EXPECT_EQ(net.prefix_bytes({"conv1", "bn1"}), value_bytes(64, 16)) << "the max pool's";
  EXPECT_EQ(net.prefix_bytes({"conv1", "bn1"}, FreezeBatchNorm::kTrain), 0) << "its statistics move";
  EXPECT_EQ(net.prefix_bytes({"conv1", "bn1", "layer1.0.conv1", "layer1.0.bn1"}), value_bytes(64, 16))
      << "in a block there are two values, its shortcut's too";
  EXPECT_EQ(net.prefix_bytes({"conv1", "bn1", "layer1.0", "layer1.1.conv1"}), value_bytes(64, 16));
  EXPECT_EQ(net.prefix_bytes(kUpToLayer3), value_bytes(256, 4));
  EXPECT_EQ(PrefixCase("resnet50").prefix_bytes(kUpToLayer3), value_bytes(1024, 4));
}

TEST(Prefix, ForwardFromItGivesTheSameBits) {
  for (const std::string architecture : {"resnet18", "resnet50"}) {
    PrefixCase net(architecture);
    freeze(net.model, kUpToLayer3, FreezeBatchNorm::kEval);
    Trainer trainer(net.model, kPrefixBatch, kSide, {.name = "sgd", .lr = 0.05});
    for (const Plan* lender : {static_cast<const Plan*>(nullptr), &trainer.plan()}) {
      Plan plan(net.model, net.options(), lender);
      std::vector<std::byte> prefix(plan.prefix_bytes());
      const std::vector<float> wanted = copy_of(plan.forward(net.pixels.data(), 2));
      EXPECT_EQ(copy_of(plan.forward_keeping(net.pixels.data(), 2, prefix.data())), wanted);
      plan.forward(net.others.data(), kPrefixBatch);
      EXPECT_EQ(copy_of(plan.forward_from(prefix.data())), wanted);
      // Training changes what follows, not the prefix.
      trainer.step(net.others.data(), testing::noise_labels(kPrefixBatch, kPrefixClasses));
      const std::vector<float> learnt = copy_of(plan.forward(net.pixels.data(), 2));
      EXPECT_NE(learnt, wanted);
      EXPECT_EQ(copy_of(plan.forward_from(prefix.data())), learnt);
    }
  }
}

TEST(PrefixCache, ReadsBackWhatItHasSeen) {
  PrefixCase net;
  freeze(net.model, kUpToLayer3, FreezeBatchNorm::kEval);
  Plan plan(net.model, net.options());
  PrefixCache cache(net.model, plan, 3 * plan.prefix_bytes() / 2);
  const std::vector<float> wanted = copy_of(plan.forward(net.pixels.data(), kPrefixBatch));
  const std::vector<float> of_others = copy_of(plan.forward(net.others.data(), kPrefixBatch));
  ASSERT_NE(wanted, of_others);
  EXPECT_EQ(copy_of(cache.forward(net.pixels.data(), kPrefixBatch, net.samples)), wanted);
  EXPECT_EQ(cache.bytes(), plan.prefix_bytes());
  // That it does not compute them anew shows where the pixels are not theirs.
  EXPECT_EQ(copy_of(cache.forward(net.others.data(), kPrefixBatch, net.samples)), wanted);
  EXPECT_EQ(copy_of(cache.forward(net.others.data(), kPrefixBatch, {})), of_others);
  // A second batch has no room: computed each time.
  const std::vector<int64_t> next = {1, 2, 3};
  EXPECT_EQ(copy_of(cache.forward(net.others.data(), kPrefixBatch, next)), of_others);
  EXPECT_EQ(copy_of(cache.forward(net.pixels.data(), kPrefixBatch, next)), wanted);
  EXPECT_EQ(cache.bytes(), plan.prefix_bytes());
}

TEST(PrefixCache, ForgetsWhenFrozenValuesChange) {
  PrefixCase net;
  freeze(net.model, kUpToLayer3, FreezeBatchNorm::kEval);
  Plan plan(net.model, net.options());
  PrefixCache cache(net.model, plan, plan.prefix_bytes());
  cache.forward(net.pixels.data(), kPrefixBatch, net.samples);
  testing::settle(net.model, 6);
  const std::vector<float> wanted = copy_of(plan.forward(net.pixels.data(), kPrefixBatch));
  EXPECT_EQ(copy_of(cache.forward(net.pixels.data(), kPrefixBatch, net.samples)), wanted);
  EXPECT_EQ(copy_of(cache.forward(net.others.data(), kPrefixBatch, net.samples)), wanted) << "and keeps the new ones";
}

TEST(PrefixCache, OfAModelWithoutAFrozenBeginningIsThePlanAlone) {
  PrefixCase net;
  Plan plan(net.model, net.options());
  PrefixCache cache(net.model, plan, size_t{1} << 30);
  const std::vector<float> wanted = copy_of(plan.forward(net.others.data(), kPrefixBatch));
  cache.forward(net.pixels.data(), kPrefixBatch, net.samples);
  EXPECT_EQ(copy_of(cache.forward(net.others.data(), kPrefixBatch, net.samples)), wanted);
  EXPECT_EQ(cache.bytes(), 0);
}

}  // namespace
}  // namespace resflow
