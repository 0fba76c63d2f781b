#include "io/files/stand_in.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "io/core/utf8.h"
#include "io/core/wording.h"

namespace resflow {

std::string lfs_pointer(std::string_view start) {
  if (!start.starts_with("version https://git-lfs.github.com/spec/")) return {};
  constexpr std::string_view kSize = "\nsize ";
  int64_t bytes = 0;
  const size_t at = start.find(kSize);
  const bool sized =
      at != std::string_view::npos &&
      std::from_chars(start.data() + at + kSize.size(), start.data() + start.size(), bytes).ec == std::errc();
  return fmt::format("is a Git LFS pointer to {}, and not the file: git lfs pull brings it",
                     sized ? "a file of " + format_bytes(static_cast<double>(bytes)) : "a file");
}

bool is_web_page(std::string_view start) {
  start = without_byte_order_mark(start);
  while (!start.empty() && std::isspace(static_cast<unsigned char>(start.front())) != 0) start.remove_prefix(1);
  constexpr std::array<std::string_view, 5> kStarts = {"<!doctype html", "<html", "<head", "<body", "<?xml"};
  return std::any_of(kStarts.begin(), kStarts.end(), [&](std::string_view page) {
    return start.size() >= page.size() && std::equal(page.begin(), page.end(), start.begin(), [](char a, char b) {
             return a == std::tolower(static_cast<unsigned char>(b));
           });
  });
}

}  // namespace resflow
