// Measures a pipeline: each stage alone, the loader, the model, and both together, with several numbers of threads.
//
// A repeat goes once through all parts of all numbers of threads, so that what the machine does meanwhile meets all of
// them alike, and what changes from repeat to repeat is in every part's interval.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apps/bench/median_interval.h"
#include "apps/bench/network.h"
#include "apps/bench/pictures.h"
#include "pipeline/stages.h"

namespace resflow {

// Where the time of a part went that has a loader in it, over all its repeats.
struct LoaderShares {
  StageSeconds stages;  // each stage's fraction of the threads' time: 1 is all threads all the time
  double model = 0;     // fraction of the time in which the consumer was in the model
  double wait = 0;      // fraction of the time in which no batch was ready (the consumer helps to load meanwhile)
  double idle = 0;      // fraction of the threads' time in none of these; the model is taken to use all threads
  int64_t bytes_read = 0;
  double bytes_a_second = 0;
};

// One part with one number of threads.
struct PartResult {
  std::string part = {};  // "read", "decode", "resize", "normalize", "loader", "model", "together"; "gemm"
  int threads = 1;
  std::vector<double> values = {};  // one a repeat: pictures a second; of gemm 10^9 operations a second
  LoaderShares shares = {};         // of loader and together

  bool has_loader() const { return part == "loader" || part == "together"; }
  const char* unit() const { return part == "gemm" ? "GFLOPS" : "img/s"; }
  MedianInterval interval() const { return median_interval(values); }
};

struct PipelineBenchOptions {
  BenchNetwork::Options network;
  std::vector<int> threads = {1};  // ascending
  double seconds = 1;              // each part in each repeat, at least
  int repeats = 6;
};

struct PipelineResult {
  std::vector<PartResult> parts;  // by part in the order above, then by threads
  double operations_a_picture = 0;
  bool stopped = false;  // a signal asked to (apps/host/signals.h): then there are no parts

  // Null where there is none.
  const PartResult* find(std::string_view part, int threads) const;
  double median(std::string_view part, int threads) const;
  int least_threads() const { return parts.front().threads; }
  int most_threads() const { return parts.back().threads; }
  // Of `part`'s speed a thread against the least number of threads: 1 is perfect.
  double efficiency(const PartResult& part) const;
  // Of the model's operations a second, how much that is of what a product of two matrices reaches: 1 is all.
  double of_peak(int threads) const;
};

// 1, 2, 3, 4, then doubled, up to `most`, which is the last.
std::vector<int> threads_to_sweep(int most);

// REQUIRES: not empty, all >= 1, in `options.threads`; repeats >= 1. Checks results before it times anything, and
// throws Error{kInternal} where one is wrong.
PipelineResult measure_pipeline(const BenchPictures& pictures, const PipelineBenchOptions& options);

}  // namespace resflow
