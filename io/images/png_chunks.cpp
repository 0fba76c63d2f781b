#include "io/images/png_chunks.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/images/png.h"

namespace resflow {
namespace {

constexpr size_t kSignatureBytes = 8, kHeaderBytes = 13;

uint32_t big_endian(const uint8_t* p) {
  return static_cast<uint32_t>(p[0]) << 24 | static_cast<uint32_t>(p[1]) << 16 | static_cast<uint32_t>(p[2]) << 8 |
         p[3];
}

struct PngChunk {
  std::string name;                  // empty: the file ends here
  bool named_well = false;           // letters, digits and underscores only
  uint32_t length = 0;               // as stated
  std::span<const uint8_t> content;  // shorter where the file ends
  bool whole = false;                // with its checksum
  bool intact = false;               // whole, and the checksum fits
};

// Takes the chunk at the start of `rest` off it.
PngChunk next_chunk(std::span<const uint8_t>& rest, bool verify) {
  PngChunk chunk;
  if (rest.size() < 8) {
    rest = {};
    return chunk;
  }
  chunk.length = big_endian(rest.data());
  chunk.name.assign(rest.begin() + 4, rest.begin() + 8);
  chunk.named_well = std::all_of(chunk.name.begin(), chunk.name.end(),
                                 [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
  const size_t there = std::min<size_t>(rest.size() - 8, chunk.length);
  chunk.content = rest.subspan(8, there);
  chunk.whole = rest.size() - 8 - there >= 4;
  if (chunk.whole && verify) {
    const uLong sum = crc32_z(0, rest.data() + 4, there + 4);
    chunk.intact = sum == big_endian(rest.data() + 8 + there);
  }
  rest = rest.subspan(8 + there + (chunk.whole ? 4 : rest.size() - 8 - there));
  return chunk;
}

void read_header(const PngChunk& chunk, PngChunks& png) {
  if (chunk.content.size() < kHeaderBytes) throw data_error("broken PNG: its header is {} bytes", chunk.content.size());
  png.header = chunk.content.first(kHeaderBytes);
  png.width = big_endian(png.header.data());
  png.height = big_endian(png.header.data() + 4);
  constexpr uint32_t kMax = 0x7FFFFFFF;
  if (png.width == 0 || png.height == 0 || png.width > kMax || png.height > kMax)
    throw data_error("broken PNG: its header says {}x{} pixels", png.width, png.height);
}

}  // namespace

PngChunks read_png_chunks(std::span<const uint8_t> bytes) {
  PngChunks png;
  std::span<const uint8_t> rest = bytes.subspan(kSignatureBytes);
  while (true) {
    const std::span<const uint8_t> from_here = rest;
    const PngChunk chunk = next_chunk(rest, true);
    if (chunk.name == "IDAT") {
      rest = from_here;
      break;
    }
    if (chunk.name.empty() || chunk.content.size() < chunk.length)
      throw data_error("truncated PNG: its {} bytes end before the pixels", bytes.size());
    if (!chunk.named_well || chunk.name == "IEND") throw data_error("broken PNG: no pixels follow its header");
    if (!chunk.intact) throw data_error("broken PNG: the checksum of its chunk {} differs", chunk.name);
    if (chunk.name == "IHDR") read_header(chunk, png);
    if (chunk.name == "PLTE") png.palette = chunk.content;
  }
  if (png.header.empty()) throw data_error("broken PNG: it has no header");

  bool in_pixels = true;
  while (true) {
    const PngChunk chunk = next_chunk(rest, false);
    in_pixels &= chunk.name == "IDAT";
    if (in_pixels) {
      png.pixels.push_back(chunk.content);
      continue;
    }
    if (chunk.name.empty() || !chunk.named_well || chunk.name == "IEND") return png;
    if (chunk.content.size() < chunk.length)
      throw data_error("truncated PNG: its {} bytes end within the chunk {}", bytes.size(), chunk.name);
  }
}

// Neither names nor checksums are looked at: that is read_png_chunks's business.
std::span<const uint8_t> png_exif(std::span<const uint8_t> png) {
  std::span<const uint8_t> exif;
  size_t at = kSignatureBytes;
  while (at <= png.size() && png.size() - at >= 12) {
    const size_t length = big_endian(&png[at]);
    if (length > png.size() - at - 12 || begins_with(png, "IEND", at + 4)) break;
    if (begins_with(png, "eXIf", at + 4)) exif = png.subspan(at + 8, length);
    at += 12 + length;
  }
  return exif;
}

namespace {

// What a text is compressed to; empty where that is damaged or larger than a text may be.
std::string inflated(std::span<const uint8_t> bytes) {
  constexpr size_t kMost = size_t{1} << 20;
  std::string text(kMost, '\0');
  uLongf count = kMost;
  if (::uncompress(reinterpret_cast<Bytef*>(text.data()), &count, bytes.data(), bytes.size()) != Z_OK) return {};
  text.resize(count);
  return text;
}

// Takes what stands before the next zero byte off `bytes`; false where there is none.
bool take_word(std::span<const uint8_t>& bytes, std::string_view& word) {
  const auto zero = std::find(bytes.begin(), bytes.end(), uint8_t{0});
  if (zero == bytes.end()) return false;
  const auto count = static_cast<size_t>(zero - bytes.begin());
  word = {reinterpret_cast<const char*>(bytes.data()), count};
  bytes = bytes.subspan(count + 1);
  return true;
}

// The text of a chunk of this kind, if it is called `key`.
std::optional<std::string> text_called(std::string_view key, std::span<const uint8_t> content, std::string_view kind) {
  std::string_view name, unused;
  if (!take_word(content, name) || name != key) return std::nullopt;
  bool compressed = kind == "zTXt";
  if (kind == "iTXt") {
    if (content.size() < 2 || (content[0] != 0 && content[1] != 0)) return std::nullopt;
    compressed = content[0] != 0;
    content = content.subspan(2);
    if (!take_word(content, unused) || !take_word(content, unused)) return std::nullopt;  // language, translated name
  } else if (compressed) {
    if (content.empty() || content[0] != 0) return std::nullopt;
    content = content.subspan(1);
  }
  if (compressed) return inflated(content);
  return std::string(reinterpret_cast<const char*>(content.data()), content.size());
}

}  // namespace

std::string png_text(std::span<const uint8_t> png, std::string_view key) {
  std::string text;
  size_t at = kSignatureBytes;
  while (at <= png.size() && png.size() - at >= 12) {
    const size_t length = big_endian(&png[at]);
    if (length > png.size() - at - 12 || begins_with(png, "IEND", at + 4)) break;
    const std::string_view kind(reinterpret_cast<const char*>(&png[at + 4]), 4);
    if (kind == "tEXt" || kind == "zTXt" || kind == "iTXt")
      if (auto found = text_called(key, png.subspan(at + 8, length), kind)) text = std::move(*found);
    at += 12 + length;
  }
  return text;
}

}  // namespace resflow
