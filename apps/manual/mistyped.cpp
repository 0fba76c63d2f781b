#include "apps/manual/mistyped.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "apps/manual/commands_of.h"
#include "apps/manual/nearest.h"

namespace resflow {
namespace {

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<std::string> command_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* below : commands_of(command)) names.push_back(below->get_name());
  return names;
}

// `word` without the value of --option=value.
std::string without_value(const std::string& word) { return word.substr(0, word.find('=')); }

std::string meant(const std::string& word, const std::vector<std::string>& words) {
  const std::string near = nearest(word, words);
  return near.empty() ? "" : fmt::format(": did you mean {}?", near);
}

}  // namespace

std::string parse_failure(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* command = &app;
  std::string name = app.get_name();
  for (auto below = command->get_subcommands(); !below.empty(); below = command->get_subcommands()) {
    command = below.front();
    name += " " + command->get_name();
  }
  const std::string see = fmt::format(" (see {} --help)", name);
  const std::vector<std::string> left = app.remaining(true), names = option_names(*command);
  const std::string has_none = command == &app ? "there is no " : command->get_name() + " has no ";
  const bool wants_command = command->get_require_subcommand_min() > 0;
  for (const std::string& word : left) {
    if (word.starts_with("--") && word.size() > 2) {
      const std::string option = without_value(word);
      if (std::ranges::find(names, option) == names.end())
        return has_none + fmt::format("option {}{}{}", option, meant(option, names), see);
    } else if (wants_command) {
      return has_none + fmt::format("command {}{}{}", word, meant(word, command_names(*command)), see);
    }
  }
  return error.what() + see;
}

}  // namespace resflow
