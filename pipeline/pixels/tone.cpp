#include "pipeline/pixels/tone.h"

#include <algorithm>
#include <array>

namespace resflow {
namespace {

using Table = std::array<uint8_t, 256>;
using Histogram = std::array<int64_t, 256>;

Table identity() {
  Table table;
  for (int value = 0; value < 256; ++value) table[static_cast<size_t>(value)] = static_cast<uint8_t>(value);
  return table;
}

std::array<Histogram, 3> histograms(const Image& image) {
  std::array<Histogram, 3> counts{};
  for (int y = 0; y < image.height(); ++y) {
    const uint8_t* pixel = image.row(y);
    for (int x = 0; x < image.width(); ++x, pixel += 3)
      for (size_t c = 0; c < 3; ++c) ++counts[c][pixel[c]];
  }
  return counts;
}

// Each channel by the table that table_of makes of its histogram.
template <class TableOf>
void map_channels(Image& image, const TableOf& table_of) {
  const auto counts = histograms(image);
  const std::array<Table, 3> tables = {table_of(counts[0]), table_of(counts[1]), table_of(counts[2])};
  for (int y = 0; y < image.height(); ++y) {
    uint8_t* pixel = image.row(y);
    for (int x = 0; x < image.width(); ++x, pixel += 3)
      for (size_t c = 0; c < 3; ++c) pixel[c] = tables[c][pixel[c]];
  }
}

Table stretched(const Histogram& counts) {
  Table table = identity();
  int low = 0, high = 255;
  while (low < 255 && counts[static_cast<size_t>(low)] == 0) ++low;
  while (high > 0 && counts[static_cast<size_t>(high)] == 0) --high;
  if (high <= low) return table;
  const double scale = 255.0 / (high - low);
  const double offset = -low * scale;
  for (int value = 0; value < 256; ++value)
    table[static_cast<size_t>(value)] =
        static_cast<uint8_t>(std::clamp(static_cast<int>(value * scale + offset), 0, 255));
  return table;
}

Table evened(const Histogram& counts) {
  int64_t total = 0, last = 0;
  for (const int64_t count : counts) {
    total += count;
    if (count > 0) last = count;
  }
  const int64_t step = (total - last) / 255;
  Table table = identity();
  if (step == 0) return table;
  int64_t below = step / 2;
  for (size_t value = 0; value < 256; ++value) {
    table[value] = static_cast<uint8_t>(std::min<int64_t>(below / step, 255));
    below += counts[value];
  }
  return table;
}

}  // namespace

void posterize(Image& image, int bits) {
  Table table = identity();
  for (uint8_t& value : table) value = static_cast<uint8_t>(value & (0xFF << (8 - bits)));
  map_bytes(image, table.data());
}

void solarize(Image& image, double threshold) {
  Table table = identity();
  for (uint8_t& value : table)
    if (!(value < threshold)) value = static_cast<uint8_t>(255 - value);
  map_bytes(image, table.data());
}

void invert(Image& image) { solarize(image, 0); }
void autocontrast(Image& image) { map_channels(image, stretched); }
void equalize(Image& image) { map_channels(image, evened); }

void map_bytes(Image& image, const uint8_t table[256]) {
  for (int y = 0; y < image.height(); ++y) {
    uint8_t* const row = image.row(y);
    for (size_t i = 0; i < image.row_bytes(); ++i) row[i] = table[row[i]];
  }
}

}  // namespace resflow
