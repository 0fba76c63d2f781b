#include "io/formats/npy_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <system_error>

#include "io/core/error.h"

namespace resflow {
namespace {

static_assert(std::endian::native == std::endian::little, "values are written as they lie");

constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);
constexpr size_t kPrefix = kMagic.size() + 2;  // and the length of what follows
constexpr size_t kText = kNpyHeaderBytes - kPrefix;

std::string_view between(std::string_view& text, std::string_view before, std::string_view after) {
  if (!text.starts_with(before)) return {};
  text.remove_prefix(before.size());
  const size_t end = text.find(after);
  if (end == std::string_view::npos) return {};
  const std::string_view found = text.substr(0, end);
  text.remove_prefix(end);
  return found;
}

std::optional<int64_t> number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::string npy_header(std::string_view descr, int64_t rows, std::optional<int64_t> columns) {
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({},{}), }}", descr, rows,
                                 columns ? fmt::format(" {}", *columns) : "");
  if (text.size() >= kText) throw internal_error("no room for {} in the header of a .npy", text);
  text.resize(kText, ' ');
  text.back() = '\n';
  std::string header(kMagic);
  header += static_cast<char>(kText & 0xFF);
  header += static_cast<char>(kText >> 8);
  return header + text;
}

std::optional<NpyShape> parse_npy_header(std::string_view header) {
  if (header.size() != kNpyHeaderBytes) return std::nullopt;
  std::string_view text = header.substr(kPrefix);
  NpyShape shape;
  shape.descr = between(text, "{'descr': '", "'");
  const std::optional<int64_t> rows = number(between(text, "', 'fortran_order': False, 'shape': (", ","));
  if (!rows) return std::nullopt;
  shape.rows = *rows;
  if (text.starts_with(", ")) {
    shape.columns = number(between(text, ", ", ")"));
    if (!shape.columns) return std::nullopt;
  }
  const auto is_letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '<'; };
  if (shape.descr.size() > 16 || !std::all_of(shape.descr.begin(), shape.descr.end(), is_letter)) return std::nullopt;
  // What was understood says all that there is.
  if (npy_header(shape.descr, shape.rows, shape.columns) != header) return std::nullopt;
  return shape;
}

uint16_t to_f16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000U);
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  constexpr uint32_t kInfinite = 0x7F800000, kTooLarge = 0x477FF000;  // 65520 rounds to infinity
  constexpr uint32_t kSmallestNormal = 0x38800000;                    // 2^-14
  if (magnitude > kInfinite) return sign | 0x7E00U;
  if (magnitude >= kTooLarge) return sign | 0x7C00U;
  if (magnitude < kSmallestNormal) {
    // In f32 a sum with 0.5 has steps of 2^-24, f16's smallest number: the addition rounds.
    const float sum = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(sum) - std::bit_cast<uint32_t>(0.5F)));
  }
  // Half a step less a bit, and that bit where the last one kept is odd: ties go to even. The exponent's bias is 112
  // less.
  const uint32_t odd = magnitude >> 13 & 1U;
  return static_cast<uint16_t>(sign | ((magnitude - (112U << 23) + 0xFFFU + odd) >> 13));
}

void append_f32(std::span<const float> row, std::string& bytes) {
  bytes.append(reinterpret_cast<const char*>(row.data()), row.size_bytes());
}

void append_f16(std::span<const float> row, std::string& bytes) {
  for (const float value : row) {
    const uint16_t half = to_f16(value);
    bytes += static_cast<char>(half & 0xFFU);
    bytes += static_cast<char>(half >> 8);
  }
}

}  // namespace resflow
