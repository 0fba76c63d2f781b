// What lies beside the output of a shard: bad data, or rows in ascending places. The mutator makes the length of the
// footer right again.
#include "apps/score/shard_file.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "tests/fuzz/fuzz_file.h"

namespace resflow::fuzzing {
namespace {

void run(std::span<const uint8_t> bytes) {
  static MemoryFile input;
  input.set(bytes.data(), bytes.size());
  accepts([&] {
    ShardFile shard(input.path());
    int64_t rows = 0, last = -1;
    while (const auto row = shard.next()) {
      if (++rows > static_cast<int64_t>(bytes.size())) finding("more rows than bytes");
      if (row->index < 0 || (!shard.unordered() && row->index <= last)) finding("a row at a place that cannot be");
      last = row->index;
    }
    if (rows != shard.footer().rows) finding("another count of rows than the footer says");
  });
}

// The footer is JSON, from its first brace on.
void repair(std::span<uint8_t> file) {
  const auto brace = std::find(file.begin(), file.end(), uint8_t{'{'});
  if (file.size() < 16 || file.end() - brace < 16) return;
  const auto length = static_cast<uint64_t>(file.end() - brace) - 16;
  put(file, file.size() - 16, length);
  std::memcpy(file.data() + file.size() - 8, "rfshard1", 7);
}

}  // namespace
}  // namespace resflow::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  resflow::fuzzing::run({data, size});
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return resflow::fuzzing::mutate_and_repair(data, size, max_size, seed, 8, resflow::fuzzing::repair);
}
