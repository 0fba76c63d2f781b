// resflow pack: a folder of photographs as one file that is read from one end to the other.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "apps/commands.h"
#include "apps/data/listing_remarks.h"
#include "apps/data/packing.h"
#include "apps/data/unread_folders.h"
#include "apps/host/console.h"
#include "apps/host/signals.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/machine/process_report.h"
#include "apps/options/common.h"
#include "apps/options/selection_options.h"
#include "io/core/check_range.h"
#include "io/core/error.h"
#include "io/core/stopwatch.h"
#include "io/core/text.h"
#include "io/core/wording.h"
#include "io/files/outputs.h"
#include "io/files/path_facts.h"
#include "io/images/image_format.h"
#include "io/pack/head.h"
#include "io/pack/writer.h"
#include "io/pictures/data_folders.h"
#include "io/pictures/dataset.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

struct PackOptions {
  std::string data, out, json;
  int resize = 0, quality = 90, threads = 0;  // resize 0: files as they are
  int64_t outage = kOutage;
  bool no_labels = false, strict = false;
  AcceptanceOptions accept;
  Selection selection;
};

void check(const PackOptions& o, bool resize_given, bool quality_given) {
  if (resize_given) check_range("--resize", o.resize, 1, 65500);
  if (quality_given && !resize_given)
    throw usage_error("--quality goes with --resize: without it the files are packed as they are");
  if (quality_given) check_range("--quality", o.quality, 1, 100);
  if (is_folder(o.out)) throw usage_error("{}: is a folder; name the file to write, like photos.resflow-pack", o.out);
  if (is_there(o.out) && !is_pack(o.out))
    throw usage_error("{}: is there and is no pack; only a pack is replaced", o.out);
  check(o.selection);
  if (is_pack(o.data)) throw data_error("{}: is a pack already", o.data);
  check_outputs({{.name = "OUT", .path = o.out, .needs_file = true}, {"--json", o.json}}, {o.data});
  const std::vector<DataPart> parts = data_parts(o.data);
  if (o.no_labels) return;
  if (parts.front().root == o.data) return refuse_mistaken_parts(o.data, {.command = "resflow pack"});
  std::vector<std::string> commands;
  commands.reserve(parts.size());
  for (const DataPart& part : parts)
    commands.push_back(fmt::format("resflow pack {} {}.resflow-pack", part.root, part.name));
  throw usage_error("{}: holds {} parts of a data set, and a pack is one: {}", o.data, parts.size(),
                    fmt::join(commands, "; "));
}

Dataset list_data(const PackOptions& o, Listener& listener) {
  const bool there = is_there(o.data);
  if (there && !is_folder(o.data)) throw data_error("{}: is a file, wanted a folder of pictures", o.data);
  // list_image_folder() also says that a folder is absent, in the words that training has.
  if (!o.no_labels && (holds_classes(o.data) || !there)) {
    Dataset dataset = list_image_folder(o.data, o.selection);
    remark_on_listing(dataset, o.data, listener);
    if (!dataset.empty_classes.empty())
      warn("{}: no picture in {}: left out of the classes", o.data, fmt::join(dataset.empty_classes, ", "));
    return dataset;
  }
  Dataset dataset;
  dataset.samples = list_pictures(o.data, o.selection, &dataset.left_out);
  remark_on_listing(dataset, o.data, listener);
  return dataset;
}

