// The beginning of a pack, which all its readers go by.
#pragma once

#include <cstdint>
#include <string>

#include "io/files/file.h"
#include "io/pack/format.h"
#include "io/pack/writer.h"

namespace resflow {

struct PackHead {
  PackInfo info;
  uint64_t records = 0, directory = 0;
  uint64_t file_bytes = 0;   // as written: a file that was cut off has fewer
  uint64_t first_chunk = 0;  // where it begins
};

// True where the file begins as a pack does. False for anything else, and for a folder or an absent file.
bool is_pack(const std::string& path);

// Throws Error{kData}: no pack, a version that is not read, damaged, or cut off before its first picture.
PackHead read_pack_head(const InputFile& file, const std::string& path);

// True where `chunk`, read at `offset`, has the marks and the checksum of a chunk, and its payload ends within `end`.
bool is_whole(const pack_format::Chunk& chunk, uint64_t offset, uint64_t end);

}  // namespace resflow
