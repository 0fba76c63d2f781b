#include "io/images/exif.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "io/core/bytes.h"

namespace resflow {
namespace {

using Bytes = std::span<const uint8_t>;

// REQUIRES: at + count <= bytes.size(), count <= 8.
uint64_t number(Bytes bytes, size_t at, size_t count, bool little) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | bytes[little ? at + count - 1 - i : at + i];
  return value;
}

// Bytes of a value of TIFF's types; 0: no such type.
constexpr std::array<uint8_t, 17> kTypeBytes = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8};

constexpr uint64_t kOrientationTag = 0x0112, kShort = 3, kLong = 4, kSignedShort = 8, kSignedLong = 9, kLong8 = 16;

bool is_whole_number(uint64_t type) {
  return type == kShort || type == kLong || type == kSignedShort || type == kSignedLong || type == kLong8;
}

// A directory of TIFF, in its ordinary form or BigTIFF's.
struct Form {
  bool little = true;
  size_t count_bytes = 2, entry_bytes = 12, offset_bytes = 4;
};

// Pillow stops at the first entry whose values lie outside of the data. Of entries of one tag the last holds.
std::optional<Orientation> orientation_of_directory(Bytes tiff, uint64_t at, const Form& form) {
  std::optional<Orientation> found;
  if (at > tiff.size() || tiff.size() - at < form.count_bytes) return found;
  const uint64_t count = number(tiff, at, form.count_bytes, form.little);
  at += form.count_bytes;
  for (uint64_t i = 0; i < count && tiff.size() - at >= form.entry_bytes; ++i, at += form.entry_bytes) {
    const uint64_t tag = number(tiff, at, 2, form.little), type = number(tiff, at + 2, 2, form.little);
    const uint64_t values = number(tiff, at + 4, form.offset_bytes, form.little);
    const uint64_t value_bytes = type < kTypeBytes.size() ? kTypeBytes[type] : 0;
    if (value_bytes == 0 || values == 0) continue;
    uint64_t value_at = at + 4 + form.offset_bytes;
    if (values > form.offset_bytes / value_bytes) {
      value_at = number(tiff, value_at, form.offset_bytes, form.little);
      if (value_at > tiff.size() || values > (tiff.size() - value_at) / value_bytes) return found;
    }
    if (tag != kOrientationTag) continue;
    const uint64_t value = is_whole_number(type) ? number(tiff, value_at, value_bytes, form.little) : 0;
    found = Orientation(value <= 8 ? static_cast<int>(value) : 0);
  }
  return found;
}

// EXIF data are never a BigTIFF.
std::optional<Orientation> of_tiff(Bytes tiff, bool may_be_big) {
  using namespace std::string_view_literals;
  constexpr std::array<std::string_view, 6> kStarts = {"II*\0"sv, "MM\0*"sv, "II\0*"sv,
                                                       "MM*\0"sv, "II+\0"sv, "MM\0+"sv};
  const bool known = std::any_of(kStarts.begin(), kStarts.end(), [&](auto text) { return begins_with(tiff, text); });
  if (!known || tiff.size() < 8) return {};
  const bool little = tiff[0] == 'I', big = tiff[2] == '+' || tiff[3] == '+';
  if (!big) return orientation_of_directory(tiff, number(tiff, 4, 4, little), {.little = little});
  if (!may_be_big || tiff.size() < 16) return {};
  return orientation_of_directory(tiff, number(tiff, 8, 8, little),
                                  {.little = little, .count_bytes = 8, .entry_bytes = 20, .offset_bytes = 8});
}

std::optional<Orientation> of_exif(Bytes exif) {
  using namespace std::string_view_literals;
  constexpr auto kStart = "Exif\0\0"sv;
  return of_tiff(begins_with(exif, kStart) ? exif.subspan(kStart.size()) : exif, false);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

Orientation exif_orientation(std::span<const uint8_t> exif) { return of_exif(exif).value_or(Orientation()); }

Orientation orientation_of(std::span<const uint8_t> exif, std::span<const uint8_t> xmp) {
  if (const auto stated = of_exif(exif)) return *stated;
  const std::string_view text(reinterpret_cast<const char*>(xmp.data()), xmp.size());
  constexpr std::string_view kName = "tiff:Orientation";
  for (size_t at = text.find(kName); at != std::string_view::npos; at = text.find(kName, at + 1)) {
    std::string_view rest = text.substr(at + kName.size());
    if (rest.starts_with("=\""))
      rest.remove_prefix(2);
    else if (rest.starts_with('>'))
      rest.remove_prefix(1);
    else
      continue;
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return Orientation(rest[0] - '0');
  }
  return {};
}

std::vector<uint8_t> raw_profile(std::string_view text) {
  for (int line = 0; line < 3; ++line) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  std::vector<uint8_t> bytes;
  int high = -1;
  for (const char c : text) {
    if (c == '\n' || (high < 0 && (c == ' ' || c == '\r' || c == '\t'))) continue;
    const int digit = hex_digit(c);
    if (digit < 0) return {};
    if (high >= 0) bytes.push_back(static_cast<uint8_t>(high * 16 + digit));
    high = high >= 0 ? -1 : digit;
  }
  return high < 0 ? bytes : std::vector<uint8_t>();
}

Orientation tiff_orientation(std::span<const uint8_t> tiff) { return of_tiff(tiff, true).value_or(Orientation()); }

}  // namespace resflow
