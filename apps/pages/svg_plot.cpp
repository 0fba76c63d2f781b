#include "apps/pages/svg_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "apps/pages/html.h"
#include "io/core/utf8.h"

namespace resflow {
namespace {

constexpr double kWidth = 400, kHeight = 268;
constexpr double kRight = 388, kBottom = 222, kTop = 48;  // of the axes' frame; its left depends on the labels
constexpr double kLetter = 6.6;                           // about the width of one at 12 units
constexpr int kPalette = 6;
// Values beyond them are not drawn: what is computed of them would overflow. Logarithmic axes begin at the smaller one.
constexpr double kLargest = 1e300, kSmallest = 1e-300;
constexpr double kNarrowest = 1e-12;  // span of an axis as a part of its values: of less, doubles have no ticks to tell
constexpr int kMostTicks = 20;

bool can_be_drawn(double value, bool log) { return std::abs(value) <= kLargest && (!log || value >= kSmallest); }

// An axis: which place of the drawing a value has.
class Axis {
 public:
  Axis(double low, double high, bool log, double from, double to) : log_(log), from_(from), to_(to) {
    low_ = log ? std::log10(low) : low;
    high_ = log ? std::log10(high) : high;
  }
  bool shows(double value) const { return can_be_drawn(value, log_); }
  double at(double value) const {
    const double v = log_ ? std::log10(value) : value;
    return from_ + (v - low_) / (high_ - low_) * (to_ - from_);
  }
  bool within(double value) const {
    const double place = at(value), slack = 0.5;
    return place >= std::min(from_, to_) - slack && place <= std::max(from_, to_) + slack;
  }

