// EXIF data and the first folder of a TIFF: any bytes have an orientation.
#include "io/images/exif.h"

#include <cstdint>
#include <span>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

void run(std::span<const uint8_t> bytes) {
  accepts([&] {
    exif_orientation(bytes);
    tiff_orientation(bytes);
  });
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
