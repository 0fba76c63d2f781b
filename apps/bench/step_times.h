// Repeats a step for a while and says how long it took.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace resflow {

// Milliseconds of each step that counts. REQUIRES: steps is not empty.
struct StepTimes {
  std::vector<double> ms;

  double minimum() const;
  double median() const;
  double total_seconds() const;
};

// Runs `step` twice or for half a second without counting, whichever is longer, then for `seconds`, three times at
// least.
StepTimes measure_steps(double seconds, const std::function<void()>& step);

}  // namespace resflow
