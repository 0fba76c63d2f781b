#include "apps/options/common.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "apps/host/pinning.h"
#include "apps/machine/threads.h"
#include "graph/model/model_zoo.h"
#include "io/core/error.h"

namespace resflow {

CLI::Option* add_model_option(CLI::App& command, std::string& model) {
  return command.add_option("--model", model, fmt::format("{}", fmt::join(all_model_names(), ", ")))
      ->capture_default_str();
}

CLI::Option* add_threads_option(CLI::App& command, int& threads) {
  return command.add_option("--threads", threads,
                            "[every CPU that this process may use: the affinity mask and the cgroup's quota]");
}

int resolve_threads(const CLI::App& command, int threads, bool pin) {
  const bool told = command.get_option("--threads")->count() > 0;
  if (told && threads < 1) throw usage_error("--threads is {}: wanted at least 1", threads);
  if (pin) return pin_threads(told ? threads : 0);
  return told ? threads : cpu_limits().usable();
}

CLI::Option* add_decode_option(CLI::App& command, std::string& decode) {
  return command
      .add_option("--decode", decode,
                  "exact: every pixel of a file, as Pillow; fast: a JPEG that is at least twice as large as needed is\n"
                  "decoded at half, a quarter or an eighth of its size")
      ->capture_default_str();
}

CLI::Option* add_interpolation_option(CLI::App& command, std::string& interpolation, const std::string& usual) {
  return command
      .add_option("--interpolation", interpolation,
                  fmt::format("how pictures are resized, as Pillow does it: bilinear or bicubic [{}]", usual))
      ->check(CLI::IsMember({"bilinear", "bicubic"}));
}

void add_acceptance_options(CLI::App& command, AcceptanceOptions& options) {
  command
      .add_option("--max-pixels", options.max_pixels,
                  "a picture of more is an error, which its header says before anything is decoded")
      ->capture_default_str();
  command
      .add_option(
          "--truncated", options.truncated,
          "a picture whose file ends early: refuse, it is an error; take, with what there is of its pixels, as\n"
          "Pillow under LOAD_TRUNCATED_IMAGES, and say how many there were")
      ->capture_default_str();
  command
      .add_option(
          "--grey16", options.grey16,
          "16-bit grey pictures: clip what is above 255 to white, as Pillow does, or scale to 8 bits (the high\n"
          "byte, as Pillow does for 16-bit colour)")
      ->capture_default_str();
}

void add_exif_option(CLI::App& command, bool& exif) {
  command.add_flag("--exif", exif,
                   "turn pictures upright as their EXIF orientation says: for a model that was trained with --exif");
}

void add_outage_option(CLI::App& command, int64_t& outage) {
  command
      .add_option("--outage", outage,
                  "so many files in a row that cannot be opened are a disk that is gone, at which the command ends; 0: "
                  "any number may be missing")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

void add_json_option(CLI::App& command, std::string& json, const std::string& what) {
  command.add_option("--json", json, fmt::format("write {} to this file", what));
}

void add_pin_option(CLI::App& command, bool& pin) {
  command.add_flag(
      "--pin", pin,
      "keep the threads on cores of their own, not on a core's second hardware thread, of as few NUMA nodes\n"
      "as will do; without --threads one a core");
}

CLI::Option* add_executors_option(CLI::App& command, std::string& text) {
  return command
      .add_option("--executors", text,
                  "batches that are computed at once, each by its share of the threads: a number, latency (1), "
                  "throughput (one a thread), or auto, which takes what is faster in a short measurement")
      ->capture_default_str();
}

}  // namespace resflow
