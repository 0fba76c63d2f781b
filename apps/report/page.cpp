#include "apps/report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "apps/machine/versions.h"
#include "apps/pages/html.h"
#include "apps/pages/style.h"
#include "apps/report/sections.h"
#include "apps/report/thumbnail.h"
#include "io/core/wording.h"
#include "io/files/file.h"

namespace resflow {
namespace {

// Cards of the rows `order` begins with.
std::vector<PictureCard> cards(const Evaluation& e, const std::vector<size_t>& order) {
  std::vector<PictureCard> all;
  Thumbnails thumbnails;
  for (size_t n = 0; n < std::min(order.size(), kReportCards); ++n) {
    const size_t i = order[n];
    const std::span<const float> row = e.probabilities.row(i);
    const auto truth = static_cast<size_t>(e.samples[i].label), said = static_cast<size_t>(most_probable(row));
    Thumbnail thumbnail = thumbnails.make(e.samples[i], kThumbnailSide);
    all.push_back({.path = e.samples[i].path,
                   .truth = e.classes[truth],
                   .said = e.classes[said],
                   .truth_probability = row[truth],
                   .said_probability = row[said],
                   .image = std::move(thumbnail.uri),
                   .width = thumbnail.width,
                   .height = thumbnail.height});
  }
  return all;
}

const char* describe(Views views) {
  switch (views) {
    case Views::kFlip:
      return "averaged with the mirror image";
    case Views::kTenCrop:
      return "averaged over five crops and their mirror images";
    case Views::kOne:
      break;
  }
  return "";
}

}  // namespace

ReportedEvaluation reported_evaluation(const Evaluation& e, const std::string& data, Views views) {
  ReportedEvaluation reported;
  reported.data = data;
  reported.views = describe(views);
  reported.classes = e.classes;
  reported.metrics = measure(e.labels(), e.probabilities);
  reported.mistakes = reported.metrics.pictures - reported.metrics.right;
  reported.broken = e.broken;
  reported.seconds = e.seconds;

  std::vector<float> confidence(e.samples.size());
  std::vector<size_t> all(e.samples.size()), wrong;
  std::iota(all.begin(), all.end(), size_t{0});
  for (const size_t i : all) {
    const std::span<const float> row = e.probabilities.row(i);
    const int said = most_probable(row);
    confidence[i] = row[static_cast<size_t>(said)];
    if (said != e.samples[i].label) wrong.push_back(i);
  }
  std::stable_sort(wrong.begin(), wrong.end(), [&](size_t a, size_t b) { return confidence[a] > confidence[b]; });
  std::stable_sort(all.begin(), all.end(), [&](size_t a, size_t b) { return confidence[a] < confidence[b]; });
  reported.mistaken = cards(e, wrong);
  reported.uncertain = cards(e, all);
  return reported;
}

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
