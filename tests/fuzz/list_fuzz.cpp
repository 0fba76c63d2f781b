// Lists of pictures, in each of their forms: bad data, or names and paths without what separates them.
#include "io/pictures/list_source.h"

#include <cstdint>
#include <span>
#include <string>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

void read_list(const std::string& path, bool ids, bool null) {
  ListSource source(path, {.ids = ids, .null = null});
  for (Picture picture; source.next(picture);) {
    if (!ids && picture.path.empty()) finding("an empty entry");
    if (picture.path.find(null ? '\0' : '\n') != std::string::npos) finding("an entry that was not ended");
    if (!ids && picture.name != picture.path) finding("an entry of another name");
  }
}

void run(std::span<const uint8_t> bytes) {
  static MemoryFile input;
  input.set(bytes.data(), bytes.size());
  for (const bool ids : {false, true})
    for (const bool null : {false, true}) accepts([&] { read_list(input.path(), ids, null); });
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
