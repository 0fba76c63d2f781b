// What io/pack/writer.h writes and io/pack/reader.h reads, byte for byte: docs/pack.md.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "io/files/xxh3.h"

namespace resflow::pack_format {

static_assert(std::endian::native == std::endian::little, "the format is little-endian, and is written as it lies");

inline constexpr std::array<uint8_t, 12> kMagic = {0x89, 'r', 'e', 's', 'p', 'a', 'c', 'k', '\r', '\n', 0x1A, '\n'};
inline constexpr uint32_t kVersion = 1;
inline constexpr uint32_t kMaxName = 65535;                 // bytes
inline constexpr uint64_t kMaxPicture = uint64_t{1} << 30;  // bytes; a larger record is not read
inline constexpr uint32_t kBlockRecords = 16384;            // most records of an index block

struct Header {
  std::array<uint8_t, 12> magic;
  uint32_t version;
  uint64_t records;
  uint64_t directory;    // where the last chunk begins
  uint64_t file_bytes;   // of all of it
  uint32_t classes;      // how many
  uint32_t short_side;   // pictures were shrunk to at most this; 0: they are the original files
  uint32_t quality;      // of the JPEGs made then
  uint32_t class_bytes;  // of the names that follow this header: each its length (u32) and the bytes
  uint64_t class_checksum;
  std::array<uint64_t, 7> zeros;
  uint64_t checksum;  // of all before it
};
static_assert(sizeof(Header) == 128 && offsetof(Header, checksum) == 120);

// What every chunk begins with. Its payload follows, then zeros up to a multiple of 8.
enum class Mark : uint32_t {
  kRecord = 0x526B7072,     // "rpkR": payload is the name, then the data
  kIndex = 0x496B7072,      // "rpkI": entries, then their names
  kDirectory = 0x456B7072,  // "rpkE": where each index block begins; the last chunk
};

struct Chunk {
  Mark mark;
  uint32_t count;      // record: bytes of the name; index: entries; directory: index blocks
  uint64_t bytes;      // of the payload
  uint64_t number;     // record: its own, from 0; index: of its first record; directory: records in all
  int32_t label;       // record: class, -1 where there is none; else 0
  uint32_t name_hash;  // record: low half of the name's checksum; else 0
  uint64_t payload;    // checksum of the payload; of a record without the name
  uint64_t checksum;   // of all before it, seeded by the offset of the chunk
};
static_assert(sizeof(Chunk) == 48 && offsetof(Chunk, checksum) == 40);

struct Entry {
  uint64_t offset;  // of the record's chunk
  uint64_t bytes;   // of its payload
  uint64_t payload;
  int32_t label;
  uint32_t name_bytes;
};
static_assert(sizeof(Entry) == 32);

constexpr uint64_t padded(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

inline uint64_t checksum(const void* bytes, size_t count, uint64_t seed = 0) {
  return xxh3({static_cast<const char*>(bytes), count}, seed);
}

inline uint64_t head_checksum(const Header& header) { return checksum(&header, offsetof(Header, checksum)); }

// Seeded by the chunk's place: bytes within a picture that only look like a chunk then have another checksum.
inline uint64_t head_checksum(const Chunk& chunk, uint64_t offset) {
  return checksum(&chunk, offsetof(Chunk, checksum), offset);
}

inline uint32_t name_hash(std::string_view name) { return static_cast<uint32_t>(xxh3(name)); }

}  // namespace resflow::pack_format
