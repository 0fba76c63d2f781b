#include "io/images/jpeg_facts.h"

#include <fmt/format.h>

#include <vector>

namespace resflow {
namespace {

constexpr uint8_t kStartOfScan = 0xDA, kEndOfImage = 0xD9;

// C0 to CF without the tables that share these numbers: Huffman's (C4), a reserved one (C8), arithmetic coding's (CC).
bool is_frame(uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

// Markers without a length: TEM, RST0 to RST7, SOI.
bool stands_alone(uint8_t marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8); }

struct Sampling {
  int h = 0, v = 0;
  bool operator==(const Sampling&) const = default;
};

std::string sampling_name(const std::vector<Sampling>& of) {
  if (of.size() == 3 && of[1] == of[2] && of[1] == Sampling{1, 1}) {
    const Sampling y = of[0];
    if (y == Sampling{1, 1}) return "4:4:4";
    if (y == Sampling{2, 1}) return "4:2:2";
    if (y == Sampling{2, 2}) return "4:2:0";
    if (y == Sampling{1, 2}) return "4:4:0";
    if (y == Sampling{4, 1}) return "4:1:1";
    if (y == Sampling{4, 2}) return "4:1:0";
  }
  std::string name;
  for (const Sampling& s : of) name += fmt::format("{}{}x{}", name.empty() ? "" : " ", s.h, s.v);
  return name;
}

// `frame` is the content of a frame header: precision, height, width, number of components, three bytes for each.
std::optional<JpegFacts> read_frame(uint8_t marker, std::span<const uint8_t> frame) {
  constexpr size_t kFixed = 6, kComponent = 3;
  if (frame.size() < kFixed || frame.size() < kFixed + kComponent * frame[5]) return std::nullopt;
  JpegFacts facts;
  facts.components = frame[5];
  facts.progressive = (marker & 3U) == 2;  // C2, C6, CA, CE
  std::vector<Sampling> sampling;
  for (size_t i = 0; i < static_cast<size_t>(facts.components); ++i) {
    const int factors = frame[kFixed + kComponent * i + 1];
    sampling.push_back({factors >> 4, factors & 15});
  }
  // The factors of a single component say nothing.
  if (sampling.size() > 1) facts.sampling = sampling_name(sampling);
  return facts;
}

}  // namespace

std::optional<JpegFacts> jpeg_facts(std::span<const uint8_t> bytes) {
  for (size_t at = 0; at + 1 < bytes.size();) {
    if (bytes[at] != 0xFF || bytes[at + 1] == 0xFF) {  // stray bytes, fill bytes
      ++at;
      continue;
    }
    const uint8_t marker = bytes[at + 1];
    at += 2;
    if (marker == 0 || stands_alone(marker)) continue;
    if (marker == kStartOfScan || marker == kEndOfImage || at + 2 > bytes.size()) return std::nullopt;
    const size_t length = static_cast<size_t>(bytes[at]) << 8U | bytes[at + 1];
    if (length < 2 || length > bytes.size() - at) return std::nullopt;
    if (is_frame(marker)) return read_frame(marker, bytes.subspan(at + 2, length - 2));
    at += length;
  }
  return std::nullopt;
}

}  // namespace resflow
