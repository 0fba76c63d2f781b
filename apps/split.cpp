// resflow split: class folders into training, validation and test data.
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <numeric>
#include <set>

#include "apps/commands.h"
#include "apps/data/listing_remarks.h"
#include "apps/data/same_content.h"
#include "apps/data/split_folder.h"
#include "apps/data/unread_folders.h"
#include "apps/host/console.h"
#include "apps/host/signals.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/options/common.h"
#include "apps/options/selection_options.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/machine_failure.h"
#include "io/pack/head.h"
#include "io/pictures/data_folders.h"
#include "io/pictures/dataset.h"
#include "pipeline/split_plan.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostClasses = 20;  // in the table
constexpr size_t kParts = kSplitParts.size();

struct SplitOptions {
  std::string data, out, how = "symlink";
  SplitPlanOptions plan;
  bool group_duplicates = true, overwrite = false;
  bool stratify = false, no_stratify = false, group = false, no_group = false;  // as they were given
  int threads = 0;
  Selection selection;
};

// How many samples are of each class in each part.
struct Counts {
  std::vector<std::array<int64_t, kParts>> of_class;
  std::array<int64_t, kParts> all = {};
};

Counts count(const Dataset& dataset, const std::vector<int>& part_of) {
  Counts counts;
  counts.of_class.resize(dataset.classes.size());
  for (size_t i = 0; i < part_of.size(); ++i) {
    const auto part = static_cast<size_t>(part_of[i]);
    ++counts.of_class[static_cast<size_t>(dataset.samples[i].label)][part];
    ++counts.all[part];
  }
  return counts;
}

void print_counts(const Dataset& dataset, const Counts& counts) {
  const auto row = [&](const std::string& name, const auto& cell) {
    print_out("  {:24}", name);
    for (size_t p = 0; p < kParts; ++p)
      if (counts.all[p] > 0) print_out(" {:>9}", cell(p));
    print_out("\n");
  };
  row("", [](size_t p) { return std::string(kSplitParts[p]); });
  for (size_t c = 0; c < std::min(dataset.classes.size(), kMostClasses); ++c)
    row(dataset.classes[c], [&](size_t p) { return format_count(counts.of_class[c][p]); });
  if (dataset.classes.size() > kMostClasses)
    print_out("  ... {} more classes\n", dataset.classes.size() - kMostClasses);
  row("all", [&](size_t p) { return format_count(counts.all[p]); });
}

void warn_of_missing(const Dataset& dataset, const Counts& counts) {
  for (size_t p = 0; p < kParts; ++p) {
    if (counts.all[p] == 0) continue;
    std::vector<std::string> missing;
    for (size_t c = 0; c < counts.of_class.size(); ++c)
      if (counts.of_class[c][p] == 0) missing.push_back(dataset.classes[c]);
    if (missing.empty()) continue;
    const size_t rest = missing.size() - std::min(missing.size(), kMostClasses);
    missing.resize(missing.size() - rest);
    if (rest > 0) missing.push_back(fmt::format("and {} more", rest));
    warn("{}: no picture of {}; resflow goes by the classes' names, torchvision's ImageFolder would number {} anew",
         kSplitParts[p], fmt::join(missing, ", "), kSplitParts[p]);
  }
}

void print_duplicates(const Dataset& dataset, const std::vector<std::vector<size_t>>& groups) {
  size_t files = 0;
  std::vector<std::string> contradictions;
  for (const auto& group : groups) {
    files += group.size();
    std::set<int> labels;
    for (const size_t sample : group) labels.insert(dataset.samples[sample].label);
    if (labels.size() > 1)
      contradictions.push_back(
          fmt::format("{} and {}", dataset.samples[group.front()].path, dataset.samples[group.back()].path));
  }
  if (groups.empty()) return;
  print_out("duplicates {} with the same content as another, in {}: each group is kept on one side\n",
            plural(files, "file", "files"), plural(groups.size(), "group", "groups"));
  if (!contradictions.empty())
    warn("{} of the same content in different classes, like {}: resflow stats lists them",
         plural(contradictions.size(), "group", "groups"), contradictions.front());
}

