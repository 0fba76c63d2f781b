// Writes a zip file of stored entries, by minizip, as torch.save lays it out: the bytes of every entry start at a
// multiple of 64, by padding in the extra field of its header.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "io/files/file.h"

namespace resflow {

struct ZipContent {
  std::string name;
  std::span<const uint8_t> bytes;
};

// An entry that is made while it is written.
struct ZipStream {
  using Sink = std::function<void(std::span<const uint8_t>)>;
  std::string name;
  uint64_t bytes = 0;
  std::function<void(const Sink& sink)> write;  // gives the sink all of them, piece by piece
};

inline constexpr uint64_t kZipContentAlignment = 64;

// Atomically; entries of any size (zip64). The same contents give the same file. Throws as AtomicFile does.
void write_zip(const std::vector<ZipContent>& contents, const std::string& path, FileSystem& files = machine_files());
void write_zip(const std::vector<ZipStream>& contents, const std::string& path, FileSystem& files = machine_files());

}  // namespace resflow
