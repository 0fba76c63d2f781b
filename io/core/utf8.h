// The characters of a UTF-8 text. Such texts come out of foreign files and file names, so that any byte may be none of
// a character: it then counts as a character of its own, which is not valid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace resflow {

struct Character {
  std::string_view bytes;
  bool valid = true;   // false: a byte that no character has in this place
  uint32_t point = 0;  // its number in Unicode; of a byte that is not valid, the byte
  // U+0000 to U+001F and U+007F to U+009F: what a terminal may take for an order.
  bool is_control() const { return valid && (point < 0x20 || (point >= 0x7F && point < 0xA0)); }
};

// Takes the first character off `text`. REQUIRES: text is not empty.
Character next_character(std::string_view& text);

// No surrogates, no overlong forms, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// The text behind the byte order mark that Windows' editors begin a file with; all of it where there is none.
std::string_view without_byte_order_mark(std::string_view text);

// How many characters it has.
size_t letters(std::string_view text);

// Where each of its characters begins, and behind them the text's end: cut there, a text stays whole.
std::vector<size_t> character_starts(std::string_view text);

// Appends the character with this number. REQUIRES: point is at most U+10FFFF.
void append_utf8(uint32_t point, std::string& text);

}  // namespace resflow
