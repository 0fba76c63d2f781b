// Line plots as SVG: for report.html, and as files of their own.
//
// Legible in light and dark: colours are CSS variables that follow prefers-color-scheme. The drawing is as narrow as a
// phone (400 units) and scales to its place, so its letters stay readable there.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace resflow {

struct PlotSeries {
  std::string name = {};  // in the legend; empty: not listed
  std::vector<double> x = {}, y = {};
  enum class Style { kLine, kDashed, kPoints, kLinePoints } style = Style::kLine;
  // 0 to 5: the palette's; negative: the faint colour of axes, as for a diagonal.
  int colour = 0;
};

// A vertical line: the best epoch, the suggested learning rate.
struct PlotMark {
  double x = 0;
  std::string label = {};
};

struct Plot {
  std::string title = {}, description = {};  // what is shown, for people who see it and for those who cannot
  std::string x_label = {}, y_label = {};
  // Points that are not finite break their line, those beyond 1e300 do, and on a logarithmic axis those below 1e-300.
  std::vector<PlotSeries> series = {};
  std::vector<PlotMark> marks = {};
  bool log_x = false, log_y = false;
  bool whole_x = false;  // ticks at whole numbers only: epochs
  // The axes' ends, where the data's are not wanted.
  std::optional<double> x_low = {}, x_high = {}, y_low = {}, y_high = {};
};

// An <svg> element for an HTML page that has svg_plot_style() in a <style>. `id` is unique within the page.
std::string svg_plot(const Plot& plot, const std::string& id);
std::string svg_plot_style();

// A file of its own: the same with its style.
std::string svg_document(const Plot& plot);

// Round numbers within [low, high], about `wanted` of them: multiples of 1, 2 or 5 times a power of ten.
// There are at most twenty, and none where the range is too narrow or too small for doubles. REQUIRES: low < high, both
// finite.
std::vector<double> nice_ticks(double low, double high, int wanted, bool whole = false);
// The same on a logarithmic axis: powers of ten, with 2 and 5 times them where the range is short.
std::vector<double> log_ticks(double low, double high, int wanted);
// A tick's label: "0.25", "1500", "2e-05".
std::string tick_label(double value);

}  // namespace resflow
