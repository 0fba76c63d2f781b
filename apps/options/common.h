// Options that several subcommands share, so that they read and behave alike.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "io/images/decode.h"

namespace resflow {

// --model NAME; the names are checked where the model is built.
CLI::Option* add_model_option(CLI::App& command, std::string& model);

// --threads N; `threads` stays 0 where it is not given: resolve_threads() then.
CLI::Option* add_threads_option(CLI::App& command, int& threads);

// Every CPU that this process may use where the option was not given; with `pin` (apps/host/pinning.h) every core, and the
// process is bound. Throws Error{kUsage} below 1.
int resolve_threads(const CLI::App& command, int threads, bool pin = false);

// --decode exact|fast, and what it says. Throws Error{kUsage} for anything else.
CLI::Option* add_decode_option(CLI::App& command, std::string& decode);
DecodeMode decode_mode(const std::string& decode);

// Throws Error{kUsage} "NAME is V: wanted LOW to HIGH" outside of it.
void check_range(const std::string& name, double value, double low, double high);

}  // namespace resflow
