// The page of `bench pipeline`: the verdict, curves by threads, every part in figures.
#include <fmt/format.h>

#include <algorithm>

#include "apps/bench/pipeline_report.h"
#include "apps/machine/versions.h"
#include "apps/pages/html.h"
#include "apps/pages/style.h"
#include "apps/pages/svg_plot.h"
#include "apps/report/page.h"
#include "graph/model/model_zoo.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string facts(const PipelineResult& result) {
  const int most = result.most_threads();
  const auto rate = [&](const char* part) {
    const PartResult* found = result.find(part, most);
    const MedianInterval interval = found->interval();
    return std::pair{format_rate(interval.median),
                     fmt::format("img/s, {} to {}", format_rate(interval.low), format_rate(interval.high))};
  };
  std::string all;
  for (const auto& [name, part] :
       {std::pair{"together", "together"}, {"loader alone", "loader"}, {"model alone", "model"}}) {
    const auto [value, more] = rate(part);
    all += html_fact(name, value, more);
  }
  all += html_fact("model", fmt::format("{:.0f} %", 100 * result.of_peak(most)), "of the product's GFLOPS");
  return fmt::format("<dl class=\"facts\">{}</dl>\n", all);
}

struct Line {
  const char* part;
  const char* name;
};

// One line a part, over the numbers of threads.
Plot by_threads(const PipelineReport& report, const char* title, const char* y_label, std::initializer_list<Line> lines,
                bool efficiency) {
  Plot plot{.title = title, .x_label = "threads", .y_label = y_label, .whole_x = true, .y_low = 0};
  int colour = 0;
  for (const Line& line : lines) {
    PlotSeries series{.name = line.name, .style = PlotSeries::Style::kLinePoints, .colour = colour++};
    for (const PartResult& part : report.result.parts) {
      if (part.part != line.part) continue;
      series.x.push_back(part.threads);
      series.y.push_back(efficiency ? 100 * report.result.efficiency(part) : part.interval().median);
    }
    plot.description += fmt::format("{}{}: from {:.4g} to {:.4g}", plot.description.empty() ? "" : ". ", line.name,
                                    series.y.front(), series.y.back());
    plot.series.push_back(std::move(series));
  }
  plot.description = fmt::format("{} by threads. {}.", title, plot.description);
  return plot;
}

// Where lines are far apart, as reading and decoding are: a linear axis would show the upper one alone.
void use_logarithms(Plot& plot) {
  double low = plot.series.front().y.front(), high = low;
  for (const PlotSeries& series : plot.series)
    for (const double y : series.y) {
      low = std::min(low, y);
      high = std::max(high, y);
    }
  if (high < 5 * low) return;
  plot.log_y = true;
  plot.y_low.reset();
}

std::string plots(const PipelineReport& report) {
  Plot whole = by_threads(report, "Loader, model, together", "img/s",
                          {{"together", "together"}, {"model", "model"}, {"loader", "loader"}}, false);
  Plot stages =
      by_threads(report, "Each stage alone", "img/s",
                 {{"read", "read"}, {"decode", "decode"}, {"resize", "resize"}, {"normalize", "normalize"}}, false);
  for (Plot* plot : {&whole, &stages}) use_logarithms(*plot);
  Plot efficiency = by_threads(report, "Speed a thread, in %", "%",
                               {{"together", "together"}, {"model", "model"}, {"loader", "loader"}}, true);
  return fmt::format("<div class=\"plots\">\n{}{}{}</div>\n", svg_plot(whole, "whole"), svg_plot(stages, "stages"),
                     svg_plot(efficiency, "efficiency"));
}

std::string parts_table(const PipelineReport& report) {
  std::string rows;
  for (const PartResult& part : report.result.parts) {
    const MedianInterval i = part.interval();
    rows += fmt::format("<tr><th>{}</th><td>{}</td><td>{}{}</td><td>{} to {}</td><td>{}</td><td>{:.0f} %</td></tr>\n",
                        part.part == "gemm" ? "product of matrices" : part.part, part.threads, format_rate(i.median),
                        part.part == "gemm" ? " GFLOPS" : "", format_rate(i.low), format_rate(i.high),
                        part.part == "gemm" ? "" : fmt::format("{:.3f}", 1e3 / i.median),
                        100 * report.result.efficiency(part));
  }
  return fmt::format(
      "<div class=\"scroll\"><table class=\"figures\"><thead><tr><th "
      "class=\"name\">part</th><th>threads</th><th>img/s</th>"
      "<th>interval</th><th>ms a picture</th><th>speed a thread</th></tr></thead><tbody>\n{}</tbody></table></div>\n"
      "<p class=\"soft\">{}.</p>\n",
      rows, html_escape(method_text(report)));
}

std::string shares_table(const PipelineReport& report) {
  std::string rows;
  for (const PartResult& part : report.result.parts) {
    if (!part.has_loader()) continue;
    const LoaderShares& s = part.shares;
    rows += fmt::format("<tr><th>{}</th><td>{}</td>", part.part, part.threads);
    for (const Stage stage : kStages) rows += fmt::format("<td>{}</td>", percent(s.stages[stage]));
    rows += fmt::format("<td>{}</td><td>{}</td><td>{}</td><td>{}/s</td></tr>\n", percent(s.model), percent(s.wait),
                        percent(s.idle), format_bytes(s.bytes_a_second));
  }
  return fmt::format(
      "<div class=\"scroll\"><table class=\"figures\"><thead><tr><th "
      "class=\"name\">part</th><th>threads</th><th>read</th><th>decode</th>"
      "<th>resize</th><th>normalize</th><th>model</th><th>waiting</th><th>idle</th><th>bytes "
      "read</th></tr></thead><tbody>\n{}</tbody></table></div>\n"
      "<p class=\"soft\">Reading, decoding, resizing, normalizing and idling are parts of the threads' time. "
      "The model, and waiting for a batch, are parts of the time that passes; who waits helps to load.</p>\n",
      rows);
}

}  // namespace

std::string pipeline_html(const PipelineReport& report) {
  const std::string title = fmt::format("{} on {}", to_text(report.options.network.description()),
                                        report.data.empty() ? std::string("drawn pictures") : report.data);
  std::string body = fmt::format("<h1>{}</h1>\n<p class=\"verdict\">{}</p>\n{}", html_escape(title),
                                 html_escape(report.bottleneck.sentence), facts(report.result));
  body += html_section("Pictures a second by threads", plots(report));
  body += html_section("Every part", parts_table(report));
  body += html_section("Where the time goes", shares_table(report));
  body += html_section("The model and the machine", fmt::format("<p>{}.</p>\n", html_escape(peak_text(report))));
  body += html_section("Measured",
                       html_name_values({{"pictures", pictures_text(report)}, {"network", network_text(report)}}));
  body += html_section("Versions", html_name_values(report_versions()));
  // Figures are read in lines: a narrow screen scrolls them.
  return html_page(title, page_style() + ".figures th,.figures td{white-space:nowrap}\n", body);
}

}  // namespace resflow
