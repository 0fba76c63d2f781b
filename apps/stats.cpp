// resflow stats: what is in a folder of photographs, and what is wrong with it.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/data/stats_report.h"
#include "apps/host/console.h"
#include "apps/host/signals.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/machine/process_report.h"
#include "apps/options/common.h"
#include "apps/options/selection_options.h"
#include "io/core/check_range.h"
#include "io/core/wording.h"
#include "io/files/outputs.h"
#include "pipeline/recipe.h"

namespace resflow {
namespace {

struct StatsOptions {
  std::string data, json;
  int image_size = 224, threads = 0;
  AcceptanceOptions accept;
  Selection selection;
  int64_t outage = kOutage;
};

int stats(const StatsOptions& o, int threads) {
  obey_stop_signals();
  check_range("--image-size", o.image_size, 1, 65536);
  const Preprocessing preprocessing = eval_preprocessing(o.image_size);
  const DataStatsOptions options = {.resize = preprocessing.resize,
                                    .crop = preprocessing.crop,
                                    .threads = threads,
                                    .accept = o.accept.accept(),
                                    .selection = o.selection,
                                    .outage = o.outage};
  check(o.selection);
  const ThreadLimit limit(threads);
  check_outputs({{"--json", o.json}}, {o.data});
  TerminalListener listener;
  const std::vector<DataPart> parts = data_parts(o.data);
  refuse_mistaken_parts(parts.front().root, {.command = "resflow stats"});
  const DataStats found = gather_data_stats(parts, options, listener);
  if (found.stopped) {
    return say_stopped(fmt::format(" after {}{}", plural(found.looked_at, "picture", "pictures"),
                                   o.json.empty() ? "" : fmt::format("; {} is not written", o.json)));
  }
  print_text(with_option_names(data_stats_text(found, options)));
  if (!o.json.empty()) {
    nlohmann::ordered_json report = data_stats_json(found, options);
    report["threads"] = threads;
    report.update(process_report());
    write_json(o.json, report);
  }
  return 0;
}

}  // namespace

Action add_stats(CLI::App& command) {
  auto o = std::make_shared<StatsOptions>();
  command
      .add_option("DATA", o->data,
                  "folder of class folders with photographs, or one that holds train/ (val/, test/); or a pack")
      ->required();
  add_json_option(command, o->json, "all of it");
  command.add_option("--image-size", o->image_size, "mean and std are of pictures of this size")->capture_default_str();
  add_acceptance_options(command, o->accept);
  add_selection_options(command, o->selection);
  add_outage_option(command, o->outage);
  add_threads_option(command, o->threads);
  command.footer(
      "Mean and std a channel are those of numpy over the training pictures as torchvision's Resize(256),\n"
      "CenterCrop(224), ToTensor makes them (at --image-size 224): every pixel counts alike, and std divides by the\n"
      "number of pixels. Below them is the mean of each picture's own mean and std, which some use.\n\n"
      "Every file is decoded. One that cannot be read is listed with the reason, and the exit code stays 0. The same\n"
      "content is the same bytes, whatever the name; across train and val it is leakage.\n\n"
      "Example:\n"
      "  resflow stats photos\n"
      "  resflow stats photos --json stats.json");
  return [o, &command] { return stats(*o, resolve_threads(command, o->threads)); };
}

}  // namespace resflow
