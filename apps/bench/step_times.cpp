#include "apps/bench/step_times.h"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace resflow {
namespace {

constexpr size_t kWarmupSteps = 2, kLeastSteps = 3;
constexpr double kStepWarmupSeconds = 0.5;

void repeat(double seconds, size_t least, const std::function<void()>& step, std::vector<double>* ms) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (size_t n = 0; n < least || std::chrono::duration<double>(Clock::now() - start).count() < seconds; ++n) {
    const auto before = Clock::now();
    step();
    if (ms != nullptr) ms->push_back(std::chrono::duration<double, std::milli>(Clock::now() - before).count());
  }
}

}  // namespace

double StepTimes::minimum() const { return *std::min_element(ms.begin(), ms.end()); }

double StepTimes::median() const {
  std::vector<double> sorted = ms;
  std::sort(sorted.begin(), sorted.end());
  const size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

double StepTimes::total_seconds() const { return std::accumulate(ms.begin(), ms.end(), 0.0) / 1e3; }

StepTimes measure_steps(double seconds, const std::function<void()>& step) {
  StepTimes times;
  repeat(kStepWarmupSeconds, kWarmupSteps, step, nullptr);
  repeat(seconds, kLeastSteps, step, &times.ms);
  return times;
}

}  // namespace resflow
