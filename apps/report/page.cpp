#include "apps/report/page.h"

#include <fmt/format.h>

#include "apps/pages/html.h"
#include "apps/pages/style.h"
#include "apps/report/sections.h"
#include "io/core/wording.h"
#include "io/files/file.h"

namespace resflow {

std::string html_report(const HtmlReport& report) {
  std::string page = fmt::format("<h1>{}</h1>\n{}", html_escape(report.title), html_verdict(report));
  page += html_section("Training", html_curves(report));
  if (report.evaluation) {
    const ReportedEvaluation& e = *report.evaluation;
    if (e.metrics.pictures > 0) {
      page += html_section("Which classes are taken for which", html_confusion(e));
      page += html_section("Classes", html_classes(e));
      page += html_section("How far probabilities can be trusted", html_calibration(e));
      const auto mistakes = plural(e.mistakes, "mistake", "mistakes");
      page += html_section(e.mistaken.size() < static_cast<size_t>(e.mistakes)
                               ? fmt::format("The {} most confident of {}", e.mistaken.size(), mistakes)
                               : "All " + mistakes + ", most confident first",
                           html_cards(e.mistaken));
      page += html_section("Least certain pictures", html_cards(e.uncertain));
    }
    page += html_section("Files that could not be read", html_broken(e.broken));
  }
  page += html_section("Time", html_times(report.times));
  page += html_section("Configuration", html_name_values(report.configuration));
  page += html_section("Versions", html_name_values(report.versions));
  return html_page(report.title, page_style(), page);
}

void write_html_report(const HtmlReport& report, const std::string& path) {
  replace_text_file(path, html_report(report));
}

}  // namespace resflow
