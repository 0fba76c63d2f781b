// Options from a TOML file: wrong usage, or each option has what it can take.
#include "apps/options/config_file.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

void run(std::span<const uint8_t> bytes) {
  static MemoryFile input;
  input.set(bytes.data(), bytes.size());
  CLI::App command("a command", "train");
  std::string data, model;
  int batch = 1;
  double rate = 0;
  bool exif = false;
  std::vector<std::string> freeze;
  command.add_option("DATA", data);
  command.add_option("--model", model);
  command.add_option("--batch", batch)->check(CLI::Range(1, 1000));
  command.add_option("--lr", rate);
  command.add_flag("--exif", exif);
  command.add_option("--freeze", freeze)->delimiter(',');
  const bool taken = accepts([&] { apply_config(command, input.path()); }, ErrorKind::kUsage);
  if (taken && (batch < 1 || batch > 1000)) finding("a value beyond its limits");
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
