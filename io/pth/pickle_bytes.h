// The operands of a pickle's opcodes, taken off its bytes one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace resflow {

class PickleBytes {
 public:
  // Errors start with `where`.
  PickleBytes(std::span<const uint8_t> bytes, std::string_view where) : bytes_(bytes), where_(where) {}

  size_t at() const { return at_; }

  // All throw PickleCutShort where the bytes end before.
  uint8_t byte() { return static_cast<uint8_t>(take(1)[0]); }
  uint64_t number(size_t bytes);          // little-endian, up to 8 bytes
  double big_endian_real();               // 8 bytes
  std::string_view take(uint64_t count);  // as they are
  std::string_view line();                // without its line feed
  void expect(uint64_t count) const;      // takes none: that so many are there

 private:
  [[noreturn]] void cut_short() const;

  std::span<const uint8_t> bytes_;
  std::string_view where_;
  size_t at_ = 0;
};

// The forms of protocol 0; nothing where the text is none of them.
std::optional<int64_t> pickle_integer(std::string_view text);  // decimal; nothing beyond 64 bits, too
bool is_pickle_integer(std::string_view text);                 // decimal, of any length
std::optional<double> pickle_real(std::string_view text);
std::optional<std::string> pickle_quoted(std::string_view text);   // 'it\'s', "\x41"
std::optional<std::string> pickle_unicode(std::string_view text);  // \u00e4 and bytes of Latin-1, to UTF-8

// Two's complement, little-endian; nothing beyond 64 bits.
std::optional<int64_t> pickle_long(std::string_view bytes);
// The shortest two's complement of a decimal; nothing beyond 128 bits. REQUIRES: is_pickle_integer(text).
std::optional<std::string> pickle_long_bytes(std::string_view text);

}  // namespace resflow
