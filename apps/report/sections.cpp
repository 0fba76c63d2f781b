// The verdict, the plots, the pictures and the lists of report.html; the tables of classes are in classes.cpp.
#include "apps/report/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/pages/html.h"
#include "apps/pages/svg_plot.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

// The class with the lowest F1; -1 where no class has pictures.
int weakest_class(const Metrics& m) {
  int weakest = -1;
  for (size_t i = 0; i < m.classes.size(); ++i)
    if (m.classes[i].support > 0 && (weakest < 0 || m.classes[i].f1 < m.classes[static_cast<size_t>(weakest)].f1))
      weakest = static_cast<int>(i);
  return weakest;
}

std::string facts_of_evaluation(const Metrics& m) {
  std::string facts =
      html_fact("accuracy", fmt::format("{:.2f} %", 100 * m.accuracy),
                fmt::format("95 %: {:.1f} to {:.1f}", 100 * m.accuracy_interval.low, 100 * m.accuracy_interval.high));
  if (m.classes.size() > 5) facts += html_fact("top 5", fmt::format("{:.2f} %", 100 * m.top5_accuracy));
  facts += html_fact("macro F1", fmt::format("{:.3f}", m.macro.f1));
  facts += html_fact("log loss", fmt::format("{:.4f}", m.log_loss));
  return facts + html_fact("ECE", fmt::format("{:.3f}", m.ece), "calibration error");
}

std::string verdict_of_evaluation(const ReportedEvaluation& e) {
  const Metrics& m = e.metrics;
  if (m.pictures == 0) return fmt::format("Not one picture of {} could be read.", html_escape(e.data));
  std::string text = fmt::format("{} of {} in {} are right ({:.1f} %{}).", format_count(m.right),
                                 plural(m.pictures, "picture", "pictures"), html_escape(e.data), 100 * m.accuracy,
                                 e.views.empty() ? "" : ", " + e.views);
  const int weakest = weakest_class(m);
  if (e.mistakes > 0 && weakest >= 0)
    text += fmt::format(" The weakest class is {} (F1 {:.3f}).", html_escape(e.classes[static_cast<size_t>(weakest)]),
                        m.classes[static_cast<size_t>(weakest)].f1);
  return text;
}

std::string verdict_of_history(const std::vector<EpochRecord>& history) {
  if (history.empty()) return "Nothing was evaluated.";
  const EpochRecord& last = history.back();
  return fmt::format(
      "After {} the training loss is {:.4f} and the training accuracy {:.1f} %. There were no validation pictures, so "
      "nothing says how the model does on new ones.",
      plural(last.epoch, "epoch", "epochs"), last.train_loss, 100 * last.train_accuracy);
}

Plot curve(const char* title, const char* y_label, const HtmlReport& report, double EpochRecord::*train,
           double EpochRecord::*val) {
  Plot plot{.title = title, .x_label = "epoch", .y_label = y_label, .whole_x = true};
  const bool few = report.history.size() <= 30;
  const auto style = few ? PlotSeries::Style::kLinePoints : PlotSeries::Style::kLine;
  PlotSeries training{.name = "training", .style = style, .colour = 0};
  PlotSeries validation{.name = "validation", .style = style, .colour = 1};
  for (const EpochRecord& record : report.history) {
    const auto epoch = static_cast<double>(record.epoch);
    training.x.push_back(epoch);
    training.y.push_back(record.*train);
    if (val == nullptr || !std::isfinite(record.*val)) continue;
    validation.x.push_back(epoch);
    validation.y.push_back(record.*val);
  }
  plot.description =
      fmt::format("{} over {}. Training: from {:.4g} to {:.4g}.", title,
                  plural(report.history.size(), "epoch", "epochs"), training.y.front(), training.y.back());
  if (!validation.y.empty()) {
    plot.description += fmt::format(" Validation: from {:.4g} to {:.4g}.", validation.y.front(), validation.y.back());
    plot.series = {training, validation};
  } else {
    if (val == nullptr) training.name.clear();
    plot.series = {training};
  }
  if (report.best_epoch > 0 && !validation.y.empty())
    plot.marks.push_back({static_cast<double>(report.best_epoch), fmt::format("best: {}", report.best_epoch)});
  return plot;
}

