// How long the stages of a job took: "read", "decode", "resize", "normalize", "wait", "forward", "backward",
// "optimizer".
//
// Seconds of stages that run in several threads at once are added up over the threads, so they may exceed the job's.
// Used by one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/core/stopwatch.h"

namespace resflow {

struct StageTime {
  std::string name;
  double seconds = 0;
  int64_t count = 0;  // of pictures, batches or steps: how often the stage ran
};

class StageTimes {
 public:
  void add(std::string_view name, double seconds, int64_t count = 1) {
    for (StageTime& stage : stages_) {
      if (stage.name != name) continue;
      stage.seconds += seconds;
      stage.count += count;
      return;
    }
    stages_.push_back({std::string(name), seconds, count});
  }
  StageTimes& operator+=(const StageTimes& other) {
    for (const StageTime& stage : other.stages_) add(stage.name, stage.seconds, stage.count);
    return *this;
  }

  // In the order in which they first came.
  const std::vector<StageTime>& stages() const { return stages_; }

 private:
  std::vector<StageTime> stages_;
};

// Adds the time of its life to a stage: two reads of the clock, some 50 ns, and no allocation once the stage is there.
class StageTimer {
 public:
  StageTimer(StageTimes& times, std::string_view name) : times_(times), name_(name) {}
  ~StageTimer() { times_.add(name_, watch_.seconds()); }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  StageTimes& times_;
  std::string_view name_;
  Stopwatch watch_;
};

}  // namespace resflow
