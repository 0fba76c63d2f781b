// --precision of the commands that score, and of those that train.
#pragma once

#include "apps/model/precision.h"

namespace CLI {
class App;
}

namespace resflow {

// --precision and --force-precision.
void add_precision_options(CLI::App& command, PrecisionOptions& options);

// The same where int8 is none of the choices: training knows f32 and bf16.
void add_training_precision_options(CLI::App& command, std::string& name, bool& force);

// require_quantized(), with the advice to run resflow quantize on the file of weights at `path`.
void require_quantized_file(const TrainedModel& trained, Precision precision, const std::string& path);

}  // namespace resflow
