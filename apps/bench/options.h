// The options that bench load, train, score and read share.
#pragma once

#include <cstdint>
#include <string>

#include "apps/model/precision.h"

namespace resflow {

struct BenchOptions {
  std::string model = "resnet34", recipe = "train", decode = "exact", data, weights, json, executors = "auto";
  int batch = 32, threads = 0, image_size = 224;
  uint64_t seed = 0;
  double seconds = 10;
  bool pin = false;
  PrecisionOptions precision;
  int64_t epochs = 0;  // of load; 0: as many as `seconds` takes
};

// Throws Error{kUsage} for numbers out of range, and for a file of figures that cannot be written.
void check(const BenchOptions& o);

}  // namespace resflow