std::vector<SplitFile> linked_files(const SplitOptions& o, const Dataset& dataset, const std::vector<int>& part_of,
                                    const std::string& resolved) {
  std::vector<SplitFile> files;
  for (size_t i = 0; i < part_of.size(); ++i) {
    const std::string name = path_below(o.data, dataset.samples[i].path);
    files.push_back({.source = (fs::path(resolved) / name).string(),
                     .place = std::string(kSplitParts[static_cast<size_t>(part_of[i])]) + "/" + name});
  }
  return files;
}

std::vector<SplitFile> lists(const SplitOptions& o, const Dataset& dataset, const std::vector<int>& part_of,
                             const Counts& counts, const std::string& resolved) {
  std::array<std::string, kParts> text;
  for (size_t i = 0; i < part_of.size(); ++i) {
    const std::string path = (fs::path(resolved) / path_below(o.data, dataset.samples[i].path)).string();
    if (path.find_first_of("\t\n\r") != std::string::npos)
      throw data_error("{}: a name with a tab or a line break cannot stand in a list; --how symlink", path);
    text[static_cast<size_t>(part_of[i])] +=
        path + "\t" + dataset.classes[static_cast<size_t>(dataset.samples[i].label)] + "\n";
  }
  std::vector<SplitFile> files;
  for (size_t p = 0; p < kParts; ++p)
    if (counts.all[p] > 0)
      files.push_back({.source = {}, .place = std::string(kSplitParts[p]) + ".txt", .text = std::move(text[p])});
  return files;
}

int stopped(const SplitOptions& o) {
  return say_stopped(fmt::format(": {} is not written, and everything is as it was", o.out));
}

void print_outcome(const SplitOptions& o, SplitHow how, const Counts& counts) {
  const int64_t all = std::accumulate(counts.all.begin(), counts.all.end(), int64_t{0});
  const std::string files = plural(all, "file", "files");
  switch (how) {
    case SplitHow::kList:
      print_out("wrote      {}: train.txt and so on, a picture a line: its path, a tab, its class\n", o.out);
      return;
    case SplitHow::kSymlink:
      print_out("wrote      {}: links to {}, which stay where they are\n", o.out, files);
      break;
    case SplitHow::kHardlink:
      print_out("wrote      {}: hard links to {}, which stay where they are, too\n", o.out, files);
      break;
    case SplitHow::kCopy:
      print_out("wrote      {}: copies of {}\n", o.out, files);
      break;
    case SplitHow::kMove:
      print_out("wrote      {}: {} moved out of {}; split.json says where each was\n", o.out, files, o.data);
      break;
  }
  if (counts.all[0] > 0 && counts.all[1] > 0) print_out("next       resflow train {} --out run\n", o.out);
}

