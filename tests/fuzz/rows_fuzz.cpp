// A file from its begin to its end, by rows: they are the file again, one after the other.
#include "io/files/sequential_file.h"

#include <cstdint>
#include <span>
#include <string>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

void run(std::span<const uint8_t> bytes) {
  static MemoryFile input;
  input.set(bytes.data(), bytes.size());
  const std::string text(bytes.begin(), bytes.end());
  for (const bool quoted : {false, true}) {
    std::string read;
    const bool taken = accepts([&] {
      SequentialFile file(input.path());
      while (const auto row = file.next_row(quoted)) {
        if (row->empty()) finding("a row of no bytes");
        if (!quoted && row->find('\n') < row->size() - 1) finding("a row that goes on behind its end");
        read += *row;
      }
    });
    if (taken ? read != text : !text.starts_with(read)) finding("the rows are not the file");
  }
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
