#include "graph/train/schedule.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "graph/train/require.h"
#include "io/core/error.h"

namespace resflow {
namespace {

constexpr double kWarmupStart = 0.01;
constexpr double kPlateauThreshold = 1e-4;
// ReduceLROnPlateau's eps: it leaves the rate where a reduction would change it by less.
constexpr double kSmallestChange = 1e-8;

double plateau(const ScheduleOptions& o, std::span<const double> losses) {
  double lr = o.base, best = std::numeric_limits<double>::infinity();
  int64_t bad = 0;
  for (const double loss : losses) {
    if (loss < best * (1 - kPlateauThreshold)) {
      best = loss;
      bad = 0;
    } else {
      ++bad;
    }
    if (bad <= o.patience) continue;
    const double reduced = std::max(lr * o.gamma, o.min_lr);
    if (lr - reduced > kSmallestChange) lr = reduced;
    bad = 0;
  }
  return lr;
}

double cosine(const ScheduleOptions& o, int64_t epoch) {
  const auto total = static_cast<double>(o.epochs - o.warmup_epochs);
  return o.min_lr + (o.base - o.min_lr) * (1 + std::cos(std::numbers::pi * static_cast<double>(epoch) / total)) / 2;
}

struct CycleEnds {
  double start, top, end;
};

// OneCycleLR: from start to top in the first part of all steps, from top to end in the rest, half a cosine each.
double one_cycle(const ScheduleOptions& o, int64_t step, const CycleEnds& ends) {
  constexpr double kRisingPart = 0.3;
  const auto all = static_cast<double>(o.epochs * o.epoch_steps);
  const double top_at = kRisingPart * all - 1, last = all - 1;
  const auto now = static_cast<double>(step);
  const auto between = [](double from, double to, double part) {
    return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * part));
  };
  if (now <= top_at) return between(ends.start, ends.top, now / top_at);
  return between(ends.top, ends.end, (now - top_at) / (last - top_at));
}

}  // namespace

void check(const ScheduleOptions& o) {
  constexpr std::array kNames = {"none", "step", "multistep", "cosine", "plateau", "onecycle"};
  if (std::find(kNames.begin(), kNames.end(), o.name) == kNames.end())
    throw usage_error("no schedule is called \"{}\": there are {}", o.name, fmt::join(kNames, ", "));
  require(o.warmup_epochs >= 0, "warmup epochs", static_cast<double>(o.warmup_epochs), "at least 0");
  require(o.step_size >= 1, "step size", static_cast<double>(o.step_size), "at least 1 epoch");
  require(o.patience >= 0, "patience", static_cast<double>(o.patience), "at least 0");
  require(o.gamma > 0 && o.gamma <= 1, "gamma", o.gamma, "above 0 and at most 1");
  require(o.name != "plateau" || o.gamma < 1, "gamma", o.gamma, "below 1 for a plateau");
  require(o.min_lr >= 0 && o.min_lr <= o.base, "min lr", o.min_lr, "0 to the learning rate");
  if (o.name == "multistep" && o.milestones.empty())
    throw usage_error("schedule multistep without milestones: wanted the epochs at which the rate drops");
  for (size_t i = 0; i < o.milestones.size(); ++i)
    if (o.milestones[i] < 0 || (i > 0 && o.milestones[i] <= o.milestones[i - 1]))
      throw usage_error("milestone {}: wanted epochs from 0 up, each above the one before", o.milestones[i]);
  if (o.name == "cosine" && o.epochs > 0 && o.warmup_epochs >= o.epochs)
    throw usage_error("{} warm-up epochs of {}: wanted fewer, the cosine needs some", o.warmup_epochs, o.epochs);
  if (o.name == "onecycle" && o.warmup_epochs > 0)
    throw usage_error("{} warm-up epochs before a onecycle: wanted none, it begins with its own", o.warmup_epochs);
}

bool is_stepwise(const ScheduleOptions& o) { return o.name == "onecycle"; }

double cycled_momentum(const ScheduleOptions& o, int64_t step) {
  return one_cycle(o, step, {.start = 0.95, .top = 0.85, .end = 0.95});
}

double learning_rate(const ScheduleOptions& o, std::span<const double> losses, int64_t step) {
  const auto now = static_cast<int64_t>(losses.size());
  if (now < o.warmup_epochs)
    return o.base *
           (kWarmupStart + (1 - kWarmupStart) * static_cast<double>(now) / static_cast<double>(o.warmup_epochs));
  if (o.name == "onecycle")
    return one_cycle(o, now * o.epoch_steps + step, {.start = o.base / 25, .top = o.base, .end = o.base / 25 / 1e4});
  const int64_t epoch = now - o.warmup_epochs;
  if (o.name == "step") {
    const int64_t drops = epoch / o.step_size;
    return o.base * std::pow(o.gamma, static_cast<double>(drops));
  }
  if (o.name == "multistep") {
    const auto passed =
        std::count_if(o.milestones.begin(), o.milestones.end(), [&](int64_t milestone) { return milestone <= epoch; });
    return o.base * std::pow(o.gamma, static_cast<double>(passed));
  }
  if (o.name == "cosine") return cosine(o, epoch);
  if (o.name == "plateau") return plateau(o, losses.subspan(static_cast<size_t>(o.warmup_epochs)));
  return o.base;
}

}  // namespace resflow
