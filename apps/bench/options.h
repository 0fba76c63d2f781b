// The options that bench load, train, score and read share.
#pragma once

#include <cstdint>
#include <string>

#include "apps/model/precision.h"
#include "apps/model/structure.h"

namespace resflow {

struct BenchOptions {
  std::string model = "resnet34", recipe = "train", decode = "exact", interpolation = "bilinear", data, weights, json,
              executors = "auto";
  StructureOptions structure;
  int batch = 32, threads = 0;
  int image_size = 0;  // 0: what the model is meant for
  uint64_t seed = 0;
  double seconds = 10;
  bool pin = false;
  PrecisionOptions precision;
  int64_t epochs = 0;  // of load; 0: as many as `seconds` takes
};

// The network that is measured, and its name and structure for people. Throw as description_of does.
ModelDescription bench_model(const BenchOptions& o);
std::string bench_model_text(const BenchOptions& o);

// Puts in what was not given: the name of a network of no name, and the size of the pictures. Throws Error{kUsage} for
// a name beside the blocks of another network.
void settle_model(BenchOptions& o, bool model_given);

// Throws Error{kUsage} for numbers out of range, and for a file of figures that cannot be written.
void check(const BenchOptions& o);

}  // namespace resflow
