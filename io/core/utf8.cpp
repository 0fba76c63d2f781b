#include "io/core/utf8.h"

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

Character next_character(std::string_view& text) {
  const size_t bytes = character_bytes(text);
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  Character character = {.bytes = text.substr(0, bytes == 0 ? 1 : bytes), .valid = bytes != 0, .point = byte(0)};
  // The first of several bytes begins with as many ones as there are bytes, and a zero.
  if (bytes > 1) character.point &= 0x7FU >> bytes;
  for (size_t i = 1; i < bytes; ++i) character.point = character.point << 6 | (byte(i) & 0x3FU);
  text.remove_prefix(character.bytes.size());
  return character;
}

bool is_utf8(std::string_view text) {
  while (!text.empty())
    if (!next_character(text).valid) return false;
  return true;
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

size_t letters(std::string_view text) {
  size_t count = 0;
  for (; !text.empty(); ++count) next_character(text);
  return count;
}

std::vector<size_t> character_starts(std::string_view text) {
  const size_t bytes = text.size();
  std::vector<size_t> starts;
  for (; !text.empty(); next_character(text)) starts.push_back(bytes - text.size());
  starts.push_back(bytes);
  return starts;
}

void append_utf8(uint32_t point, std::string& text) {
  const auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0 | point >> 6);
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
  }
  put(0x80 | (point & 0x3F));
}

}  // namespace resflow
