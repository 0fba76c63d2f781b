// resflow: one program, one subcommand a file. Exit codes: 0 done, 2 usage, 3 bad data, 4 the machine's fault or
// ours; each failure is one sentence on standard error.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <filesystem>
#include <map>
#include <new>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "apps/commands.h"
#include "apps/host/console.h"
#include "apps/host/denormals.h"
#include "apps/host/signals.h"
#include "apps/host/stream.h"
#include "apps/host/terminal_listener.h"
#include "apps/machine/versions.h"
#include "apps/manual/mistyped.h"
#include "io/core/error.h"

namespace resflow {
namespace {

struct Subcommand {
  const char* name;
  const char* summary;
  Action (*add)(CLI::App&);
  // Runs networks. Others read and write values, of which none may become another.
  bool computes = false;
};

constexpr Subcommand kSubcommands[] = {
    {"train", "Train a ResNet on photographs in class folders", add_train, true},
    {"score", "Say what photographs show, one row a file", add_score, true},
    {"merge", "Put the outputs of scored shards together", add_merge},
    {"evaluate", "Say how good a model is on labelled photographs, and where it is wrong", add_evaluate, true},
    {"quantize", "Learn from photographs how to score a model in 8 bits", add_quantize, true},
    {"inspect", "Show what a model or a file of weights is, or how two files differ", add_inspect},
    {"weights", "List torchvision's pretrained weights, and where they are on this machine", add_weights},
    {"convert", "Write a file of weights in another format", add_convert},
    {"stats", "Say what is in a folder of photographs, and what is wrong with it", add_stats},
    {"split", "Split class folders into training and validation data", add_split},
    {"preview", "Draw a batch of pictures as the network sees it", add_preview},
    {"pack", "Put a folder of photographs into one file that is read in order", add_pack},
    {"bench", "Measure loading, training or scoring on this machine, and say what holds them back", add_bench, true},
    {"demo", "Draw a small data set, train on it, score it", add_demo, true},
    {"help", "Show the help of a command; write manual pages and completions", add_help},
};

constexpr int kUsageExit = 2, kOwnFaultExit = 4;

int fail(int exit_code, const std::string& sentence) {
  complain(sentence);
  return exit_code;
}

int run(int argc, char** argv) {
  CLI::App app("Trains and runs image classifiers (ResNets) on CPUs.", "resflow");
  // Asked of the words themselves: the version is shown before other options are read.
  const bool as_json =
      std::any_of(argv, argv + argc, [](const char* word) { return std::string_view(word) == "--json"; });
  CLI::Option* version = app.set_version_flag("--version", as_json ? version_json : version_text,
                                              "Print this version and those of the libraries, and the CPU, and exit");
  app.add_flag_function(
         "--json", [](int64_t) {}, "with --version: as JSON, for a report of a fault")
      ->needs(version);
  app.require_subcommand(1);
  app.footer("Example:\n  resflow demo\n  resflow train photos --out run\n  resflow COMMAND --help");
  std::map<const CLI::App*, Action> actions;
  std::set<const CLI::App*> computing;
  for (const Subcommand& s : kSubcommands) {
    CLI::App* command = app.add_subcommand(s.name, s.summary);
    actions[command] = s.add(*command);
    if (s.computes) computing.insert(command);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // --help, --version
    std::ostringstream text;
    const int code = app.exit(e, text, text);
    print_text(text.str());
    return code;
  } catch (const CLI::ParseError& e) {
    return fail(kUsageExit, parse_failure(app, e));
  }
  const CLI::App* command = app.get_subcommands().front();
  if (computing.contains(command)) flush_denormals();  // before any thread is made
  return actions.at(command)();
}

// As run(), with every failure as its sentence and exit code.
int run_or_fail(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& e) {
    return fail(e.exit_code(), with_option_names(e.marked()));
  } catch (const std::bad_alloc&) {
    complain_without_memory("out of memory: try a smaller --batch or --image-size");
    return kOwnFaultExit;
  } catch (const std::filesystem::filesystem_error& e) {  // the machine's: a current folder that does not answer, say
    return fail(kOwnFaultExit, fmt::format("{}: {}", e.path1().string(), e.code().message()));
  } catch (const std::exception& e) {
    return fail(kOwnFaultExit, std::string("internal fault: ") + e.what());
  }
}

}  // namespace
}  // namespace resflow

int main(int argc, char** argv) {
  // Before any file is opened, which would get the number of one that is closed.
  if (!resflow::reserve_standard_streams())
    return resflow::fail(resflow::kOwnFaultExit,
                         "standard input, output or error is closed, and there is no /dev/null to stand for it");
  resflow::ignore_write_signals();
  resflow::end_cleanly_without_memory(resflow::kOwnFaultExit);
  try {
    return resflow::conclude_output(resflow::run_or_fail(argc, argv));
  } catch (...) {  // no memory even to say what went wrong
    resflow::complain_without_memory("out of memory");
    return resflow::kOwnFaultExit;
  }
}