std::string duration(double seconds) {
  if (seconds < 0.001) return fmt::format("{:.1f} \xC2\xB5s", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.1f} ms", seconds * 1e3);
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  return format_duration(seconds);
}

}  // namespace

std::string html_verdict(const HtmlReport& report) {
  std::string facts;
  if (report.evaluation && report.evaluation->metrics.pictures > 0)
    facts += facts_of_evaluation(report.evaluation->metrics);
  if (!report.history.empty()) {
    double seconds = 0;
    for (const EpochRecord& record : report.history) seconds += record.seconds;
    facts += html_fact("trained", plural(report.history.size(), "epoch", "epochs"), "in " + duration(seconds));
  }
  std::string text =
      fmt::format("<p class=\"verdict\">{}</p>\n",
                  report.evaluation ? verdict_of_evaluation(*report.evaluation) : verdict_of_history(report.history));
  if (!facts.empty()) text += fmt::format("<dl class=\"facts\">{}</dl>\n", facts);
  return text;
}

std::string html_curves(const HtmlReport& report) {
  if (report.history.empty()) return {};
  std::string plots = svg_plot(curve("Loss", "", report, &EpochRecord::train_loss, &EpochRecord::val_loss), "loss");
  plots +=
      svg_plot(curve("Accuracy", "", report, &EpochRecord::train_accuracy, &EpochRecord::val_accuracy), "accuracy");
  Plot rate = curve("Learning rate", "", report, &EpochRecord::learning_rate, nullptr);
  const auto [low, high] = std::minmax_element(rate.series[0].y.begin(), rate.series[0].y.end());
  rate.log_y = *low > 0 && *high >= 20 * *low;
  rate.series[0].colour = 2;
  plots += svg_plot(rate, "rate");
  std::string rows;
  for (const EpochRecord& r : report.history) {
    const auto number = [](double v) { return std::isfinite(v) ? fmt::format("{:.4f}", v) : std::string("-"); };
    rows += fmt::format("<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.4g}</td><td>{}</td></tr>",
                        r.epoch, number(r.train_loss), number(r.train_accuracy), number(r.val_loss),
                        number(r.val_accuracy), r.learning_rate, duration(r.seconds));
  }
  return fmt::format(
      "<div class=\"plots\">\n{}</div>\n<details><summary>Every epoch in figures</summary><div class=\"scroll\"><table>"
      "<thead><tr><th class=\"name\">epoch</th><th>training loss</th><th>accuracy</th><th>validation loss</th>"
      "<th>accuracy</th><th>learning rate</th><th>time</th></tr></thead><tbody>{}</tbody></table></div></details>\n",
      plots, rows);
}

std::string html_calibration(const ReportedEvaluation& e) {
  const Metrics& m = e.metrics;
  Plot plot{.title = "Accuracy by probability",
            .x_label = "probability of the answer",
            .x_low = 0,
            .x_high = 1,
            .y_low = 0,
            .y_high = 1};
  PlotSeries ideal{.name = "ideal", .x = {0, 1}, .y = {0, 1}, .style = PlotSeries::Style::kDashed, .colour = -1};
  PlotSeries measured{.name = "measured", .style = PlotSeries::Style::kLinePoints};
  PlotSeries counts{.name = "share of pictures", .style = PlotSeries::Style::kDashed, .colour = 3};
  std::string rows;
  for (const CalibrationBin& bin : m.calibration) {
    counts.x.insert(counts.x.end(), {bin.low, bin.high});
    const double share = static_cast<double>(bin.count) / static_cast<double>(m.pictures);
    counts.y.insert(counts.y.end(), {share, share});
    if (bin.count == 0) continue;
    measured.x.push_back(bin.confidence);
    measured.y.push_back(bin.accuracy);
    rows += fmt::format("<tr><th>{:.2f} to {:.2f}</th><td>{}</td><td>{:.3f}</td><td>{:.3f}</td></tr>", bin.low,
                        bin.high, format_count(bin.count), bin.confidence, bin.accuracy);
  }
  plot.series = {ideal, counts, measured};
  plot.description =
      fmt::format("Accuracy of answers in bins of their probability; expected calibration error {:.4f}.", m.ece);
  const double gap = m.mean_confidence - m.accuracy;
  const std::string words = std::abs(gap) < 0.005
                                ? std::string("on average it is as sure as it is right")
                                : fmt::format("on average it is {:.1f} points {}", 100 * std::abs(gap),
                                              gap > 0 ? "surer than it is right" : "less sure than it is right");
  return fmt::format(
      "<p>The expected calibration error (ECE) is {:.3f} over {} bins: the model says {:.1f} % and is right in {:.1f} "
      "%, "
      "so {}.</p>\n<div class=\"plots\">\n{}</div>\n<details><summary>The bins in figures</summary><div "
      "class=\"scroll\"><table><thead><tr><th class=\"name\">probability</th><th>pictures</th><th>mean</th><th>right"
      "</th></tr></thead><tbody>{}</tbody></table></div></details>\n",
      m.ece, m.calibration.size(), 100 * m.mean_confidence, 100 * m.accuracy, words, svg_plot(plot, "calibration"),
      rows);
}

