#include "pipeline/split_plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "io/core/error.h"
#include "pipeline/order.h"

namespace resflow {
namespace {

constexpr int kTrain = 0, kVal = 1, kTest = 2;

// Which of the seed's orders: of the units, and of classes with equal remainders.
constexpr uint64_t kOrderOfUnits = 0, kOrderOfClasses = 1;

// `total` things in proportion to `weights`, by largest remainder; of equal remainders the smaller rank first.
std::vector<int64_t> apportion(int64_t total, const std::vector<double>& weights, const std::vector<int64_t>& rank) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<int64_t> shares(weights.size());
  std::vector<double> remainders(weights.size());
  int64_t left = total;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double quota = static_cast<double>(total) * weights[i] / sum;
    // 0.2 * 15 is a little less or more than 3, depending on how it is reckoned: no remainder comes of that.
    const double whole = std::floor(quota + 1e-9);
    shares[i] = static_cast<int64_t>(whole);
    remainders[i] = std::round((quota - whole) * 1e9);
    left -= shares[i];
  }
  std::vector<size_t> order(weights.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return remainders[a] != remainders[b] ? remainders[a] > remainders[b] : rank[a] < rank[b];
  });
  for (size_t i = 0; left > 0 && i < order.size(); ++i, --left) ++shares[order[i]];
  return shares;
}

// What stays together, and how many of each class it has.
struct Unit {
  std::vector<size_t> samples;
  std::map<int, int64_t> of_class;
  int part = kTrain;
};

std::vector<Unit> make_units(const std::vector<int>& labels, const std::vector<std::vector<size_t>>& together) {
  std::vector<bool> grouped(labels.size());
  std::vector<Unit> units;
  for (const auto& group : together) {
    units.push_back({.samples = group, .of_class = {}});
    for (const size_t sample : group) grouped[sample] = true;
  }
  for (size_t i = 0; i < labels.size(); ++i)
    if (!grouped[i]) units.push_back({.samples = {i}, .of_class = {}});
  std::sort(units.begin(), units.end(), [](const Unit& a, const Unit& b) { return a.samples[0] < b.samples[0]; });
  for (Unit& unit : units)
    for (const size_t sample : unit.samples) ++unit.of_class[labels[sample]];
  return units;
}

// Pictures that each part (but training, which has the rest) should have of a class.
using Wanted = std::array<std::vector<int64_t>, 3>;

Wanted wanted_of(const std::vector<int64_t>& pictures, const SplitPlanOptions& options) {
  const int64_t all = std::accumulate(pictures.begin(), pictures.end(), int64_t{0});
  const std::vector<int64_t> parts =
      apportion(all, {1 - options.val - options.test, options.val, options.test}, {0, 1, 2});
  const std::vector<int64_t> order = epoch_order(static_cast<int64_t>(pictures.size()), options.seed, kOrderOfClasses);
  std::vector<int64_t> rank(pictures.size());
  for (size_t i = 0; i < order.size(); ++i) rank[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);

  Wanted wanted;
  const std::vector<double> weights(pictures.begin(), pictures.end());
  for (const int part : {kVal, kTest})
    wanted[static_cast<size_t>(part)] = apportion(parts[static_cast<size_t>(part)], weights, rank);
  for (size_t c = 0; c < pictures.size(); ++c) {
    int64_t& val = wanted[kVal][c];
    int64_t& test = wanted[kTest][c];
    while (val + test > 0 && pictures[c] - val - test < 1) --(val > test ? val : test);
    if (val == 0 && options.val > 0 && pictures[c] - test > 1) ++val;
    if (test == 0 && options.test > 0 && pictures[c] - val > 1) ++test;
  }
  return wanted;
}

// First come, first served.
void deal(std::vector<Unit>& units, const std::vector<int64_t>& order, Wanted left) {
  for (const int64_t number : order) {
    Unit& unit = units[static_cast<size_t>(number)];
    for (const int part : {kVal, kTest}) {
      auto& room = left[static_cast<size_t>(part)];
      const bool fits = std::all_of(unit.of_class.begin(), unit.of_class.end(),
                                    [&](const auto& c) { return room[static_cast<size_t>(c.first)] >= c.second; });
      if (!fits) continue;
      for (const auto& [label, count] : unit.of_class) room[static_cast<size_t>(label)] -= count;
      unit.part = part;
      break;
    }
  }
}

// A class whose units were all too large for a part gets its smallest there after all, where another stays.
void fill_empty(std::vector<Unit>& units, const std::vector<int64_t>& order, const Wanted& wanted) {
  std::map<int, std::array<std::vector<Unit*>, 3>> of_class;  // units of this class alone, by part
  for (const int64_t number : order) {
    Unit& unit = units[static_cast<size_t>(number)];
    for (const auto& [label, count] : unit.of_class) of_class[label][static_cast<size_t>(unit.part)].push_back(&unit);
  }
  for (auto& [label, parts] : of_class)
    for (const int part : {kVal, kTest}) {
      auto& have = parts[static_cast<size_t>(part)];
      auto& train = parts[kTrain];
      if (!have.empty() || wanted[static_cast<size_t>(part)][static_cast<size_t>(label)] == 0 || train.size() < 2)
        continue;
      auto smallest = train.end();
      for (auto at = train.begin(); at != train.end(); ++at)
        if ((*at)->of_class.size() == 1 &&
            (smallest == train.end() || (*at)->samples.size() < (*smallest)->samples.size()))
          smallest = at;
      if (smallest == train.end()) continue;
      (*smallest)->part = part;
      have.push_back(*smallest);
      train.erase(smallest);
    }
}

}  // namespace

std::vector<int> plan_split(const std::vector<int>& labels, const std::vector<std::vector<size_t>>& together,
                            const SplitPlanOptions& options) {
  const bool in_range = options.val >= 0 && options.test >= 0 && options.val + options.test > 0;
  if (!in_range || !(options.val + options.test < 1))
    throw usage_error("{} {} and {} {}: wanted parts of the whole, 0 or more each, above 0 and below 1 together",
                      setting("val"), options.val, setting("test"), options.test);
  const std::vector<int> strata = options.stratify ? labels : std::vector<int>(labels.size(), 0);
  const int classes = labels.empty() ? 0 : *std::max_element(strata.begin(), strata.end()) + 1;
  std::vector<int64_t> pictures(static_cast<size_t>(classes));
  for (const int label : strata) ++pictures[static_cast<size_t>(label)];

  std::vector<Unit> units = make_units(strata, together);
  const std::vector<int64_t> order = epoch_order(static_cast<int64_t>(units.size()), options.seed, kOrderOfUnits);
  const Wanted wanted = wanted_of(pictures, options);
  deal(units, order, wanted);
  fill_empty(units, order, wanted);

  std::vector<int> part_of(labels.size());
  for (const Unit& unit : units)
    for (const size_t sample : unit.samples) part_of[sample] = unit.part;
  return part_of;
}

}  // namespace resflow
