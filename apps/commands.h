// The subcommands of resflow. Each add_* declares the options of its command, with help and an example,
// and returns what runs once they are parsed: that returns the exit code, or throws Error.
#pragma once

#include "apps/options/action.h"

namespace resflow {

Action add_train(CLI::App& command);
Action add_score(CLI::App& command);
Action add_merge(CLI::App& command);
Action add_evaluate(CLI::App& command);
Action add_quantize(CLI::App& command);
Action add_inspect(CLI::App& command);
Action add_convert(CLI::App& command);
Action add_weights(CLI::App& command);
Action add_stats(CLI::App& command);
Action add_split(CLI::App& command);
Action add_preview(CLI::App& command);
Action add_pack(CLI::App& command);
Action add_bench(CLI::App& command);
Action add_demo(CLI::App& command);
Action add_help(CLI::App& command);

}  // namespace resflow
