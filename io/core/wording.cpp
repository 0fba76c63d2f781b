#include "io/core/wording.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace resflow {

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  const auto s = static_cast<int64_t>(std::llround(seconds));
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string format_bytes(double bytes) {
  if (bytes < 1e3) return fmt::format("{:.0f} B", bytes);
  if (bytes < 1e6) return fmt::format("{:.1f} KB", bytes / 1e3);
  if (bytes < 1e9) return fmt::format("{:.1f} MB", bytes / 1e6);
  return fmt::format("{:.2f} GB", bytes / 1e9);
}

std::string format_count(int64_t n) {
  std::string digits = std::to_string(n);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > (n < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<size_t>(at), 1, ',');
  return digits;
}

std::string format_rate(double value) {
  return value < 1000 ? fmt::format("{:.1f}", value) : format_count(static_cast<int64_t>(value + 0.5));
}

std::string plural_of(int64_t n, const std::string& singular, const std::string& plural_form) {
  return format_count(n) + " " + (n == 1 ? singular : plural_form);
}

std::string first_few(std::span<const std::string> items, size_t few, std::string_view separator) {
  const size_t more = items.size() - std::min(few, items.size());
  std::string text = fmt::format("{}", fmt::join(items.first(items.size() - more), separator));
  if (more > 0) text += fmt::format(" and {} more", format_count(static_cast<int64_t>(more)));
  return text;
}

}  // namespace resflow
