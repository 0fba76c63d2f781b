// Checkpoints: a file is refused as bad data, or taken, and then comes back from our writer.
//
// The mutator makes the checksums right again after most changes: what a wrong one hides would never be read.
#include "io/checkpoint/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "io/checkpoint/file.h"
#include "tests/fuzz/fuzz_file.h"
#include "tests/fuzz/memory_disk.h"

namespace resflow::fuzzing {
namespace {

// Of the header (docs/checkpoint.md).
constexpr size_t kManifestBytes = 16, kManifestChecksum = 24, kFileBytes = 32, kChecksum = 56, kHeader = 64;

uint64_t field(std::span<const uint8_t> file, size_t at) {
  uint64_t value = 0;
  std::memcpy(&value, file.data() + at, sizeof value);
  return value;
}

void repair_header(std::span<uint8_t> file) {
  put<uint64_t>(file, kFileBytes, file.size());
  const uint64_t manifest = std::min<uint64_t>(field(file, kManifestBytes), file.size() - kHeader);
  put<uint64_t>(file, kManifestBytes, manifest);
  put<uint64_t>(file, kManifestChecksum, checkpoint_checksum(file.subspan(kHeader, manifest)));
  put<uint64_t>(file, kChecksum, checkpoint_checksum(file.first(kChecksum)));
}

// Of those tensors that lie in the file.
void repair_values(std::vector<uint8_t>& file) {
  const uint64_t length = field(file, kManifestBytes);
  proto::Manifest manifest;
  if (!manifest.ParseFromArray(file.data() + kHeader, static_cast<int>(length))) return;
  const std::vector<uint8_t> values(
      file.begin() + static_cast<std::ptrdiff_t>(std::min<uint64_t>(file.size(), aligned(kHeader + length))),
      file.end());
  for (auto* entries : {manifest.mutable_parameters(), manifest.mutable_optimizer()}) {
    for (auto& entry : *entries) {
      if (entry.offset() <= values.size() && entry.bytes() <= values.size() - entry.offset())
        entry.set_xxh3(checkpoint_checksum(std::span(values).subspan(entry.offset(), entry.bytes())));
    }
  }
  const std::string text = manifest.SerializeAsString();
  file.resize(kHeader);
  file.insert(file.end(), text.begin(), text.end());
  file.resize(aligned(file.size()));
  file.insert(file.end(), values.begin(), values.end());
  put<uint64_t>(file, kManifestBytes, text.size());
}

void run(std::span<const uint8_t> bytes) {
  static MemoryFile input;
  static MemoryDisk disk;
  input.set(bytes.data(), bytes.size());
  is_checkpoint(input.path());
  const bool listed = accepts([] { read_checkpoint_summary(input.path()); });
  Checkpoint read;
  if (!accepts([&] { read = load_checkpoint(input.path()); })) return;
  if (!listed) finding("its values are taken and its summary is not");
  save_checkpoint(read, "out", 1, disk);
  const Checkpoint again = load_checkpoint(disk.path());
  if (again.model != read.model || again.classes != read.classes) finding("the description changed");
  const auto same = [](const NamedArray& a, const NamedArray& b) { return a.name == b.name && a.array == b.array; };
  if (!std::ranges::equal(again.parameters, read.parameters, same) ||
      !std::ranges::equal(again.optimizer, read.optimizer, same))
    finding("the tensors changed");
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  using namespace resflow::fuzzing;
  size = LLVMFuzzerMutate(data, size, max_size);
  if (size < kHeader || seed % 16 == 0) return size;
  std::vector<uint8_t> file(data, data + size);
  repair_header(file);
  if (seed % 4 != 1) {
    repair_values(file);
    repair_header(file);
  }
  if (file.size() > max_size) return size;
  std::copy(file.begin(), file.end(), data);
  return file.size();
}
