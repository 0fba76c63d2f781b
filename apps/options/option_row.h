// Options of the command line from the rows of a table (apps/train/option.h).
#pragma once

#include <CLI/CLI.hpp>
#include <set>
#include <string>
#include <vector>

#include "apps/train/option.h"

namespace resflow {

// What the command line calls the option of the setting `name`: "--image-size"; where it is positional "IMAGE_SIZE".
std::string command_line_name(const std::string& name, bool positional);

// Declares one: a flag where the value is a bool, else an option with a value or a list. Its default is shown unless it
// stands for "not given". In `help` another option's name stands in braces.
void declare_option(CLI::App& command, const std::string& name, const std::string& help, OptionValue value,
                    bool show_default, bool commas);

template <class Options>
void add_option_row(CLI::App& command, const Option<Options>& option, Options& options) {
  const OptionValue value = option.at(options);
  declare_option(command, command_line_name(option.name, option.positional), option.help, value,
                 !is_none(option, text_of(value)), option.commas);
}

// Names of the settings in `table` that the user wrote.
template <class Options>
std::set<std::string> given_options(const CLI::App& command, const std::vector<Option<Options>>& table) {
  std::set<std::string> given;
  for (const Option<Options>& option : table) {
    const CLI::Option* declared = command.get_option_no_throw(command_line_name(option.name, option.positional));
    if (declared != nullptr && declared->count() > 0) given.insert(option.name);
  }
  return given;
}

}  // namespace resflow
