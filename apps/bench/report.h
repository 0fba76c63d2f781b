// What bench load, train, score and read print and write.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "apps/bench/options.h"
#include "apps/bench/step_times.h"

namespace resflow {

// A report that says what was measured, and how.
nlohmann::ordered_json new_report(const char* what, const BenchOptions& o, int threads);

// A line on what is measured, how, and on which machine.
void print_setup(const BenchOptions& o, int threads, const std::string& what);

// Prints and writes `report` with the speed that `times` say, of steps of `batches` batches. Returns the exit code.
int finish(const BenchOptions& o, nlohmann::ordered_json report, const StepTimes& times, int batches = 1);

}  // namespace resflow
