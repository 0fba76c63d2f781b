// Packs: a file is refused as bad data, or its pictures are read, in order and by its index; damage is bad data, too.
#include <string>
#include <vector>

#include "io/pack/reader.h"
#include "io/pictures/pack_source.h"
#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

void run(std::span<const uint8_t> bytes) {
  static MemoryFile input;
  input.set(bytes.data(), bytes.size());
  const std::string path = input.path();
  const bool walked = accepts([&] { PackSource source(path); });
  accepts([&] {
    PackSource source(path);
    size_t pictures = 0;
    for (Picture picture; source.next(picture);) {
      // Each that comes takes a place, each that is lost left one.
      if (++pictures > bytes.size() / sizeof(pack_format::Chunk)) finding("more pictures than places for them");
      if (!picture.error.empty() && !picture.bytes.empty()) finding("a broken picture with bytes");
    }
  });
  const bool indexed = accepts([&] {
    const PackReader reader(path);
    if (static_cast<size_t>(reader.size()) > bytes.size() / sizeof(pack_format::Entry)) finding("too many entries");
    std::vector<uint8_t> buffer;
    for (int64_t i = 0; i < reader.size(); ++i) {
      reader.name(i);
      if (accepts([&] { reader.read(i, buffer); }) && reader.bytes(i) > static_cast<int64_t>(bytes.size()))
        finding("a picture larger than its pack");
    }
  });
  if (walked != indexed) finding("in order it is taken, and by its index not");
  if (walked && !is_pack(path)) finding("taken, and not recognised");
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
