// Options that several subcommands share, so that they read and behave alike.
#pragma once

#include <cstdint>
#include <string>

#include "io/images/decode.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace resflow {

// --model NAME; the names are checked where the model is built.
CLI::Option* add_model_option(CLI::App& command, std::string& model);

// --threads N; `threads` stays 0 where it is not given: resolve_threads() then.
CLI::Option* add_threads_option(CLI::App& command, int& threads);

// Every CPU that this process may use where the option was not given; with `pin` (apps/host/pinning.h) every core, and
// the process is bound. Throws Error{kUsage} below 1.
int resolve_threads(const CLI::App& command, int threads, bool pin = false);

// --decode exact|fast; `decode` is for decode_mode (io/images/decode.h).
CLI::Option* add_decode_option(CLI::App& command, std::string& decode);

// --interpolation bilinear|bicubic; `usual` says what an empty one stands for.
CLI::Option* add_interpolation_option(CLI::App& command, std::string& interpolation, const std::string& usual);

// --max-pixels N, --truncated refuse|take and --grey16 clip|scale, for acceptance() (io/images/decode.h).
struct AcceptanceOptions {
  int64_t max_pixels = kMaxPixels;
  std::string truncated = "refuse", grey16 = "clip";

  // Throws Error{kUsage} for values that cannot be.
  Acceptance accept() const { return acceptance(max_pixels, truncated, grey16); }
};
void add_acceptance_options(CLI::App& command, AcceptanceOptions& options);

// --exif, a flag of the commands that use a trained model.
void add_exif_option(CLI::App& command, bool& exif);

// --outage N, for ReadingOptions::outage (pipeline/loader.h).
void add_outage_option(CLI::App& command, int64_t& outage);

// --json FILE, into which the command writes `what`, like "speed and memory".
void add_json_option(CLI::App& command, std::string& json, const std::string& what);

// --pin, a flag.
void add_pin_option(CLI::App& command, bool& pin);

// --executors auto|throughput|latency|N; `text` is for parse_executors (apps/score/executor_choice.h).
CLI::Option* add_executors_option(CLI::App& command, std::string& text);

}  // namespace resflow
