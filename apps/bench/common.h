// What the parts of resflow bench share: options, the network that they time, the report that they end with.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/bench/step_times.h"
#include "apps/machine/threads.h"
#include "apps/model/precision.h"
#include "apps/options/action.h"
#include "graph/model/model.h"

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

void check(const BenchOptions& o);

nlohmann::ordered_json new_report(const char* what, const BenchOptions& o, int threads);

void print_setup(const BenchOptions& o, int threads, const std::string& what);

// Prints and writes `report` with the speed that `times` say, of steps of `batches` batches. Returns the exit code.
int finish(const BenchOptions& o, nlohmann::ordered_json report, const StepTimes& times, int batches = 1);

// Values like normalized pixels, the same in every run.
std::vector<float> synthetic_pixels(const BenchOptions& o);

// A network with random weights and input for it, both the same in every run.
struct BenchModel {
  BenchModel(const BenchOptions& o, int threads)
      : limit(threads),
        compute(threads),
        model({.architecture = o.model, .num_classes = 1000}, compute),
        pixels(synthetic_pixels(o)) {
    model.initialise(o.seed);
  }

  ThreadLimit limit;
  Compute compute;
  Model model;
  std::vector<float> pixels;
};

// Subcommands with options of their own: each adds itself to `bench`, and says what runs where it was chosen.
struct BenchSubcommand {
  CLI::App* app = nullptr;
  Action run;
};
BenchSubcommand add_bench_pipeline(CLI::App& bench);
BenchSubcommand add_bench_layers(CLI::App& bench);

// The others. Each returns the exit code, or throws Error.
int bench_train(const BenchOptions& o, int threads);
int bench_score(const BenchOptions& o, int threads);
int bench_load(const BenchOptions& o, int threads);
int bench_read(const BenchOptions& o);

}  // namespace resflow
