// What holds a pipeline back, in one sentence, and what it would take to move it.
#pragma once

#include <string>

namespace resflow {

// Pictures a second with one number of threads, each part alone and both together.
struct PipelineRates {
  double read = 0, decode = 0, resize = 0, normalize = 0;
  double loader = 0, model = 0, together = 0;
  double of_peak = 0;  // the model's operations a second, divided by those of a product of two matrices
  int threads = 1, batch = 32;
  bool train = false;
  // The speed of loader and model with `threads` threads, divided by their speed with `least_threads`.
  int least_threads = 1;
  double loader_speedup = 1, model_speedup = 1;
};

struct Bottleneck {
  std::string part;  // "model"; "read", "decode", "resize" or "normalize"; "hand-over"
  std::string sentence;
};

// Loader and model share the cores, so that together they can reach 1 / (1 / loader + 1 / model). If they reach less
// than 80 % of that, the hand-over between them holds the pipeline back. Else the model does if it takes more of the
// time than loading, and if not, the slowest stage of loading.
Bottleneck find_bottleneck(const PipelineRates& rates);

}  // namespace resflow
