// Archives of any kind: what is none or is damaged is bad data, and its members are called after it.
#include "io/pictures/archive_source.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

constexpr int64_t kMaxFuzzedMember = 1 << 16;

void run(std::span<const uint8_t> bytes) {
  static MemoryFile input;
  input.set(bytes.data(), bytes.size());
  begins_as_archive(bytes.first(std::min<size_t>(bytes.size(), 512)));
  accepts([&] {
    ArchiveSource source(input.path(), kMaxFuzzedMember);
    for (Picture picture; source.next(picture);) {
      if (!picture.name.starts_with(input.path() + "/")) finding("a member that is not called after its archive");
      if (!picture.path.empty()) finding("a member that is said to be a file");
      if (static_cast<int64_t>(picture.bytes.size()) > kMaxFuzzedMember) finding("a member above the limit");
    }
  });
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
