#include "io/core/text.h"

#include <algorithm>

#include "io/core/utf8.h"

namespace resflow {
namespace {

// Marks, embeddings, overrides and isolates of the direction of writing, by which a name can be shown as another one;
// and Unicode's own separators of lines and paragraphs.
bool misleads(uint32_t point) {
  return point == 0x061C || point == 0x200E || point == 0x200F || (point >= 0x2028 && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069);
}

}  // namespace

std::string printable(std::string_view text, size_t limit) {
  std::string shown;
  while (!text.empty()) {
    const Character character = next_character(text);
    if (shown.size() + character.bytes.size() > limit) return shown + "...";
    if (!character.valid || character.is_control() || misleads(character.point))
      shown += '?';
    else
      shown += character.bytes;
  }
  return shown;
}

std::string printable_lines(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    shown += printable(text.substr(0, end), std::string_view::npos);
    if (end < text.size()) shown += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return shown;
}

}  // namespace resflow
