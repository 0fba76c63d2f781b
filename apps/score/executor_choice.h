// How many executors (graph/plan/executors.h) share the threads: a number that was asked for, or what a short
// measurement says.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/plan/executors.h"

namespace resflow {

inline constexpr int kChooseExecutors = 0;  // a measurement chooses the number

// "auto" is kChooseExecutors, "latency" 1, "throughput" as many as threads; others are numbers. Throws Error{kUsage}
// for any other text, and for more than `threads`.
int parse_executors(const std::string& text, int threads);

// A run that goes on to write `out` computes with as many executors as it was begun with. Throws Error{kUsage} where
// another number is wanted; kChooseExecutors takes any.
void check_resumed_executors(int wanted, int begun, const std::string& out);

// How many threads each executor has. Those that are left over idle.
inline int threads_of_each(int threads, int executors) { return threads / executors; }

// Which numbers of executors are worth a try beside one: so many that each has a few threads, and so many that each has
// one. Numbers for which there is no memory are left out; an executor takes `bytes`. Empty for one thread.
std::vector<int> executor_candidates(int threads, size_t bytes);

struct ExecutorSpeed {
  int executors = 1, threads = 1;  // threads of each
  double images_per_second = 0;
};

// The first that no other one beats by 2 %, because more executors take more memory, and more time for a batch.
// REQUIRES: not empty, and in the order of numbers of executors.
size_t fastest_of(const std::vector<ExecutorSpeed>& speeds);

// "2 of 1 thread: 96.7 img/s by the network alone, against 84.7 by 1 of 2 threads"
std::string executors_sentence(const std::vector<ExecutorSpeed>& speeds, size_t chosen);

struct ExecutorChoice {
  std::unique_ptr<Executors> executors;
  std::vector<ExecutorSpeed> speeds;  // of all that were tried
  size_t chosen = 0;
};

// Does `work`. False where the machine has not what it takes: memory, or threads; other errors leave.
bool machine_allows(const std::function<void()>& work);

// Tries `one` and each of the `candidates` by turns, with `work` on `pictures` pictures: each at least once, and all of
// them together for a second. The best round of each counts, because the others were slowed down by whatever else the
// machine did meanwhile. Candidates for which the machine has no memory or no threads are left out.
ExecutorChoice choose_executors(std::unique_ptr<Executors> one, Model& model, const std::vector<int>& candidates,
                                int threads, const Executors::Work& work, int pictures);

}  // namespace resflow
