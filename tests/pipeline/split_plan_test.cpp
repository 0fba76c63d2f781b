#include "pipeline/split_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "io/core/error.h"

namespace resflow {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

std::vector<int> labels_of(const std::vector<int>& pictures) {
  std::vector<int> labels;
  for (size_t c = 0; c < pictures.size(); ++c)
    labels.insert(labels.end(), static_cast<size_t>(pictures[c]), static_cast<int>(c));
  return labels;
}

// [class][part]
std::vector<std::array<int, 3>> counts(const std::vector<int>& labels, const std::vector<int>& parts) {
  std::vector<std::array<int, 3>> all(static_cast<size_t>(*std::max_element(labels.begin(), labels.end())) + 1);
  for (size_t i = 0; i < labels.size(); ++i) ++all[static_cast<size_t>(labels[i])][static_cast<size_t>(parts[i])];
  return all;
}

std::vector<std::array<int, 3>> split_counts(const std::vector<int>& pictures, const SplitPlanOptions& options) {
  const std::vector<int> labels = labels_of(pictures);
  return counts(labels, plan_split(labels, {}, options));
}

using Row = std::array<int, 3>;

TEST(SplitPlan, GivesEachClassItsPart) {
  EXPECT_THAT(split_counts({100, 50, 10}, {.val = 0.2}), ElementsAre(Row{80, 20, 0}, Row{40, 10, 0}, Row{8, 2, 0}));
  EXPECT_THAT(split_counts({100, 50, 10}, {.val = 0.2, .test = 0.1}),
              ElementsAre(Row{70, 20, 10}, Row{35, 10, 5}, Row{7, 2, 1}));
}

TEST(SplitPlan, TheWholeHasItsPartTooWhereClassesDoNotDivide) {
  // 7 * 0.2 = 1.4 of each of ten classes: 14 in all, so four classes give two.
  const auto rows = split_counts(std::vector<int>(10, 7), {.val = 0.2});
  int val = 0;
  for (const Row& row : rows) {
    val += row[1];
    EXPECT_THAT(row[1], ::testing::AnyOf(1, 2));
  }
  EXPECT_EQ(val, 14);
  // Which ones is drawn.
  std::set<std::vector<int>> seen;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    std::vector<int> of_classes;
    for (const Row& row : split_counts(std::vector<int>(10, 7), {.val = 0.2, .seed = seed}))
      of_classes.push_back(row[1]);
    seen.insert(of_classes);
  }
  EXPECT_GT(seen.size(), 5U);
}

TEST(SplitPlan, SmallClassesAreInEachPartThatTheyCanBeIn) {
  // 106 pictures, so 11 by proportion, and these all of the large class.
  EXPECT_THAT(split_counts({100, 1, 2, 3}, {.val = 0.1}),
              ElementsAre(Row{89, 11, 0}, Row{1, 0, 0}, Row{1, 1, 0}, Row{2, 1, 0}));
  EXPECT_THAT(split_counts({1, 2, 3, 4}, {.val = 0.1, .test = 0.1}),
              ElementsAre(Row{1, 0, 0}, Row{1, 1, 0}, Row{1, 1, 1}, Row{2, 1, 1}));
  EXPECT_THAT(split_counts({1, 2, 3}, {.val = 0.9}), ElementsAre(Row{1, 0, 0}, Row{1, 1, 0}, Row{1, 2, 0}));
  EXPECT_THAT(split_counts({10}, {.val = 0, .test = 0.3}), ElementsAre(Row{7, 0, 3}));
}

TEST(SplitPlan, WithoutStrataTheWholeIsDivided) {
  const std::vector<int> labels = labels_of({30, 30, 30});
  std::set<std::vector<Row>> seen;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const auto rows = counts(labels, plan_split(labels, {}, {.val = 0.2, .stratify = false, .seed = seed}));
    EXPECT_EQ(rows[0][1] + rows[1][1] + rows[2][1], 18);
    seen.insert(rows);
  }
  EXPECT_GT(seen.size(), 1U);
}

TEST(SplitPlan, DependsOnTheSeedAlone) {
  const std::vector<int> labels = labels_of({40, 30});
  EXPECT_EQ(plan_split(labels, {}, {.seed = 3}), plan_split(labels, {}, {.seed = 3}));
  EXPECT_NE(plan_split(labels, {}, {.seed = 3}), plan_split(labels, {}, {.seed = 4}));
}

TEST(SplitPlan, EveryPictureIsAsLikelyToBeForValidation) {
  const std::vector<int> labels = labels_of({20});
  std::vector<int> times(20);
  constexpr int kSeeds = 2000;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const auto parts = plan_split(labels, {}, {.val = 0.25, .seed = seed});
    for (size_t i = 0; i < 20; ++i) times[i] += parts[i] == 1 ? 1 : 0;
  }
  // 500 expected, deviation 19: five of them.
  EXPECT_THAT(times, Each(::testing::AllOf(::testing::Gt(400), ::testing::Lt(600))));
}

TEST(SplitPlan, GroupsStayTogetherAndThePartsKeepTheirSizes) {
  const std::vector<int> labels = labels_of({50, 50});
  const std::vector<std::vector<size_t>> together = {{0, 1, 2}, {10, 20}, {30, 60}, {70, 71, 72, 73, 99}};
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto parts = plan_split(labels, together, {.val = 0.2, .seed = seed});
    for (const auto& group : together)
      for (const size_t sample : group) EXPECT_EQ(parts[sample], parts[group[0]]) << seed;
    for (const Row& row : counts(labels, parts)) EXPECT_EQ(row[1], 10) << seed;
  }
}

TEST(SplitPlan, AClassOfLargeGroupsHasOneOnEachSide) {
  // Six pictures, wanted one for validation: only three at once are to be had.
  const std::vector<int> labels = labels_of({6, 10});
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const auto rows = counts(labels, plan_split(labels, {{0, 1, 2}, {3, 4, 5}}, {.val = 0.2, .seed = seed}));
    EXPECT_EQ(rows[0], (Row{3, 3, 0})) << seed;
    EXPECT_EQ(rows[1], (Row{8, 2, 0})) << seed;
  }
  // All of a class one picture: nothing to divide.
  EXPECT_EQ(counts(labels, plan_split(labels, {{0, 1, 2, 3, 4, 5}}, {.val = 0.2}))[0], (Row{6, 0, 0}));
}

TEST(SplitPlan, RefusesPartsThatCannotBe) {
  for (const auto& [val, test] : {std::pair(0.0, 0.0), {1.0, 0.0}, {0.5, 0.5}, {-0.1, 0.5}, {0.2, -0.1}, {1.5, 0.0}})
    EXPECT_THROW(plan_split({0, 1}, {}, {.val = val, .test = test}), Error) << val << " " << test;
  EXPECT_THROW(plan_split({0, 1}, {}, {.val = std::nan("")}), Error);
}

}  // namespace
}  // namespace resflow
