// XXH3, 64 bits, of xxHash: to tell whether names or files are the same as before. No protection against malice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace resflow {

uint64_t xxh3(std::string_view bytes, uint64_t seed = 0);

// Of a file's bytes, seed 0. Throws as InputFile does (io/files/file.h).
uint64_t xxh3_of_file(const std::string& path);

// Of a sequence of texts, extended by one: the texts so far seed the hash of the next. 0 is that of none.
inline uint64_t xxh3_next(uint64_t so_far, std::string_view text) { return xxh3(text, so_far); }

std::string hex(uint64_t hash);  // 16 digits
// Throws Error{kData} for what hex() does not give.
uint64_t hash_of_hex(std::string_view digits);

}  // namespace resflow