 private:
  bool log_;
  double from_, to_, low_ = 0, high_ = 1;
};

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

// The values that an axis spans. The span is wide enough for ticks, whatever the data are.
Range span_of(Range range, bool log, bool padded, std::optional<double> low, std::optional<double> high) {
  if (range.low > range.high) range = log ? Range{1, 10} : Range{0, 1};
  if (log) {
    if (range.high / range.low < 1 + kNarrowest) range = {range.low / 2, range.high * 2};
    if (padded) {
      // The ratio of two finite numbers may be infinite, the difference of their logarithms cannot.
      const double factor = std::pow(10, 0.05 * (std::log10(range.high) - std::log10(range.low)));
      range = {std::max(range.low / factor, std::numeric_limits<double>::min()),
               std::min(range.high * factor, std::numeric_limits<double>::max())};
    }
  } else {
    const double size = std::max(std::abs(range.low), std::abs(range.high));
    if (range.high - range.low < std::max(size * kNarrowest, kSmallest)) {
      const double half = size < kSmallest ? 1 : size * 0.1;
      range = {range.low - half, range.high + half};
    } else if (padded) {
      const double pad = (range.high - range.low) * 0.05;
      // Values that are all positive get no negative part of an axis.
      range = {range.low >= 0 ? std::max(0.0, range.low - pad) : range.low - pad, range.high + pad};
    }
  }
  if (low) range.low = *low;
  if (high) range.high = *high;
  if (!(range.low < range.high)) range.high = log ? range.low * 10 : range.low + std::max(1.0, std::abs(range.low));
  return range;
}

const char* colour_class(int colour) {
  static constexpr const char* kNames[kPalette] = {"c0", "c1", "c2", "c3", "c4", "c5"};
  return colour < 0 ? "faint" : kNames[colour % kPalette];
}

bool has_line(const PlotSeries& s) { return s.style != PlotSeries::Style::kPoints; }
bool has_points(const PlotSeries& s) {
  // A line through a single point would not be seen, so the point is drawn.
  return s.style == PlotSeries::Style::kPoints || s.style == PlotSeries::Style::kLinePoints || s.x.size() == 1;
}

std::string draw_series(const PlotSeries& series, const Axis& x, const Axis& y) {
  std::string path, points;
  bool pen_down = false;
  for (size_t i = 0; i < std::min(series.x.size(), series.y.size()); ++i) {
    if (!x.shows(series.x[i]) || !y.shows(series.y[i])) {
      pen_down = false;
      continue;
    }
    const double left = x.at(series.x[i]), top = y.at(series.y[i]);
    path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", left, top);
    pen_down = true;
    if (has_points(series)) points += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>", left, top);
  }
  std::string out;
  const char* colour = colour_class(series.colour);
  if (has_line(series) && !path.empty())
    out += fmt::format("<path class=\"line {}{}\" d=\"{}\"/>", colour,
                       series.style == PlotSeries::Style::kDashed ? " dashed" : "", path);
  if (!points.empty()) out += fmt::format("<g class=\"dot {}\">{}</g>", colour, points);
  return out;
}

std::string text(double x, double y, const char* anchor, const std::string& words, const char* more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>", x, y, anchor, more, words);
}

// The legend: names with a piece of their line, in one row under the title.
std::string legend(const std::vector<PlotSeries>& all, double left) {
  std::string out;
  double at = left;
  for (const PlotSeries& series : all) {
    if (series.name.empty()) continue;
    const char* colour = colour_class(series.colour);
    if (has_line(series))
      out += fmt::format("<path class=\"line {}{}\" d=\"M{:.1f} 33h18\"/>", colour,
                         series.style == PlotSeries::Style::kDashed ? " dashed" : "", at);
    if (has_points(series))
      out += fmt::format("<g class=\"dot {}\"><circle cx=\"{:.1f}\" cy=\"33\" r=\"3\"/></g>", colour, at + 9);
    const std::string name = html_shorten(series.name, 24);
    out += text(at + 23, 37, "start", name);
    at += 23 + kLetter * static_cast<double>(letters(name)) + 14;
  }
  return out;
}

std::string draw_marks(const std::vector<PlotMark>& marks, const Axis& x, double left) {
  std::string out;
  for (const PlotMark& mark : marks) {
    if (!x.shows(mark.x) || !x.within(mark.x)) continue;
    const double at = x.at(mark.x);
    const bool right_half = at > (left + kRight) / 2;
    out += fmt::format("<path class=\"mark\" d=\"M{:.1f} {}V{}\"/>", at, kTop, kBottom);
    out += text(right_half ? at - 4 : at + 4, kTop + 12, right_half ? "end" : "start", html_shorten(mark.label, 28),
                " class=\"halo\"");
  }
  return out;
}

}  // namespace

std::string tick_label(double value) {
  if (value == 0) return "0";
  const double size = std::abs(value);
  // The shortest text of the number without the error of its computation: 0.3, not 0.30000000000000004.
  std::string label = fmt::format("{:.6g}", value);
  if (size >= 1e-3 && size < 1e6) return label;
  const int exponent = static_cast<int>(std::floor(std::log10(size) + 1e-9));
  return fmt::format("{:.4g}e{}", value / std::pow(10, exponent), exponent);
}

std::vector<double> nice_ticks(double low, double high, int wanted, bool whole) {
  const double parts = std::max(1, wanted), rough = high / parts - low / parts;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  // The step whose number of ticks is nearest by ratio, so that there are neither two ticks nor twenty.
  const double ratio = rough / power;
  double step = (ratio < 1.5 ? 1 : ratio < 3.5 ? 2 : ratio < 7.5 ? 5 : 10) * power;
  if (whole) step = std::max(1.0, step);
  std::vector<double> ticks;
  // Each tick is a whole multiple of the step, so that no error adds up. Where the range is so narrow that the step
  // cannot be told from the values, or so small that it has none, there are no such multiples.
  constexpr double kMostWhole = 1e15;
  if (!(step > 0) || !(std::max(std::abs(low), std::abs(high)) / step < kMostWhole)) return ticks;
  const double slack = 1e-9 * step;
  const auto first = static_cast<int64_t>(std::ceil((low - slack) / step));
  for (int64_t n = first; n < first + kMostTicks; ++n) {
    const double tick = static_cast<double>(n) * step;
    if (!(tick <= high + slack)) break;
    if (!std::isfinite(tick)) continue;  // a rounding below the least number
    ticks.push_back(tick + 0.0);
  }
  return ticks;
}

std::vector<double> log_ticks(double low, double high, int wanted) {
  const double decades = std::log10(high) - std::log10(low);
  std::vector<double> ticks;
  const auto first = static_cast<int>(std::floor(std::log10(low) - 1e-9)),
             last = static_cast<int>(std::ceil(std::log10(high) + 1e-9));
  const int every = std::max(1, static_cast<int>(std::ceil(decades / std::max(1, wanted))));
  const std::vector<double> factors = decades < 1.5 ? std::vector<double>{1, 2, 5} : std::vector<double>{1};
  for (int exponent = first; exponent <= last; ++exponent) {
    if (((exponent % every) + every) % every != 0) continue;
    for (const double factor : factors) {
      const double tick = factor * std::pow(10, exponent);
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push_back(tick);
    }
  }
  // The axis is shorter than a step of 1, 2, 5: it gets the ticks of a linear axis.
  return ticks.size() >= 2 ? ticks : nice_ticks(low, high, wanted);
}

std::string svg_plot_style() {
  return R"css(.plot{--paper:#fff;--ink:#1d2430;--soft:#5b6472;--grid:#e3e6ea;
--c0:#0b62c4;--c1:#c2410c;--c2:#0f7a4d;--c3:#8b2fb0;--c4:#8a6d00;--c5:#b0184e}
@media(prefers-color-scheme:dark){.plot{--paper:#181b20;--ink:#e6e9ee;--soft:#a3acb9;--grid:#333942;
--c0:#6cb2ff;--c1:#ff9d5c;--c2:#5fd39b;--c3:#d79bf2;--c4:#e3c341;--c5:#ff86ae}}
.plot{display:block;width:100%;height:auto}
.plot text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--soft)}
.plot .title{font-size:14px;font-weight:600;fill:var(--ink)}
.plot .halo{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
.plot .grid{stroke:var(--grid);fill:none}
.plot .axis{stroke:var(--soft);fill:none}
.plot .mark{stroke:var(--ink);stroke-dasharray:2 3;fill:none}
.plot .line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.plot .dashed{stroke-dasharray:6 4}
.plot .line.faint{stroke:var(--soft);stroke-width:1}.plot .dot.faint{fill:var(--soft)}
.plot .line.c0{stroke:var(--c0)}.plot .dot.c0{fill:var(--c0)}
.plot .line.c1{stroke:var(--c1)}.plot .dot.c1{fill:var(--c1)}
.plot .line.c2{stroke:var(--c2)}.plot .dot.c2{fill:var(--c2)}
.plot .line.c3{stroke:var(--c3)}.plot .dot.c3{fill:var(--c3)}
.plot .line.c4{stroke:var(--c4)}.plot .dot.c4{fill:var(--c4)}
.plot .line.c5{stroke:var(--c5)}.plot .dot.c5{fill:var(--c5)}
)css";
}

std::string svg_plot(const Plot& plot, const std::string& id) {
  Range x_range, y_range;
  for (const PlotSeries& series : plot.series) {
    for (size_t i = 0; i < std::min(series.x.size(), series.y.size()); ++i) {
      const double x = series.x[i], y = series.y[i];
      if (!can_be_drawn(x, plot.log_x) || !can_be_drawn(y, plot.log_y)) continue;
      x_range.add(x);
      y_range.add(y);
    }
  }
  x_range = span_of(x_range, plot.log_x, false, plot.x_low, plot.x_high);
  y_range = span_of(y_range, plot.log_y, true, plot.y_low, plot.y_high);

  const std::vector<double> y_ticks =
      plot.log_y ? log_ticks(y_range.low, y_range.high, 5) : nice_ticks(y_range.low, y_range.high, 5);
  size_t widest = 1;
  for (const double tick : y_ticks) widest = std::max(widest, tick_label(tick).size());
  const double left = (plot.y_label.empty() ? 12 : 30) + kLetter * static_cast<double>(widest);
  const Axis x(x_range.low, x_range.high, plot.log_x, left, kRight);
  const Axis y(y_range.low, y_range.high, plot.log_y, kBottom, kTop);

  std::string out = fmt::format(
      "<svg class=\"plot\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{}-title {}-desc\" "
      "xmlns=\"http://www.w3.org/2000/svg\"><title id=\"{}-title\">{}</title><desc id=\"{}-desc\">{}</desc>\n",
      kWidth, kHeight, id, id, id, html_escape(plot.title), id, html_escape(plot.description));
  out += text(left, 16, "start", html_shorten(plot.title, 44), " class=\"title\"");
  out += legend(plot.series, left);

  std::string grid;
  for (const double tick : y_ticks) {
    const double at = y.at(tick);
    grid += fmt::format("M{:.1f} {:.1f}H{}", left, at, kRight);
    out += text(left - 6, at + 4, "end", tick_label(tick));
  }
  const std::vector<double> x_ticks =
      plot.log_x ? log_ticks(x_range.low, x_range.high, 6) : nice_ticks(x_range.low, x_range.high, 6, plot.whole_x);
  for (const double tick : x_ticks) {
    const double at = x.at(tick);
    grid += fmt::format("M{:.1f} {}V{}", at, kTop, kBottom);
    // The last label must not be cut by the drawing's edge.
    const double half = kLetter * static_cast<double>(tick_label(tick).size()) / 2;
    out += text(std::min(at, kWidth - half), kBottom + 16, "middle", tick_label(tick));
  }
  out += fmt::format("<path class=\"grid\" d=\"{}\"/><path class=\"axis\" d=\"M{:.1f} {}V{}H{}\"/>\n", grid, left, kTop,
                     kBottom, kRight);
  out += text((left + kRight) / 2, kBottom + 36, "middle", html_shorten(plot.x_label, 48));
  if (!plot.y_label.empty())
    out +=
        fmt::format("<text x=\"0\" y=\"0\" text-anchor=\"middle\" transform=\"translate(13 {}) rotate(-90)\">{}</text>",
                    (kTop + kBottom) / 2, html_shorten(plot.y_label, 28));
  // What lies beyond given ends is cut at the frame; a line's half width and points at the edge are not.
  out += fmt::format(
      "<clipPath id=\"{}-clip\"><rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"/></clipPath>"
      "<g clip-path=\"url(#{}-clip)\">",
      id, left - 4, kTop - 4, kRight - left + 8, kBottom - kTop + 8, id);
  for (const PlotSeries& series : plot.series) out += draw_series(series, x, y) + "\n";
  out += "</g>" + draw_marks(plot.marks, x, left);
  return out + "</svg>\n";
}

std::string svg_document(const Plot& plot) {
  std::string svg = svg_plot(plot, "plot");
  const std::string style =
      "<style>" + svg_plot_style() + "</style><rect width=\"100%\" height=\"100%\" fill=\"var(--paper)\"/>";
  svg.insert(svg.find("</desc>") + std::string("</desc>").size(), style);
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + svg;
}

}  // namespace resflow