// The size of a pack of files as they are, to see early that a disk is too full. An absent file is reported later.
int64_t expected_bytes(const PackOptions& o, const Dataset& dataset) {
  if (o.resize > 0) return 0;
  int64_t bytes = 0;
  for (const Sample& sample : dataset.samples) {
    std::error_code absent;
    const uintmax_t size = fs::file_size(sample.path, absent);
    if (!absent) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

int pack(const PackOptions& o, int threads) {
  obey_stop_signals();
  TerminalListener listener;
  const Dataset dataset = list_data(o, listener);
  note_idle_patterns(o.selection, dataset.left_out.patterns, listener);
  const auto total = static_cast<int64_t>(dataset.samples.size());
  const ThreadLimit limit(threads);
  const Stopwatch watch;
  const PackInfo info = {.classes = dataset.classes, .short_side = o.resize, .quality = o.resize > 0 ? o.quality : 0};
  PackWriter writer(o.out, info, expected_bytes(o, dataset));
  warn_of_unread_folders(dataset, listener);
  const Packing packing = add_pictures(dataset, o.data,
                                       {.short_side = o.resize,
                                        .quality = o.quality,
                                        .threads = threads,
                                        .accept = o.accept.accept(),
                                        .outage = o.outage},
                                       writer, listener);
  if (packing.stopped) {
    return say_stopped(fmt::format(" after {} of {}; {} is not written", writer.records(),
                                   plural(total, "picture", "pictures"), o.out));
  }
  const auto broken = static_cast<int64_t>(packing.broken.size());
  if (broken > 0) {
    print_out("left out   {} that could not be read:\n", plural(broken, "picture", "pictures"));
    for (const BrokenPicture& b : packing.broken) print_out("  {}: {}\n", b.name, b.reason);
  }
  if (writer.records() == 0)
    throw data_error("{}: not one of its {} can be read: nothing is written", o.data,
                     plural(total, "picture", "pictures"));
  if (broken > 0 && o.strict)
    throw data_error("{}: {} could not be read, and --strict takes none: {} is not written", o.data,
                     plural(broken, "picture", "pictures"), o.out);
  writer.commit();
  const double seconds = watch.seconds();
  const double rate = static_cast<double>(total) / seconds;
  print_out("packed     {}{} in {:.1f} s, {:.1f} img/s\n", plural(writer.records(), "picture", "pictures"),
            dataset.classes.empty() ? ", without labels,"
                                    : fmt::format(" of {}", plural(dataset.classes.size(), "class", "classes")),
            seconds, rate);
  if (o.resize > 0)
    print_out("shrunk     {} to a short side of {}, JPEG quality {}\n", plural(packing.shrunk, "picture", "pictures"),
              o.resize, o.quality);
  if (packing.truncated > 0)
    print_out("truncated  {}, taken as far as there are pixels\n", plural(packing.truncated, "picture", "pictures"));
  print_out("wrote      {}, {} of {} read\n", o.out, format_bytes(static_cast<double>(writer.bytes())),
            format_bytes(static_cast<double>(packing.read)));
  if (o.json.empty()) return 0;
  nlohmann::ordered_json report = {{"pictures", writer.records()}, {"classes", dataset.classes.size()}};
  report["shrunk"] = packing.shrunk;
  report["truncated"] = packing.truncated;
  report["bytes_read"] = packing.read;
  report["bytes_written"] = writer.bytes();
  report["seconds"] = seconds;
  report["images_per_second"] = rate;
  report["threads"] = threads;
  report["broken"] = nlohmann::ordered_json::array();
  for (const BrokenPicture& b : packing.broken)
    report["broken"].push_back({{"path", printable(b.name, 4096)}, {"reason", b.reason}});
  report.update(process_report());
  write_json(o.json, report);
  return 0;
}

}  // namespace

Action add_pack(CLI::App& command) {
  auto options = std::make_shared<PackOptions>();
  PackOptions& o = *options;
  command
      .add_option("DATA", o.data, "folder of class folders with photographs, or any folder with photographs below it")
      ->required();
  command
      .add_option("OUT", o.out,
                  "the pack to write, like photos.resflow-pack; whole or not at all, in place of a former one")
      ->required();
  const CLI::Option* resize = command.add_option(
      "--resize", o.resize, "shrink larger photographs to this short side, as training would [files as they are]");
  const CLI::Option* quality =
      command.add_option("--quality", o.quality, "of the JPEGs that --resize makes, 1 to 100")->capture_default_str();
  command.add_flag("--no-labels", o.no_labels, "take folders for mere folders, not for classes");
  command.add_flag("--strict", o.strict, "write nothing where a photograph cannot be read, and exit with 3");
  add_json_option(command, o.json, "what was done");
  add_acceptance_options(command, o.accept);
  add_selection_options(command, o.selection);
  add_outage_option(command, o.outage);
  add_threads_option(command, o.threads);
  command.footer(
      "train, score, evaluate, quantize, stats, preview and bench take a pack where they take a folder. A pack of "
      "files\n"
      "as they are gives the same batches as its folder, to the bit. A photograph that cannot be read is named and "
      "left\n"
      "out. Pack the parts of a data set each: train/ and val/ are two packs.\n\n"
      "Example:\n"
      "  resflow pack photos/train train.resflow-pack --resize 256\n"
      "  resflow pack photos/val val.resflow-pack --resize 256\n"
      "  resflow train train.resflow-pack --val val.resflow-pack");
  return [options, &command, resize, quality] {
    check(*options, resize->count() > 0, quality->count() > 0);
    return pack(*options, resolve_threads(command, options->threads));
  };
}

}  // namespace resflow
