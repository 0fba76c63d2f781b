// Numbers and lists as sentences have them: durations, sizes, counts, the first few of many.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace resflow {

std::string format_duration(double seconds);  // "0:07", "12:05", "3:00:41"
std::string format_bytes(double bytes);       // "512 B", "1.5 KB", "1.80 GB", powers of 1000
std::string format_count(int64_t n);          // "11,689,512"
std::string format_rate(double value);        // "65.7", "1,213": not below zero

// "1 picture", "3 pictures"
std::string plural_of(int64_t n, const std::string& singular, const std::string& plural_form);
std::string plural(std::integral auto n, const std::string& singular, const std::string& plural_form) {
  return plural_of(static_cast<int64_t>(n), singular, plural_form);
}

// "a, b, c", and of more than `few` the first ones: "a, b, c and 12 more". The items stand there as they are.
std::string first_few(std::span<const std::string> items, size_t few, std::string_view separator = ", ");

}  // namespace resflow
