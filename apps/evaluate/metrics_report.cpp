#include "apps/evaluate/metrics_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "io/core/bytes.h"
#include "io/core/text.h"
#include "io/core/utf8.h"
#include "io/core/wording.h"
#include "io/files/file.h"
#include "io/formats/csv.h"

namespace resflow {
namespace {

constexpr size_t kAllClasses = 50;   // up to so many classes are all shown
constexpr size_t kWeakest = 20;      // of more classes so many are shown
constexpr size_t kNameLetters = 32;  // longer names are cut

std::string padded(const std::string& name, size_t width) {
  return name + std::string(width - std::min(width, letters(name)), ' ');
}

// Which classes are shown: all in their order, or the weakest of those that have pictures, the weakest first.
std::vector<size_t> shown_classes(const std::vector<ClassMetrics>& classes) {
  std::vector<size_t> shown(classes.size());
  std::iota(shown.begin(), shown.end(), size_t{0});
  if (classes.size() <= kAllClasses) return shown;
  std::erase_if(shown, [&](size_t i) { return classes[i].support == 0; });
  std::stable_sort(shown.begin(), shown.end(), [&](size_t a, size_t b) { return classes[a].f1 < classes[b].f1; });
  shown.resize(std::min(shown.size(), kWeakest));
  return shown;
}

// "-" where there is nothing to divide by.
std::string share(double value, int64_t of) { return of == 0 ? "-" : fmt::format("{:.3f}", value); }

}  // namespace

std::string metrics_text(const Metrics& m, const std::vector<std::string>& classes) {
  std::string text = fmt::format("accuracy   {:.2f} %, {} of {} right; 95 % interval {:.1f} to {:.1f}\n",
                                 100 * m.accuracy, format_count(m.right), format_count(m.pictures),
                                 100 * m.accuracy_interval.low, 100 * m.accuracy_interval.high);
  if (classes.size() > 5) text += fmt::format("top 5      {:.2f} %\n", 100 * m.top5_accuracy);
  text += fmt::format("log loss   {:.4f}\n", m.log_loss);
  text += fmt::format("calibrated within {:.1f} points (ECE {:.4f}): {:.1f} % sure on average\n\n", 100 * m.ece, m.ece,
                      100 * m.mean_confidence);

  const std::vector<size_t> shown = shown_classes(m.classes);
  std::vector<std::string> names;
  size_t width = std::string("weighted average").size();
  for (const size_t i : shown) {
    names.push_back(printable(classes[i], kNameLetters));
    width = std::max(width, letters(names.back()));
  }
  const auto line = [&](const std::string& name, const std::string& precision, const std::string& recall,
                        const std::string& f1, const std::string& pictures) {
    text += fmt::format("{}  {:>9}  {:>6}  {:>6}  {:>8}\n", padded(name, width), precision, recall, f1, pictures);
  };
  line(classes.size() > shown.size() ? fmt::format("weakest {} classes", shown.size()) : "class", "precision", "recall",
       "F1", "pictures");
  for (size_t i = 0; i < shown.size(); ++i) {
    const ClassMetrics& c = m.classes[shown[i]];
    line(names[i], share(c.precision, c.said), share(c.recall, c.support), share(c.f1, c.said + c.support),
         format_count(c.support));
  }
  for (const auto& [name, a] : {std::pair{"macro average", m.macro}, {"weighted average", m.weighted}})
    line(name, share(a.precision, m.pictures), share(a.recall, m.pictures), share(a.f1, m.pictures),
         format_count(m.pictures));

  std::vector<std::string> pairs;
  for (const Confusion& pair : most_confused(m.confusion, 5))
    pairs.push_back(fmt::format("{} said to be {} ({})", printable(classes[static_cast<size_t>(pair.truth)], 40),
                                printable(classes[static_cast<size_t>(pair.said)], 40), format_count(pair.count)));
  if (!pairs.empty()) text += fmt::format("\nconfused   {}\n", fmt::join(pairs, ", "));
  return text;
}

void write_predictions_csv(const Evaluation& e, const std::string& path) {
  constexpr size_t kPiece = size_t{1} << 20;
  std::string text = "path,label,class,probability,label_probability,right,error\n";
  AtomicFile file(path, 0);
  const auto give = [&](size_t at_least) {
    if (text.size() < at_least) return;
    file.write(bytes_of(text));
    text.clear();
  };
  for (size_t i = 0; i < e.answers.size(); ++i) {
    const Answer& answer = e.answers[i];
    text += fmt::format("{},{},{},{:.6f},{:.6f},{},\n", csv_field(e.sample(i).path),
                        csv_field(e.classes[static_cast<size_t>(answer.label)]),
                        csv_field(e.classes[static_cast<size_t>(answer.said)]), answer.said_probability,
                        answer.label_probability, answer.label == answer.said ? 1 : 0);
    give(kPiece);
  }
  for (const BrokenPicture& b : e.broken) {
    text += fmt::format("{},,,,,,{}\n", csv_field(b.name), csv_field(b.reason));
    give(kPiece);
  }
  give(1);
  file.commit();
}

}  // namespace resflow
