#include "apps/data/preview_grid.h"

#include <cairo.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/utf8.h"

namespace resflow {
namespace {

constexpr int kMargin = 12, kSmallestSide = 128;
constexpr double kNameSize = 14, kFileSize = 10;  // of the letters, in pixels
constexpr int kNameBase = 18, kFileBase = 33;     // base lines below the picture
constexpr int kNameCaption = 24, kWholeCaption = 38;
constexpr double kPaper = 0.94, kInk = 0.1, kFaintInk = 0.38;  // of grey: a white edge of a picture is seen

struct SurfaceDeleter {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
using CairoSurface = std::unique_ptr<cairo_surface_t, SurfaceDeleter>;

struct ContextDeleter {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
};
using Context = std::unique_ptr<cairo_t, ContextDeleter>;

CairoSurface make_surface(int width, int height) {
  CairoSurface surface(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height));
  if (const cairo_status_t status = cairo_surface_status(surface.get()); status != CAIRO_STATUS_SUCCESS)
    throw system_error("a picture of {}x{} cannot be drawn: {}", width, height, cairo_status_to_string(status));
  return surface;
}

// Cairo's pixels are words 0x00RRGGBB.
uint32_t* surface_row(cairo_surface_t* surface, int y) {
  return reinterpret_cast<uint32_t*>(cairo_image_surface_get_data(surface) +
                                     static_cast<ptrdiff_t>(y) * cairo_image_surface_get_stride(surface));
}

double width_of(cairo_t* context, const std::string& text) {
  cairo_text_extents_t extents;
  cairo_text_extents(context, text.c_str(), &extents);
  return std::max(extents.x_advance, extents.x_bearing + extents.width);
}

// The text where it fits into `width`; else as much of its start as fits, and the last `tail` characters.
std::string elided(cairo_t* context, const std::string& text, double width, size_t tail) {
  if (width_of(context, text) <= width) return text;
  const std::vector<size_t> starts = character_starts(text);
  const size_t characters = starts.size() - 1;
  tail = std::min(tail, characters);
  const std::string end = text.substr(starts[characters - tail]);
  // The width grows with the number of characters: the largest that fits, by bisection.
  size_t fits = 0, too_many = characters - tail + 1;
  const auto shortened = [&](size_t head) { return text.substr(0, starts[head]) + "\u2026" + end; };
  while (too_many - fits > 1) {
    const size_t middle = (fits + too_many) / 2;
    (width_of(context, shortened(middle)) <= width ? fits : too_many) = middle;
  }
  return fits == 0 && tail > 0 ? elided(context, text, width, 0) : shortened(fits);
}

void write_line(cairo_t* context, const std::string& text, const Rect& under, int base, double size, bool bold,
                double ink, size_t tail) {
  cairo_select_font_face(context, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                         bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(context, size);
  cairo_set_source_rgb(context, ink, ink, ink);
  cairo_move_to(context, under.left, under.top + under.height + base);
  cairo_show_text(context, elided(context, text, under.width, tail).c_str());
}

void write_caption(cairo_t* context, const Sample& sample, const Dataset& dataset, const Rect& under, bool file_name) {
  constexpr size_t kLongest = 1000;
  if (sample.label >= 0)
    write_line(context, printable(dataset.classes[static_cast<size_t>(sample.label)], kLongest), under, kNameBase,
               kNameSize, true, kInk, 0);
  if (!file_name) return;
  constexpr size_t kTail = 8;  // a number and the ending tell files of one folder apart
  write_line(context, printable(std::filesystem::path(sample.path).filename().string(), kLongest), under, kFileBase,
             kFileSize, false, kFaintInk, kTail);
}

// `picture` at `place`, each pixel as a square of `scale`.
void paint(const Image& picture, const Rect& place, int scale, cairo_surface_t* surface) {
  for (int y = 0; y < place.height; ++y) {
    const uint8_t* from = picture.row(y / scale);
    uint32_t* to = surface_row(surface, place.top + y) + place.left;
    for (int x = 0; x < place.width; ++x) {
      const uint8_t* rgb = from + static_cast<ptrdiff_t>(x / scale) * 3;
      to[x] = static_cast<uint32_t>(rgb[0]) << 16U | static_cast<uint32_t>(rgb[1]) << 8U | rgb[2];
    }
  }
}

Image to_image(cairo_surface_t* surface) {
  Image image;
  image.resize(cairo_image_surface_get_width(surface), cairo_image_surface_get_height(surface));
  for (int y = 0; y < image.height(); ++y) {
    const uint32_t* from = surface_row(surface, y);
    uint8_t* to = image.row(y);
    for (int x = 0; x < image.width(); ++x, to += 3) {
      to[0] = static_cast<uint8_t>(from[x] >> 16U);
      to[1] = static_cast<uint8_t>(from[x] >> 8U);
      to[2] = static_cast<uint8_t>(from[x]);
    }
  }
  return image;
}

}  // namespace

Rect PreviewLayout::picture(int tile) const {
  return {.left = margin + tile % columns * (side + margin),
          .top = margin + tile / columns * (side + caption + margin),
          .width = side,
          .height = side};
}

PreviewLayout preview_layout(int tiles, int image_size, const PreviewGridOptions& options) {
  PreviewLayout layout;
  const int square = static_cast<int>(std::ceil(std::sqrt(tiles)));
  layout.columns = std::min(options.columns > 0 ? options.columns : square, tiles);
  layout.rows = (tiles + layout.columns - 1) / layout.columns;
  layout.scale = std::max(1, (kSmallestSide + image_size - 1) / image_size);
  layout.side = image_size * layout.scale;
  layout.margin = kMargin;
  layout.caption = options.file_names ? kWholeCaption : kNameCaption;
  layout.width = kMargin + layout.columns * (layout.side + kMargin);
  layout.height = kMargin + layout.rows * (layout.side + layout.caption + kMargin);
  return layout;
}

// Fontconfig does not look whether it got memory, and ends the program where it did not: so it is only begun where
// there is more than it takes. Throws std::bad_alloc.
void check_memory_for_fonts() {
  constexpr size_t kFontsTake = size_t{32} << 20;
  const std::unique_ptr<char[]> block(new char[kFontsTake]);
  // Not left out as one that nobody uses.
  volatile const char* const used = block.get();
  static_cast<void>(used);
}

Image un_normalized(const Batch& batch, int row, const float mean[3], const float std[3]) {
  const int side = batch.image_size;
  const size_t plane = static_cast<size_t>(side) * static_cast<size_t>(side);
  const float* const pixels = batch.pixels + static_cast<size_t>(row) * 3 * plane;
  Image image;
  image.resize(side, side);
  for (size_t c = 0; c < 3; ++c)
    for (size_t i = 0; i < plane; ++i) {
      const double value = (static_cast<double>(pixels[c * plane + i]) * std[c] + mean[c]) * 255;
      image.row(0)[3 * i + c] = static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
    }
  return image;
}

Image draw_preview_grid(const Batch& batch, const Dataset& dataset, const float mean[3], const float std[3],
                        const PreviewGridOptions& options) {
  const int tiles = std::min(batch.size, options.limit);
  const PreviewLayout layout = preview_layout(tiles, batch.image_size, options);
  const CairoSurface surface = make_surface(layout.width, layout.height);
  check_memory_for_fonts();
  {
    const Context context(cairo_create(surface.get()));
    cairo_set_source_rgb(context.get(), kPaper, kPaper, kPaper);
    cairo_paint(context.get());
    for (int tile = 0; tile < tiles; ++tile) {
      const auto sample = static_cast<size_t>(batch.samples[static_cast<size_t>(tile)]);
      write_caption(context.get(), dataset.samples[sample], dataset, layout.picture(tile), options.file_names);
    }
    if (const cairo_status_t status = cairo_status(context.get()); status != CAIRO_STATUS_SUCCESS)
      throw system_error("the names under pictures cannot be drawn: {}", cairo_status_to_string(status));
  }
  cairo_surface_flush(surface.get());
  for (int tile = 0; tile < tiles; ++tile)
    paint(un_normalized(batch, tile, mean, std), layout.picture(tile), layout.scale, surface.get());
  cairo_surface_mark_dirty(surface.get());
  return to_image(surface.get());
}

}  // namespace resflow
