#include "apps/options/selection_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <vector>

#include "io/core/error.h"

namespace resflow {

void add_selection_options(CLI::App& command, Selection& selection) {
  command
      .add_option(
          "--exclude", selection.exclude,
          "leave out files and folders of this name or pattern, like .ipynb_checkpoints or '._*'; with slashes\n"
          "it is compared with the end of the path; may come again")
      ->allow_extra_args(false);
  command
      .add_option("--extensions", selection.extensions,
                  "take files with these endings, too, like .jfif,.jpe; a dot alone: names without an ending")
      ->delimiter(',')
      ->allow_extra_args(false);
}

void refuse_mistaken_parts(const std::string& root, const PartsCommand& command) {
  const MistakenParts mistaken = mistaken_parts(root);
  if (mistaken.parts.empty()) return;
  std::vector<std::string> names;
  names.reserve(mistaken.parts.size());
  for (const DataPart& part : mistaken.parts) names.push_back(std::filesystem::path(part.root).filename().string());
  const std::string all = fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
  const DataPart& first = mistaken.parts.front();
  if (!mistaken.labelled)
    throw usage_error(
        "{}: {} are parts of a data set, not classes, and hold no class folders: put the pictures of each class into a "
        "folder of its own, like {}/CLASS",
        mistaken.above, all, first.root);
  const auto part = [&](const std::string& name) {
    const auto found =
        std::find_if(mistaken.parts.begin(), mistaken.parts.end(), [&](const DataPart& p) { return p.name == name; });
    return found == mistaken.parts.end() ? std::string() : found->root;
  };
  const std::string measured = part("val").empty() ? part("test") : part("val");
  std::string meant = command.command + ' ';
  if (command.measures)
    meant += measured.empty() ? first.root : measured;
  else if (mistaken.parted)
    meant += mistaken.above;
  else
    meant += first.root + (command.with_val && first.name == "train" ? " --val " + measured : "");
  throw usage_error("{}: {} are parts of a data set, and would be taken for its classes: {}", mistaken.above, all,
                    meant);
}

}  // namespace resflow
