// A Listener that keeps the last progress that it hears, and asks the job to stop, for tests of what a job does then.
#pragma once

#include <cstdint>

#include "io/core/listener.h"

namespace resflow::testing {

class StopsAfter : public Listener {
 public:
  // Asks to stop once `count` are done: at once where that is 0.
  explicit StopsAfter(int64_t count) : count_(count) {}

  void progress(const ProgressState& state) override { last = state; }
  bool stop() override { return last.done >= count_; }

  ProgressState last;

 private:
  int64_t count_;
};

}  // namespace resflow::testing
