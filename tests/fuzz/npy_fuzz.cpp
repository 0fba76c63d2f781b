// Headers of .npy: nothing, or what our writer makes of it is the same header.
#include "io/formats/npy_file.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

void run(std::span<const uint8_t> bytes) {
  const std::string_view header(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto shape = parse_npy_header(header);
  if (!shape) return;
  if (shape->rows < 0 || (shape->columns && *shape->columns < 0)) finding("a shape that cannot be");
  if (shape->descr.size() > 16) finding("a type that is too long");
  if (npy_header(shape->descr, shape->rows, shape->columns) != header.substr(0, kNpyHeaderBytes))
    finding("the header changed");
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
