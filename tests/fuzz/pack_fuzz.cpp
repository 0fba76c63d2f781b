// Packs: a file is refused as bad data, or its pictures are read, in order and by its index; damage is bad data, too.
// The mutator makes the checksums right again.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "io/pack/format.h"
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

using namespace pack_format;

template <class T>
T read_at(std::span<const uint8_t> file, size_t at) {
  T value{};
  std::memcpy(&value, file.data() + at, sizeof value);
  return value;
}

// False where no chunk begins there that lies whole in the file.
bool repair_chunk(std::span<uint8_t> file, size_t at) {
  auto chunk = read_at<Chunk>(file, at);
  if (chunk.mark != Mark::kRecord && chunk.mark != Mark::kIndex && chunk.mark != Mark::kDirectory) return false;
  const std::span<const uint8_t> rest = file.subspan(at + sizeof chunk);
  if (chunk.bytes > rest.size()) return false;
  const auto payload = rest.first(chunk.bytes);
  size_t name = 0;
  if (chunk.mark == Mark::kRecord) {
    name = chunk.count = static_cast<uint32_t>(std::min<uint64_t>(chunk.count, chunk.bytes));
    chunk.name_hash = name_hash({reinterpret_cast<const char*>(payload.data()), name});
  }
  chunk.payload = checksum(payload.data() + name, payload.size() - name);
  chunk.checksum = head_checksum(chunk, at);
  put(file, at, chunk);
  return true;
}

void repair(std::span<uint8_t> file) {
  if (file.size() < sizeof(Header)) return;
  auto header = read_at<Header>(file, 0);
  header.file_bytes = file.size() / 8 * 8;
  header.class_bytes = static_cast<uint32_t>(std::min<size_t>(header.class_bytes, file.size() - sizeof header));
  header.class_checksum = checksum(file.data() + sizeof header, header.class_bytes);
  header.checksum = head_checksum(header);
  put(file, 0, header);
  size_t at = padded(sizeof header + header.class_bytes);
  while (at + sizeof(Chunk) <= file.size())
    at += repair_chunk(file, at) ? padded(sizeof(Chunk) + read_at<Chunk>(file, at).bytes) : 8;
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
