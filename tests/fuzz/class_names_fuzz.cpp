// Files of class names: bad data, or names without line ends.
#include "apps/model/class_names.h"

#include <cstdint>
#include <span>
#include <string>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

void run(std::span<const uint8_t> bytes) {
  static MemoryFile input;
  input.set(bytes.data(), bytes.size());
  accepts([&] {
    const auto names = load_class_names(input.path(), silent());
    if (names.empty()) finding("no names");
    for (const std::string& name : names)
      if (name.empty() || name.find('\n') != std::string::npos) finding("a name that cannot be");
  });
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