std::string html_cards(const std::vector<PictureCard>& cards) {
  if (cards.empty()) return {};
  std::string all;
  for (const PictureCard& card : cards) {
    const std::string said = html_shorten(card.said, 60), truth = html_shorten(card.truth, 60);
    const std::string picture =
        card.image.empty() ? "the file cannot be read"
                           : fmt::format("<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}, said to be {}\">",
                                         card.image, card.width, card.height, truth, said);
    const std::string words = card.said == card.truth
                                  ? fmt::format("<b>{}</b> {:.1f} %, right", said, 100 * card.said_probability)
                                  : fmt::format("<b>{}</b> {:.1f} %<br>is {} {:.1f} %", said,
                                                100 * card.said_probability, truth, 100 * card.truth_probability);
    all += fmt::format(
        "<figure><div class=\"frame\">{}</div><figcaption>{}<span class=\"path\">{}</span></figcaption></figure>\n",
        picture, words, html_escape(card.path));
  }
  return fmt::format("<div class=\"cards\">\n{}</div>\n", all);
}

std::string html_broken(const std::vector<BrokenPicture>& broken) {
  if (broken.empty()) return {};
  constexpr size_t kShown = 200;
  std::string items;
  for (size_t i = 0; i < std::min(kShown, broken.size()); ++i)
    items += fmt::format("<li>{}: <span class=\"soft\">{}</span></li>\n", html_escape(broken[i].name),
                         html_escape(broken[i].reason));
  if (broken.size() > kShown) items += fmt::format("<li>and {} more</li>\n", broken.size() - kShown);
  return fmt::format("<p>{} left out of all figures.</p>\n<ul class=\"files\">\n{}</ul>\n",
                     plural(broken.size(), "picture is", "pictures are"), items);
}

std::string html_times(const StageTimes& times) {
  if (times.stages().empty()) return {};
  double longest = 0;
  for (const StageTime& stage : times.stages()) longest = std::max(longest, stage.seconds);
  std::string rows;
  for (const StageTime& stage : times.stages()) {
    const double share = longest > 0 ? stage.seconds / longest : 0;
    rows += fmt::format(
        "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td><span class=\"bar\"><i "
        "style=\"width:{:.1f}%\"></i></span></td></tr>",
        html_escape(stage.name), duration(stage.seconds), format_count(stage.count),
        stage.count > 0 ? duration(stage.seconds / static_cast<double>(stage.count)) : "-", 100 * share);
  }
  return fmt::format(
      "<div class=\"scroll\"><table><thead><tr><th class=\"name\">part</th><th>time</th><th>times</th><th>each</th>"
      "<th></th></tr></thead><tbody>{}</tbody></table></div>\n<p class=\"soft\">Reading, decoding, resizing and "
      "normalizing "
      "run beside the rest, in several threads whose times are added up; waiting is what they did not hide.</p>\n",
      rows);
}

}  // namespace resflow
