#include "apps/options/score_inputs.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "apps/host/signals.h"
#include "apps/options/selection_options.h"
#include "io/core/error.h"
#include "io/pictures/open_pictures.h"

namespace resflow {

void add_score_inputs(CLI::App& command, ScoreInputs& inputs) {
  command.add_option(
      "INPUT", inputs.inputs,
      "photographs, folders or packs of them, archives (tar, also with gzip, zstd, xz or bzip2; zip), patterns in "
      "quotes ('photos/*/*.jpg'), or - for a list of files on standard input");
  command.add_option("--list", inputs.list,
                     "score the files that this file lists, a path on each line; - is standard input");
  command.add_flag("--list-ids", inputs.ids,
                   "each line of the list is PATH, a tab and ID; the row of the file is called ID");
  command.add_flag("--null", inputs.null, "paths of the list end with a zero byte (find -print0), not with the line");
  add_selection_options(command, inputs.selection);
}

std::vector<std::string> as_given(const ScoreInputs& inputs) {
  std::vector<std::string> words = inputs.inputs;
  if (!inputs.list.empty()) words.insert(words.end(), {"--list", inputs.list});
  if (inputs.ids) words.emplace_back("--list-ids");
  if (inputs.null) words.emplace_back("--null");
  for (const std::string& pattern : inputs.selection.exclude) words.insert(words.end(), {"--exclude", pattern});
  for (const std::string& ending : inputs.selection.extensions) words.insert(words.end(), {"--extensions", ending});
  return words;
}

const char* score_inputs_help() {
  return "Folders are scored with all that lies below them; each is read when its turn comes. Archives and packs are\n"
         "read as streams, and their pictures are called ARCHIVE/MEMBER. Paths in a list are relative to the working "
         "directory.";
}

std::unique_ptr<PictureSource> open_score_inputs(const ScoreInputs& inputs) {
  check(inputs.selection);
  std::vector<Input> all;
  all.reserve(inputs.inputs.size() + 1);
  for (const std::string& argument : inputs.inputs) all.push_back(recognise_input(argument));
  if (!inputs.list.empty()) all.push_back({inputs.list, InputKind::kList});
  if (all.empty()) throw usage_error("nothing to score: name photographs, folders or archives, or give --list");
  const auto is_list = [](const Input& input) { return input.kind == InputKind::kList; };
  if (std::count_if(all.begin(), all.end(), [](const Input& input) { return input.path == "-"; }) > 1)
    throw usage_error("standard input is named more than once, and can be read but once");
  if ((inputs.ids || inputs.null) && std::none_of(all.begin(), all.end(), is_list))
    throw usage_error("{} is for a list: give --list, or - for standard input", inputs.ids ? "--list-ids" : "--null");
  return std::make_unique<InputSource>(
      std::move(all), ListOptions{.ids = inputs.ids, .null = inputs.null, .stop = [] { return stop_requested(); }},
      inputs.selection);
}

}  // namespace resflow
