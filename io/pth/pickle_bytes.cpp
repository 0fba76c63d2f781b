#include "io/pth/pickle_bytes.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <system_error>

#include "io/core/utf8.h"
#include "io/pth/pickle.h"

namespace resflow {
namespace {

// The digits of `text` to `base`, `count` of them; nothing where there are fewer or others.
std::optional<uint32_t> digits(std::string_view text, size_t count, int base) {
  uint32_t value = 0;
  if (text.size() < count) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + count, value, base);
  if (error != std::errc() || end != text.data() + count) return std::nullopt;
  return value;
}

// Takes the escape that `text` starts with, behind its backslash, off it. Nothing where Python knows no such escape.
std::optional<char> take_escape(std::string_view& text) {
  static constexpr std::string_view kLetters = "\\'\"abfnrtv";
  static constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
  if (text.empty()) return std::nullopt;
  if (const size_t letter = kLetters.find(text[0]); letter != std::string_view::npos) {
    text.remove_prefix(1);
    return kMeanings[letter];
  }
  if (text[0] == 'x') {
    const auto value = digits(text.substr(1), 2, 16);
    if (!value) return std::nullopt;
    text.remove_prefix(3);
    return static_cast<char>(*value);
  }
  const size_t octal = std::min(std::min(text.find_first_not_of("01234567"), text.size()), size_t{3});
  const auto value = octal == 0 ? std::nullopt : digits(text, octal, 8);
  if (!value || *value > 0xFF) return std::nullopt;
  text.remove_prefix(octal);
  return static_cast<char>(*value);
}

}  // namespace

void PickleBytes::cut_short() const {
  throw PickleCutShort(ErrorKind::kData, fmt::format("{}: its pickle is cut short: it goes on after its {} bytes",
                                                     where_, bytes_.size()));
}

void PickleBytes::expect(uint64_t count) const {
  if (count > bytes_.size() - at_) cut_short();
}

std::string_view PickleBytes::take(uint64_t count) {
  expect(count);
  const std::string_view taken(reinterpret_cast<const char*>(bytes_.data()) + at_, static_cast<size_t>(count));
  at_ += static_cast<size_t>(count);
  return taken;
}

uint64_t PickleBytes::number(size_t bytes) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t value = 0;
  std::memcpy(&value, take(bytes).data(), bytes);
  return value;
}

double PickleBytes::big_endian_real() { return std::bit_cast<double>(__builtin_bswap64(number(8))); }

std::string_view PickleBytes::line() {
  const auto rest = bytes_.subspan(at_);
  const auto end = std::find(rest.begin(), rest.end(), uint8_t{'\n'});
  if (end == rest.end()) cut_short();
  const std::string_view text = take(static_cast<uint64_t>(end - rest.begin()));
  take(1);
  return text;
}

bool is_pickle_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<int64_t> pickle_integer(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> pickle_real(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> pickle_quoted(std::string_view text) {
  if (text.size() < 2 || (text[0] != '\'' && text[0] != '"') || text.back() != text[0]) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string decoded;
  while (!text.empty()) {
    const char c = text[0];
    text.remove_prefix(1);
    if (c != '\\') {
      decoded += c;
      continue;
    }
    const auto escaped = take_escape(text);
    if (!escaped) return std::nullopt;
    decoded += *escaped;
  }
  return decoded;
}

std::optional<std::string> pickle_unicode(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    const size_t hex = text.starts_with("\\u") ? 4 : text.starts_with("\\U") ? 8 : 0;
    const auto code = hex == 0 ? static_cast<uint8_t>(text[0]) : digits(text.substr(2), hex, 16);
    if (!code || *code >= 0x110000) return std::nullopt;
    append_utf8(*code, decoded);
    text.remove_prefix(hex == 0 ? 1 : 2 + hex);
  }
  return decoded;
}

std::optional<int64_t> pickle_long(std::string_view bytes) {
  if (bytes.empty()) return 0;
  const bool negative = static_cast<uint8_t>(bytes.back()) >= 0x80;
  // Bytes of nothing but the sign add nothing.
  const char sign = negative ? '\xFF' : '\0';
  while (bytes.size() > 8 && bytes.back() == sign) bytes.remove_suffix(1);
  if (bytes.size() > 8 || (bytes.size() == 8 && (static_cast<uint8_t>(bytes.back()) >= 0x80) != negative))
    return std::nullopt;
  int64_t value = negative ? -1 : 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

std::optional<std::string> pickle_long_bytes(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  __int128 value = 0;
  for (const char digit : text) {
    const __int128 units = negative ? '0' - digit : digit - '0';
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, units, &value)) return std::nullopt;
  }
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  const auto needed = [&] {
    const auto last = static_cast<uint8_t>(bytes.back()), before = static_cast<uint8_t>(bytes[bytes.size() - 2]);
    return last != (before >= 0x80 ? 0xFF : 0);
  };
  while (bytes.size() > 1 && !needed()) bytes.pop_back();
  return bytes;
}

}  // namespace resflow
