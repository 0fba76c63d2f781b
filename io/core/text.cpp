#include "io/core/text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace resflow {
namespace {

// Bytes of the character that `text` starts with; 0 where it starts with none. REQUIRES: text is not empty.
size_t character_bytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return 0;
  for (size_t i = 1; i < bytes; ++i)
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  const uint8_t second = byte(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second >= 0xA0;
  const bool too_large = first == 0xF4 && second >= 0x90;
  return overlong || surrogate || too_large ? 0 : bytes;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t bytes = character_bytes(text);
    if (bytes == 0) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

std::string printable(std::string_view text, size_t limit) {
  std::string shown;
  while (!text.empty()) {
    const size_t bytes = character_bytes(text);
    if (shown.size() + std::max<size_t>(bytes, 1) > limit) return shown + "...";
    const auto first = static_cast<uint8_t>(text[0]);
    // U+0080 to U+009F are control characters, too.
    const bool control = first < 0x20 || first == 0x7F || (first == 0xC2 && static_cast<uint8_t>(text[1]) < 0xA0);
    if (bytes == 0 || control) {
      shown += '?';
    } else {
      shown += text.substr(0, bytes);
    }
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return shown;
}

}  // namespace resflow
