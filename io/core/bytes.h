// Texts and values as the bytes that files hold, and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace resflow {

inline std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline std::string_view text_of(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The bytes of one value, as this machine holds it.
template <class T>
requires std::is_trivially_copyable_v<T> std::span<const uint8_t> bytes_of_value(const T& value) {
  return {reinterpret_cast<const uint8_t*>(&value), sizeof value};
}

// True where `text` stands in `bytes` from `at` on.
inline bool begins_with(std::span<const uint8_t> bytes, std::string_view text, size_t at = 0) {
  return at <= bytes.size() && text_of(bytes.subspan(at)).starts_with(text);
}

}  // namespace resflow
