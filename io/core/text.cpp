#include "io/core/text.h"

#include "io/core/utf8.h"

namespace resflow {

std::string printable(std::string_view text, size_t limit) {
  std::string shown;
  while (!text.empty()) {
    const Character character = next_character(text);
    if (shown.size() + character.bytes.size() > limit) return shown + "...";
    if (!character.valid || character.is_control())
      shown += '?';
    else
      shown += character.bytes;
  }
  return shown;
}

}  // namespace resflow
