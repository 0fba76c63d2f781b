// numpy's .npy: a matrix behind a header of 128 bytes, row after row, little-endian. numpy.load maps it into memory
// with mmap_mode="r". The number of rows has a fixed place, so that a file can grow and get its header at the end.
//
// Source  numpy.lib.format, version 1.0.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace resflow {

inline constexpr int64_t kNpyHeaderBytes = 128;

// `descr` is numpy's, "<f4"; without columns the array has one dimension. REQUIRES: a descr of at most 16 bytes.
std::string npy_header(std::string_view descr, int64_t rows, std::optional<int64_t> columns = std::nullopt);

struct NpyShape {
  std::string descr;
  int64_t rows = 0;
  std::optional<int64_t> columns;
};

// What a header says that npy_header made; nothing for any other header.
std::optional<NpyShape> parse_npy_header(std::string_view header);

// Rounds to the nearest f16, ties to even. Values beyond its range become infinite; NaN stays NaN.
uint16_t to_f16(float value);

// Appends the row's values to `bytes` as they lie in the file.
void append_f32(std::span<const float> row, std::string& bytes);
void append_f16(std::span<const float> row, std::string& bytes);

}  // namespace resflow
