// The network that bench train and bench score time.
#pragma once

#include <vector>

#include "apps/bench/options.h"
#include "apps/host/thread_limit.h"
#include "graph/model/model.h"

namespace resflow {

// Values like normalized pixels, the same in every run.
std::vector<float> synthetic_pixels(const BenchOptions& o);

// A network with random weights and input for it, both the same in every run.
struct RandomModel {
  RandomModel(const BenchOptions& o, int threads)
      : limit(threads), compute(threads), model(bench_model(o), compute), pixels(synthetic_pixels(o)) {
    model.initialise(o.seed);
  }

  ThreadLimit limit;
  Compute compute;
  Model model;
  std::vector<float> pixels;
};

}  // namespace resflow