int split(const SplitOptions& o, int threads) {
  obey_stop_signals();
  const SplitHow how = split_how(o.how);
  const ThreadLimit limit(threads);
  if (data_parts(o.data).front().root != o.data)
    throw usage_error("{}: is split already; name the folder of class folders, like {}", o.data,
                      (fs::path(o.data) / "train").string());
  check(o.selection);
  if (is_pack(o.data))
    throw usage_error("{}: is a pack; split the folder of class folders, and pack its parts", o.data);
  refuse_mistaken_parts(o.data, {.command = "resflow train", .with_val = true});
  std::error_code error;
  const std::string data = fs::canonical(o.data, error).string();
  if (error) throw Error(failure_kind(error.value(), ErrorKind::kData), o.data + ": " + error.message());
  std::string out = fs::weakly_canonical(fs::absolute(o.out), error).string();
  if (error)
    throw Error(failure_kind(error.value(), ErrorKind::kUsage), fmt::format("--out {}: {}", o.out, error.message()));
  if (out.size() > 1 && out.ends_with('/')) out.pop_back();
  check_split_folder(out, data, o.overwrite);
  TerminalListener listener;
  const std::unique_ptr<FileLock> lock = lock_split_folder(out);
  recover_split_folder(out, data, listener);
  const Dataset dataset = list_image_folder(o.data, o.selection);
  remark_on_listing(dataset, o.data, listener);
  note_idle_patterns(o.selection, dataset.left_out.patterns, listener);
  if (!dataset.empty_classes.empty())
    warn("{}: no picture in {}: left out", o.data, fmt::join(dataset.empty_classes, ", "));
  warn_of_unread_folders(dataset, listener);

  std::vector<std::vector<size_t>> groups;
  if (o.group_duplicates) groups = find_same_content(dataset.samples, threads, listener);
  if (listener.stop()) return stopped(o);
  const std::vector<int> part_of = plan_split(labels_of(dataset), groups, o.plan);
  const Counts counts = count(dataset, part_of);

  print_out("data       {} in {}, {}\n", plural(dataset.samples.size(), "picture", "pictures"),
            plural(dataset.classes.size(), "class", "classes"), o.data);
  print_duplicates(dataset, groups);
  print_out("split      {}, seed {}\n", o.plan.stratify ? "each class alike" : "without regard to classes",
            o.plan.seed);
  print_counts(dataset, counts);
  warn_of_missing(dataset, counts);

  SplitJob job = {.out = out, .data = data, .how = how, .overwrite = o.overwrite, .files = {}};
  job.files =
      how == SplitHow::kList ? lists(o, dataset, part_of, counts, data) : linked_files(o, dataset, part_of, data);
  job.plan = o.plan;
  job.group_duplicates = o.group_duplicates;
  if (!make_split_folder(job, listener)) return stopped(o);
  print_outcome(o, how, counts);
  return 0;
}

}  // namespace

Action add_split(CLI::App& command) {
  auto options = std::make_shared<SplitOptions>();
  SplitOptions& o = *options;
  command.add_option("DATA", o.data, "folder of class folders with photographs")->required();
  command.add_option("--out", o.out, "new folder for train/, val/ (and test/), which resflow train takes")->required();
  command.add_option("--val", o.plan.val, "part of the pictures for validation")->capture_default_str();
  command.add_option("--test", o.plan.test, "part for a test at the end")->capture_default_str();
  CLI::Option* stratify =
      command.add_flag("--stratify", o.stratify, "each class in these parts, as near as can be: the default");
  command.add_flag("--no-stratify", o.no_stratify, "divide the whole, without regard to classes")->excludes(stratify);
  command.add_option("--seed", o.plan.seed, "the same seed and files: the same split")->capture_default_str();
  command
      .add_option("--how", o.how,
                  "symlink, hardlink, copy; list: train.txt and val.txt with a path and its class a line;\n"
                  "move: takes the files out of DATA")
      ->capture_default_str();
  CLI::Option* group =
      command.add_flag("--group-duplicates", o.group, "files of the same content stay on one side: the default");
  command.add_flag("--no-group-duplicates", o.no_group, "files go where they fall; none is read")->excludes(group);
  command.add_flag("--overwrite", o.overwrite, "replace a former split in --out, and nothing else");
  add_selection_options(command, o.selection);
  add_threads_option(command, o.threads);
  command.footer(
      "A class with two pictures has one for validation. Files keep their names and folders below their class.\n"
      "OUT is there whole or not at all; split.json in it names every file and where it came from. Only --how move\n"
      "touches the files in DATA: what it moved goes back where it does not come to its end, and after a kill at the\n"
      "next run.\n\n"
      "Example:\n"
      "  resflow split photos --val 0.2 --out photos-split\n"
      "  resflow split photos --val 0.1 --test 0.1 --seed 7 --how copy --out photos-split\n"
      "  resflow train photos-split --out run");
  return [options, &command] {
    options->plan.stratify = !options->no_stratify;
    options->group_duplicates = !options->no_group;
    return split(*options, resolve_threads(command, options->threads));
  };
}

}  // namespace resflow
