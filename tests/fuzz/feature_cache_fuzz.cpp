// Feature caches: whatever lies at the path, rows that are taken are whole ones, the others are made anew, and then all
// are there. The mutator makes the checksums right again.
#include "io/files/feature_cache.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "io/files/xxh3.h"
#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

constexpr int64_t kRows = 5, kColumns = 3;
// Of the header and of a block's head (docs/feature-cache.md).
constexpr size_t kHeader = 128, kHeaderChecksum = 120, kHead = 32, kRowsOfBlock = 8, kReasons = 12, kPayload = 16,
                 kHeadChecksum = 24;

FeatureCacheKey key() { return {.key = std::string(64, 'a'), .rows = kRows, .columns = kColumns}; }

void run(std::span<const uint8_t> bytes) {
  // A file of its own name: one without is not written to.
  static const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("fuzz-features-{}", ::getpid())).string();
  {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  accepts([&] {
    std::vector<BrokenRow> broken;
    Array values;
    {
      FeatureCache cache(path, key());
      if (cache.done() < 0 || cache.done() > kRows) finding("rows that there cannot be");
      for (const BrokenRow& row : cache.broken())
        if (row.row < 0 || row.row >= cache.done()) finding("a broken row that is none of the file's");
      if (const int64_t left = kRows - cache.done(); left > 0)
        cache.append(left, std::vector<float>(static_cast<size_t>(left * kColumns), 0.5F), {});
      broken = cache.broken();
      values = cache.values();
    }
    const FeatureCache again(path, key());
    if (!again.complete()) finding("what was appended is not there");
    if (again.broken() != broken) finding("the broken rows changed");
    if (!(again.values() == values)) finding("the values changed");
  });
}

template <class T>
T field(std::span<const uint8_t> bytes, size_t at) {
  T value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

void set_checksum(std::span<uint8_t> bytes, size_t at, std::span<const uint8_t> of) {
  put(bytes, at, xxh3({reinterpret_cast<const char*>(of.data()), of.size()}));
}

void repair(std::span<uint8_t> file) {
  if (file.size() < kHeader) return;
  set_checksum(file, kHeaderChecksum, file.first(kHeaderChecksum));
  for (size_t at = kHeader; file.size() - at >= kHead;) {
    const auto block = file.subspan(at);
    const uint64_t rows = field<uint32_t>(block, kRowsOfBlock), reasons = field<uint32_t>(block, kReasons);
    const auto padded = [](uint64_t count) { return (count + 7) / 8 * 8; };
    const uint64_t payload = padded(rows) + rows * kColumns * sizeof(float) + padded(reasons);
    if (payload > block.size() - kHead) {
      set_checksum(block, kHeadChecksum, block.first(kHeadChecksum));
      return;
    }
    set_checksum(block, kPayload, block.subspan(kHead, payload));
    set_checksum(block, kHeadChecksum, block.first(kHeadChecksum));
    at += kHead + payload;
  }
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return resflow::fuzzing::mutate_and_repair(data, size, max_size, seed, 16, resflow::fuzzing::repair);
}
