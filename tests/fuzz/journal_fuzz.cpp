// Journals of a scoring: bad data, or taken, and then they come back from our writer as they were.
#include "apps/score/journal.h"

#include <cstdint>
#include <span>
#include <string>

#include "tests/fuzz/fuzz_file.h"
#include "tests/fuzz/memory_disk.h"

namespace resflow::fuzzing {
namespace {

void run(std::span<const uint8_t> bytes) {
  static MemoryFile input;
  static MemoryDisk disk;
  input.set(bytes.data(), bytes.size());
  accepts([&] {
    const auto read = load_journal(input.path());
    if (!read) finding("a file that is there is said not to be");
    save_journal(*read, "out", disk);
    const auto again = load_journal(disk.path());
    if (!again || again->rows != read->rows || again->failed != read->failed || again->complete != read->complete ||
        again->place.last != read->place.last || again->place.names != read->place.names ||
        again->missing.size() != read->missing.size() || again->files.size() != read->files.size() ||
        again->executors != read->executors)
      finding("the journal changed");
    for (size_t i = 0; i < read->files.size(); ++i)
      if (again->files[i].path != read->files[i].path || again->files[i].bytes != read->files[i].bytes)
        finding("a file of the journal changed");
  });
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
