// The commands of a command, in the order of its help.
#pragma once

#include <CLI/CLI.hpp>
#include <vector>

namespace resflow {

inline std::vector<const CLI::App*> commands_of(const CLI::App& command) {
  std::vector<const CLI::App*> shown;
  for (const CLI::App* below : command.get_subcommands([](const CLI::App*) { return true; }))
    if (!below->get_group().empty()) shown.push_back(below);
  return shown;
}

}  // namespace resflow
