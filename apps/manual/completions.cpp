#include "apps/manual/completions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "apps/manual/commands_of.h"
#include "apps/manual/option_values.h"
#include "io/core/error.h"

namespace resflow {
namespace {

struct CompletedOption {
  std::string name;  // without dashes
  std::string help;  // its first line
  bool takes_value = false;
  std::vector<std::string> values;
};

struct CompletedCommand {
  std::vector<std::string> path;  // "bench", "load"
  std::string help;
  std::vector<CompletedOption> options;
  bool has_commands = false;
};

void add(const CLI::App& command, const std::vector<std::string>& path, std::vector<CompletedCommand>& all) {
  CompletedCommand completed = {
      .path = path, .help = command.get_description(), .options = {}, .has_commands = !commands_of(command).empty()};
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) {
      const std::string help = option->get_description();
      completed.options.push_back({.name = name,
                                   .help = help.substr(0, help.find('\n')),
                                   .takes_value = option->get_items_expected_max() > 0,
                                   .values = option_values(name)});
    }
  all.push_back(std::move(completed));
  for (const CLI::App* below : commands_of(command)) {
    std::vector<std::string> longer = path;
    longer.push_back(below->get_name());
    add(*below, longer, all);
  }
}

std::vector<const CompletedCommand*> below(const CompletedCommand& command, const std::vector<CompletedCommand>& all) {
  std::vector<const CompletedCommand*> found;
  for (const CompletedCommand& other : all)
    if (other.path.size() == command.path.size() + 1 &&
        std::equal(command.path.begin(), command.path.end(), other.path.begin()))
      found.push_back(&other);
  return found;
}

// In single quotes, for any of the three shells.
std::string in_quotes(const std::string& text) {
  std::string out = "'";
  for (const char c : text)
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  return out + "'";
}

std::string bash(const std::vector<CompletedCommand>& all) {
  std::string names, values, options, commands;
  for (const CompletedCommand& command : all) {
    const std::string path = fmt::format("{}", fmt::join(command.path, " "));
    std::vector<std::string> words;
    for (const CompletedOption& option : command.options) {
      words.push_back("--" + option.name);
      if (!option.values.empty())
        values += fmt::format("    \"{}:--{}\") COMPREPLY=($(compgen -W \"{}\" -- \"$cur\")); return ;;\n", path,
                              option.name, fmt::join(option.values, " "));
      else if (option.takes_value)
        values += fmt::format("    \"{}:--{}\") return ;;\n", path, option.name);
    }
    options += fmt::format("    \"{}\") options=\"{}\" ;;\n", path, fmt::join(words, " "));
    std::vector<std::string> next;
    for (const CompletedCommand* other : below(command, all)) {
      next.push_back(other->path.back());
      names += fmt::format("      \"{}:{}\") path=\"{}\" ;;\n", path, other->path.back(), fmt::join(other->path, " "));
    }
    if (!next.empty()) commands += fmt::format("    \"{}\") commands=\"{}\" ;;\n", path, fmt::join(next, " "));
  }
  return fmt::format(
      "# Completion of resflow for bash.\n"
      "_resflow() {{\n"
      "  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} path= options= commands= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$path:${{COMP_WORDS[i]}}\" in\n{}    esac\n"
      "  done\n"
      "  case \"$path:$prev\" in\n{}  esac\n"
      "  case \"$path\" in\n{}  esac\n"
      "  case \"$path\" in\n{}  esac\n"
      "  case $cur in\n"
      "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
      "    *) [ -z \"$commands\" ] || COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\")) ;;\n"
      "  esac\n"
      "}}\n"
      "complete -o bashdefault -o default -F _resflow resflow\n",
      names, values, options, commands);
}

// The characters that _arguments and _describe take for their own.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_function(const CompletedCommand& command, const std::vector<CompletedCommand>& all) {
  const auto name = [](const CompletedCommand& c) {
    std::string text = "_resflow";
    for (const std::string& word : c.path) text += "_" + word;
    return text;
  };
  std::string arguments;
  for (const CompletedOption& option : command.options) {
    std::string spec = fmt::format("--{}[{}]", option.name, zsh_text(option.help));
    if (!option.values.empty())
      spec += fmt::format(":{}:({})", option.name, fmt::join(option.values, " "));
    else if (option.takes_value)
      spec += fmt::format(":{}:_files", option.name);
    arguments += fmt::format("    {} \\\n", in_quotes(spec));
  }
  if (!command.has_commands)
    return fmt::format("{}() {{\n  _arguments \\\n{}    '*:file:_files'\n}}\n", name(command), arguments);
  std::string commands, cases;
  for (const CompletedCommand* other : below(command, all)) {
    commands += fmt::format("    {}\n", in_quotes(zsh_text(other->path.back()) + ":" + zsh_text(other->help)));
    cases += fmt::format("      {}) {} ;;\n", other->path.back(), name(*other));
  }
  return fmt::format(
      "{}() {{\n  local state line\n  local -a commands=(\n{}  )\n"
      "  _arguments -C \\\n{}    '1: :->command' '*:: :->rest'\n"
      "  case $state in\n    command) _describe command commands ;;\n    rest) case $line[1] in\n{}    esac ;;\n  "
      "esac\n}}\n",
      name(command), commands, arguments, cases);
}

std::string zsh(const std::vector<CompletedCommand>& all) {
  std::string out = "#compdef resflow\n# Completion of resflow for zsh.\n";
  for (const CompletedCommand& command : all) out += zsh_function(command, all);
  return out + "if [ \"$funcstack[1]\" = _resflow ]; then _resflow \"$@\"; else compdef _resflow resflow; fi\n";
}

std::string fish(const std::vector<CompletedCommand>& all) {
  std::string out =
      "# Completion of resflow for fish.\n"
      "function __resflow_at\n"
      "  set -l words (string match -v -- '-*' (commandline -opc)[2..])\n"
      "  set -l count (count $argv)\n"
      "  test (count $words) -ge $count; and test \"$words[1..$count]\" = \"$argv\"\n"
      "end\n"
      "function __resflow_wants\n"
      "  set -l words (string match -v -- '-*' (commandline -opc)[2..])\n"
      "  test \"$words\" = \"$argv\"\n"
      "end\n";
  for (const CompletedCommand& command : all) {
    const std::string path = fmt::format("{}", fmt::join(command.path, " "));
    for (const CompletedCommand* other : below(command, all))
      out += fmt::format("complete -c resflow -n '__resflow_wants {}' -f -a {} -d {}\n", path, other->path.back(),
                         in_quotes(other->help));
    if (command.has_commands && command.path.empty()) continue;
    for (const CompletedOption& option : command.options) {
      out += fmt::format("complete -c resflow -n '__resflow_at {}' -l {} -d {}", path, option.name,
                         in_quotes(option.help));
      if (!option.values.empty())
        out += fmt::format(" -x -a {}", in_quotes(fmt::format("{}", fmt::join(option.values, " "))));
      else if (option.takes_value)
        out += " -r -F";
      out += '\n';
    }
  }
  return out;
}

}  // namespace

std::string completions(const CLI::App& app, const std::string& shell) {
  std::vector<CompletedCommand> all;
  add(app, {}, all);
  if (shell == "bash") return bash(all);
  if (shell == "zsh") return zsh(all);
  if (shell == "fish") return fish(all);
  throw usage_error("--completion {}: wanted bash, zsh or fish", shell);
}

}  // namespace resflow
