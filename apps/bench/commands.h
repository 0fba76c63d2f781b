// What `resflow bench` is made of: one function a subcommand.
#pragma once

#include "apps/bench/options.h"
#include "apps/options/action.h"

namespace resflow {

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
