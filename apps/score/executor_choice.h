// How many executors (graph/plan/executors.h) share the threads: as --executors says, or by a short measurement.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/plan/executors.h"

namespace resflow {

inline constexpr int kChooseExecutors = 0;  // by a measurement

// kChooseExecutors, or a number: latency is 1, throughput one a thread. Throws Error{kUsage} for anything else, and for
// more than `threads`.
int parse_executors(const std::string& text, int threads);

// Of threads that divide into executors; what is left over idles.
inline int threads_of_each(int threads, int executors) { return threads / executors; }

// Numbers of executors worth a try beside one, that have room: a few threads each where there are many, and one each.
// `bytes` is what an executor takes. None for one thread.
std::vector<int> executor_candidates(int threads, size_t bytes);

struct ExecutorSpeed {
  int executors = 1, threads = 1;  // threads of each
  double images_per_second = 0;
};

// The first that no other one beats by 2 %: more executors take more memory, and a batch takes them longer.
// REQUIRES: not empty, and in the order of numbers of executors.
size_t fastest_of(const std::vector<ExecutorSpeed>& speeds);

// "2 of 1 thread: 96.7 img/s by the network alone, against 84.7 by 1 of 2 threads"
std::string executors_sentence(const std::vector<ExecutorSpeed>& speeds, size_t chosen);

struct ExecutorChoice {
  std::unique_ptr<Executors> executors;
  std::vector<ExecutorSpeed> speeds;  // of all that were tried
  size_t chosen = 0;
};

// Tries `candidates` beside `one` by turns, each once at least and all together for a second, with `work` on `pictures`
// pictures. The best round of each counts: what the machine did meanwhile does not.
ExecutorChoice choose_executors(std::unique_ptr<Executors> one, Model& model, const std::vector<int>& candidates,
                                int threads, const Executors::Work& work, int pictures);

}  // namespace resflow
