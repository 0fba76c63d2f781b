// Texts that come out of foreign files.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace resflow {

// The text as it may stand in a sentence, on a terminal: control characters, line breaks among them, characters that
// change the direction of writing, and bytes that are no UTF-8 become "?", and what is longer than `limit` bytes is cut
// and ends with "...".
std::string printable(std::string_view text, size_t limit = 120);

// Of a text of several lines, each as it may stand on a terminal: all of it, with its line feeds.
std::string printable_lines(std::string_view text);

// What stands for an argument of format_printable().
template <class T>
decltype(auto) printable_argument(const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>)
    return printable(value, std::string_view::npos);
  else
    return (value);
}

// As fmt::format, with every argument that is a text made printable: whatever a name is, it stays within its line, and
// line breaks come from `format` alone.
template <class... Args>
std::string format_printable(fmt::format_string<Args...> format, Args&&... args) {
  const auto formatted = [&](const auto&... shown) { return fmt::vformat(format, fmt::make_format_args(shown...)); };
  return formatted(printable_argument(args)...);
}

}  // namespace resflow
