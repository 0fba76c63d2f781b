// Zip files: bad data, or entries that lie in the file and apart from each other.
#include "io/formats/zip_archive.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

constexpr uint64_t kMost = 1 << 16;

void run(std::span<const uint8_t> bytes) {
  static MemoryFile input;
  input.set(bytes.data(), bytes.size());
  accepts([&] {
    const ZipArchive archive(input.path());
    for (const ZipEntry& entry : archive.entries()) {
      if (entry.offset > bytes.size() || entry.packed_bytes > bytes.size() - entry.offset)
        finding("an entry beyond the file");
      if (archive.find(entry.name) == nullptr) finding("an entry that is not found");
      if (entry.stored) continue;
      accepts([&] {
        if (archive.read(entry, kMost).size() > kMost) finding("an entry above the limit");
      });
    }
  });
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
