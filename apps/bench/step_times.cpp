#include "apps/bench/step_times.h"
#include "io/core/median.h"
#include "io/core/stopwatch.h"

#include <algorithm>
#include <numeric>

namespace resflow {
namespace {

constexpr size_t kWarmupSteps = 2, kLeastSteps = 3;
constexpr double kStepWarmupSeconds = 0.5;

void repeat(double seconds, size_t least, const std::function<void()>& step, std::vector<double>* ms) {
  const Stopwatch watch;
  for (size_t n = 0; n < least || watch.seconds() < seconds; ++n) {
    const Stopwatch step_watch;
    step();
    if (ms != nullptr) ms->push_back(step_watch.milliseconds());
  }
}

}  // namespace

double StepTimes::minimum() const { return *std::min_element(ms.begin(), ms.end()); }

double StepTimes::median() const { return resflow::median(ms); }

double StepTimes::total_seconds() const { return std::accumulate(ms.begin(), ms.end(), 0.0) / 1e3; }

StepTimes measure_steps(double seconds, const std::function<void()>& step) {
  StepTimes times;
  repeat(kStepWarmupSeconds, kWarmupSteps, step, nullptr);
  repeat(seconds, kLeastSteps, step, &times.ms);
  return times;
}

}  // namespace resflow
