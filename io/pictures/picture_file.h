// Files of pictures as they are read before decoding: a large one not before its beginning was looked at.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/files/file.h"
#include "io/images/decode.h"
#include "io/pack/format.h"

namespace resflow {

// More bytes than this no file, member of an archive or record of a pack may have.
inline constexpr int64_t kMaxPictureBytes = int64_t{pack_format::kMaxPicture};
// Of a file of more than this the beginning is looked at first.
inline constexpr int64_t kLookFirstBytes = int64_t{16} << 20;

struct PictureReading {
  int64_t max_pixels = kMaxPixels;
  // Called before a file of more than kLargeBytes is read: the time to take a MemoryShare (io/images/memory_share.h).
  std::function<void()> before_large = {};
  FileSystem* files = &machine_files();  // but for packs, which are read by the one that they were opened with
};

// Reads the whole file to the start of `buffer`, which only grows, and returns that part of it. One that begins as no
// picture that resflow reads, or as one of too many pixels, is not read where it is large. Throws as InputFile does,
// and Error{kData} that begins with the path for such a file and for one of more than kMaxPictureBytes; std::bad_alloc.
std::span<const uint8_t> read_picture_file(const std::string& path, std::vector<uint8_t>& buffer,
                                           const PictureReading& reading = {});

// Throws Error{kData}, without a name, where a file called `name` that begins with these bytes is no picture that
// resflow reads, or one of more than `max_pixels`, as far as that can be told from them. Some 64 KiB tell it of most.
void check_beginning(std::span<const uint8_t> beginning, std::string_view name, int64_t max_pixels);

}  // namespace resflow
