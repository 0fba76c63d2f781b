// resflow help: a command's help; manual pages and completions for shells.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include "apps/commands.h"
#include "apps/host/console.h"
#include "apps/machine/versions.h"
#include "apps/manual/commands_of.h"
#include "apps/manual/completions.h"
#include "apps/manual/man_page.h"
#include "apps/manual/nearest.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/file.h"

namespace resflow {
namespace {

struct HelpOptions {
  std::vector<std::string> words;
  std::string man, shell;
};

// What `words` name: none the program itself, two the command of a command.
const CLI::App& find_command(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  for (const std::string& word : words) {
    const CLI::App* found = nullptr;
    std::vector<std::string> names;
    for (const CLI::App* below : commands_of(*command)) {
      names.push_back(below->get_name());
      if (names.back() == word) found = below;
    }
    if (found == nullptr) {
      const std::string near = nearest(word, names);
      throw usage_error("there is no command {}{} (see resflow --help)", word,
                        near.empty() ? "" : ": did you mean " + near + "?");
    }
    command = found;
  }
  return *command;
}

// Of `command` and all below it.
int write_pages(const CLI::App& command, const std::string& name, const std::string& folder) {
  std::string file = name;
  std::ranges::replace(file, ' ', '-');
  replace_text_file(folder + "/" + file + ".1", man_page(command, name, "resflow " + resflow_version()));
  int written = 1;
  for (const CLI::App* below : commands_of(command))
    written += write_pages(*below, name + " " + below->get_name(), folder);
  return written;
}

int show(const CLI::App& app, const HelpOptions& o) {
  if (!o.shell.empty()) {
    print_data(completions(app, o.shell));
    return 0;
  }
  if (!o.man.empty()) {
    std::filesystem::create_directories(o.man);
    const int pages = write_pages(app, app.get_name(), o.man);
    print_error_line(fmt::format("wrote {} into {}", plural(pages, "page", "pages"), o.man));
    return 0;
  }
  std::string name = app.get_name();
  for (size_t i = 0; i + 1 < o.words.size(); ++i) name += " " + o.words[i];
  const CLI::App& command = find_command(app, o.words);
  if (!o.words.empty()) name += " " + o.words.back();
  print_text(app.get_formatter()->make_help(&command, name, CLI::AppFormatMode::Normal));
  return 0;
}

}  // namespace

Action add_help(CLI::App& command) {
  auto options = std::make_shared<HelpOptions>();
  CLI::Option* words = command.add_option("COMMAND", options->words, "the command, like train, or bench load");
  CLI::Option* man =
      command.add_option("--man", options->man, "write all manual pages into this folder")->excludes(words);
  command.add_option("--completion", options->shell, "print the completions of bash, zsh or fish")
      ->excludes(words)
      ->excludes(man);
  command.footer(
      "Example:\n"
      "  resflow help train\n"
      "  resflow help --man ~/.local/share/man/man1\n"
      "  resflow help --completion bash > ~/.local/share/bash-completion/completions/resflow");
  return [options, &command] { return show(*command.get_parent(), *options); };
}

}  // namespace resflow
