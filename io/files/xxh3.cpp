#include "io/files/xxh3.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/files/file.h"

namespace resflow {

uint64_t xxh3(std::string_view bytes, uint64_t seed) { return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed); }

uint64_t xxh3_of_file(const std::string& path) {
  constexpr int64_t kPiece = int64_t{1} << 20;
  const InputFile file(path);
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(), XXH3_freeState);
  if (state == nullptr || XXH3_64bits_reset(state.get()) != XXH_OK) throw system_error("{}: out of memory", path);
  std::vector<uint8_t> buffer(static_cast<size_t>(std::min(kPiece, file.size())));
  for (int64_t at = 0; at < file.size(); at += kPiece) {
    const auto piece = std::span(buffer).first(static_cast<size_t>(std::min(kPiece, file.size() - at)));
    file.read(at, piece);
    XXH3_64bits_update(state.get(), piece.data(), piece.size());
  }
  return XXH3_64bits_digest(state.get());
}

std::string hex(uint64_t hash) { return fmt::format("{:016x}", hash); }

uint64_t hash_of_hex(std::string_view digits) {
  uint64_t hash = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), hash, 16);
  if (error != std::errc() || end != digits.data() + digits.size() || hex(hash) != digits)
    throw data_error("\"{}\" is no hash: wanted 16 hexadecimal digits", printable(digits));
  return hash;
}

}  // namespace resflow
