// Plans of one model that compute at the same time, a batch each; others call them streams. Many with few threads each
// give the most pictures a second (throughput mode), one with all threads gives each batch soonest (latency mode).
//
//   give(work) -> queue -> the next idle executor runs work(its plan) -> take(), in the order of give()
//
// Each executor has threads and an arena of its own, and all share one copy of folded and transformed weights
// (Plan::beside). A single executor has no thread: give() itself does the work, in the model's Compute if that has as
// many threads.
//
// Used by one thread. Executors of the same model may be alive at the same time; the model outlives them.
#pragma once

#include <functional>
#include <memory>

#include "graph/plan/plan.h"

namespace resflow {

class Executors {
 public:
  using Work = std::function<void(Plan& plan)>;

  // `count` executors with `threads` each. They share weights with `beside`, a plan of the same options in the model's
  // Compute, where there is one. Throws as Plan, and Error{kUsage} below 1.
  Executors(Model& model, const PlanOptions& options, int count, int threads, const Plan* beside = nullptr);
  // Waits for the work that has begun; what has not is dropped.
  ~Executors();
  Executors(const Executors&) = delete;
  Executors& operator=(const Executors&) = delete;

  int count() const;
  int threads() const;  // of each

  // Returns at once where there are several executors. What `work` refers to stays until it is taken.
  void give(Work work);
  // Waits until the oldest work not taken is done, and throws what it threw. REQUIRES: under_way() > 0.
  void take();
  int under_way() const;  // given and not taken
  // Whether take() would not wait. REQUIRES: under_way() > 0.
  bool oldest_is_done() const;

  // Gives `work` to each executor once, takes it from all, and returns the seconds that took, divided by their number.
  // REQUIRES: under_way() == 0.
  double round_seconds(const Work& work);

  const Plan& first() const;  // for plans beside it
  // Of all together. Parameters count once.
  PlanMemory memory() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
