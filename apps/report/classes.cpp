// The confusion matrix and the table of classes of report.html.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "apps/pages/html.h"
#include "apps/report/sections.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

constexpr size_t kMatrixClasses = 30;    // so many fit on a screen
constexpr size_t kShownClasses = 40;     // of more classes, the table shows the weakest ones first
constexpr size_t kListedClasses = 2000;  // of still more, the page lists the first of all: a browser has to hold it
constexpr size_t kNameLetters = 60;

std::string matrix(const ReportedEvaluation& e) {
  std::string head = "<th></th>", rows;
  for (const std::string& name : e.classes)
    head += fmt::format("<th scope=\"col\"><span>{}</span></th>", html_shorten(name, 18));
  for (size_t truth = 0; truth < e.classes.size(); ++truth) {
    rows += fmt::format("<tr><th scope=\"row\">{}</th>", html_shorten(e.classes[truth], 24));
    const auto support = static_cast<double>(std::max<int64_t>(1, e.metrics.classes[truth].support));
    for (size_t said = 0; said < e.classes.size(); ++said) {
      const int64_t count = e.metrics.confusion.at(truth, said);
      const double share = static_cast<double>(count) / support;
      const std::string kind = fmt::format("{}{}{}", truth == said ? " diagonal" : "", share > 0.55 ? " hot" : "",
                                           count == 0 && truth != said ? " zero" : "");
      rows += fmt::format("<td{} style=\"--v:{:.3f}\" title=\"{} said to be {}: {} of {}\">{}</td>",
                          kind.empty() ? "" : fmt::format(" class=\"{}\"", kind.substr(1)), share,
                          html_shorten(e.classes[truth], kNameLetters), html_shorten(e.classes[said], kNameLetters),
                          format_count(count), format_count(e.metrics.classes[truth].support), format_count(count));
    }
    rows += "</tr>\n";
  }
  return fmt::format(
      "<p class=\"soft\">A row is what pictures are, a column what the model says.</p>\n<div class=\"scroll\"><table "
      "class=\"matrix\"><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table></div>\n",
      head, rows);
}

std::string pairs(const ReportedEvaluation& e, size_t limit) {
  std::string rows;
  for (const Confusion& pair : most_confused(e.metrics.confusion, limit)) {
    const auto truth = static_cast<size_t>(pair.truth), said = static_cast<size_t>(pair.said);
    const int64_t support = e.metrics.classes[truth].support;
    rows += fmt::format("<tr><th>{}</th><td class=\"name\">{}</td><td>{} of {}</td><td>{:.1f} %</td></tr>\n",
                        html_shorten(e.classes[truth], kNameLetters), html_shorten(e.classes[said], kNameLetters),
                        format_count(pair.count), format_count(support),
                        100 * static_cast<double>(pair.count) / static_cast<double>(support));
  }
  if (rows.empty()) return "<p>No picture was taken for another class.</p>\n";
  return fmt::format(
      "<div class=\"scroll\"><table><thead><tr><th class=\"name\">is</th><th class=\"name\">said to be</th>"
      "<th>pictures</th><th></th></tr></thead><tbody>\n{}</tbody></table></div>\n",
      rows);
}

std::string number(double value, int64_t of) { return of == 0 ? "-" : fmt::format("{:.3f}", value); }

std::string table(const ReportedEvaluation& e, const std::vector<size_t>& order, bool averages) {
  std::string rows;
  for (const size_t i : order) {
    const ClassMetrics& c = e.metrics.classes[i];
    rows += fmt::format("<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                        html_shorten(e.classes[i], kNameLetters), number(c.precision, c.said),
                        number(c.recall, c.support), number(c.f1, c.said + c.support), format_count(c.support));
  }
  if (averages)
    for (const auto& [name, a] :
         {std::pair{"macro average", e.metrics.macro}, {"weighted average", e.metrics.weighted}})
      rows +=
          fmt::format("<tr class=\"sum\"><th>{}</th><td>{:.3f}</td><td>{:.3f}</td><td>{:.3f}</td><td>{}</td></tr>\n",
                      name, a.precision, a.recall, a.f1, format_count(e.metrics.pictures));
  return fmt::format(
      "<div class=\"scroll\"><table><thead><tr><th class=\"name\">class</th><th>precision</th><th>recall</th>"
      "<th>F1</th><th>pictures</th></tr></thead><tbody>\n{}</tbody></table></div>\n",
      rows);
}

}  // namespace

std::string html_confusion(const ReportedEvaluation& e) {
  if (e.classes.size() > kMatrixClasses)
    return fmt::format("<p class=\"soft\">The pairs of the {} classes that are confused most.</p>\n{}",
                       format_count(static_cast<int64_t>(e.classes.size())), pairs(e, 40));
  std::string text = matrix(e);
  if (e.mistakes > 0 && e.classes.size() > 2)
    text += "<details open><summary>Most often confused</summary>" + pairs(e, 10) + "</details>\n";
  return text;
}

std::string html_classes(const ReportedEvaluation& e) {
  std::vector<size_t> order(e.classes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::string empty;
  const auto without = std::count_if(e.metrics.classes.begin(), e.metrics.classes.end(),
                                     [](const ClassMetrics& c) { return c.support == 0; });
  if (without > 0)
    empty = fmt::format(
        "<p class=\"soft\">{} without a picture here; averages are over those that have some or were said.</p>\n",
        plural(without, "class is", "classes are"));
  if (order.size() <= kShownClasses) return table(e, order, true) + empty;
  std::vector<size_t> weakest;
  for (const size_t i : order)
    if (e.metrics.classes[i].support > 0) weakest.push_back(i);
  std::stable_sort(weakest.begin(), weakest.end(),
                   [&](size_t a, size_t b) { return e.metrics.classes[a].f1 < e.metrics.classes[b].f1; });
  weakest.resize(std::min<size_t>(weakest.size(), 20));
  const std::string all = format_count(static_cast<int64_t>(order.size()));
  const std::string listed = order.size() <= kListedClasses
                                 ? fmt::format("All {} classes", all)
                                 : fmt::format("The first {} of {} classes", format_count(kListedClasses), all);
  order.resize(std::min(order.size(), kListedClasses));
  return fmt::format(
      "<p class=\"soft\">The {} with the lowest F1.</p>\n{}{}<details><summary>{}</summary>{}</details>\n",
      plural(weakest.size(), "class", "classes"), table(e, weakest, true), empty, listed, table(e, order, false));
}

}  // namespace resflow
