// safetensors: a file is refused as bad data, or taken, and then comes back from our writer as it was.
#include "io/weights/safetensors.h"

#include "tests/fuzz/fuzz_file.h"
#include "tests/fuzz/memory_disk.h"

namespace resflow::fuzzing {
namespace {

void expect_same(const Safetensors& read, const Safetensors& again) {
  if (read.summary.metadata != again.summary.metadata) finding("the metadata changed");
  if (read.tensors.size() != again.tensors.size()) finding("the count of tensors changed");
  for (size_t i = 0; i < read.tensors.size(); ++i) {
    const NamedArray &a = read.tensors[i], &b = again.tensors[i];
    if (a.name != b.name || !(a.array == b.array)) finding(a.name + " changed");
    const TensorEntry& listed = read.summary.tensors[i];
    if (listed.name != a.name || listed.dtype != a.array.dtype() || listed.dims != a.array.dims())
      finding(a.name + " is not as listed");
  }
}

void run(std::span<const uint8_t> bytes) {
  static MemoryFile input;
  static MemoryDisk disk;
  input.set(bytes.data(), bytes.size());
  is_safetensors(input.path());
  const bool listed = accepts([] { read_safetensors_summary(input.path()); });
  Safetensors read;
  const bool taken = accepts([&] { read = read_safetensors(input.path()); });
  if (listed != taken) finding("its summary is taken and its values are not");
  if (!taken) return;
  if (!is_safetensors(input.path())) finding("taken, and not recognised");
  write_safetensors(read.tensors, read.summary.metadata, "out", disk);
  expect_same(read, read_safetensors(disk.path()));
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}
