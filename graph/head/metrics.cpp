#include "graph/head/metrics.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

namespace resflow {
namespace {

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace

Answer answer_of(std::span<const double> probabilities, int label) {
  const auto at = [&](size_t c) { return static_cast<float>(probabilities[c]); };
  const auto truth = static_cast<size_t>(label);
  size_t said = 0;
  int32_t before = 0;
  for (size_t c = 0; c < probabilities.size(); ++c) {
    if (at(c) > at(said)) said = c;
    before += at(c) > at(truth) || (at(c) == at(truth) && c < truth) ? 1 : 0;
  }
  return {.label = label,
          .said = static_cast<int32_t>(said),
          .before = before,
          .label_probability = at(truth),
          .said_probability = at(said)};
}

int64_t ConfusionMatrix::at(size_t truth, size_t said) const {
  const std::pair<int, int> wanted = {static_cast<int>(truth), static_cast<int>(said)};
  const auto found = std::lower_bound(pairs.begin(), pairs.end(), wanted, [](const Confusion& pair, const auto& place) {
    return std::pair{pair.truth, pair.said} < place;
  });
  return found != pairs.end() && std::pair{found->truth, found->said} == wanted ? found->count : 0;
}

ConfusionMatrix confusion_matrix(std::span<const Answer> answers, size_t classes) {
  // A number a picture, whose order is that of the pairs.
  std::vector<uint64_t> places(answers.size());
  std::transform(answers.begin(), answers.end(), places.begin(), [&](const Answer& a) {
    return static_cast<uint64_t>(a.label) * classes + static_cast<uint64_t>(a.said);
  });
  std::sort(places.begin(), places.end());
  ConfusionMatrix confusion{.classes = classes, .pairs = {}};
  for (size_t i = 0; i < places.size(); ++i) {
    if (i == 0 || places[i] != places[i - 1])
      confusion.pairs.push_back({static_cast<int>(places[i] / classes), static_cast<int>(places[i] % classes), 0});
    ++confusion.pairs.back().count;
  }
  return confusion;
}

std::vector<ClassMetrics> class_metrics(const ConfusionMatrix& confusion) {
  std::vector<ClassMetrics> all(confusion.classes);
  for (const Confusion& pair : confusion.pairs) {
    ClassMetrics& truth = all[static_cast<size_t>(pair.truth)];
    truth.support += pair.count;
    all[static_cast<size_t>(pair.said)].said += pair.count;
    if (pair.truth == pair.said) truth.right = pair.count;
  }
  for (ClassMetrics& c : all) {
    const auto right = static_cast<double>(c.right), said = static_cast<double>(c.said),
               support = static_cast<double>(c.support);
    c.precision = share(right, said);
    c.recall = share(right, support);
    c.f1 = share(2 * right, said + support);
  }
  return all;
}

Averages macro_average(std::span<const ClassMetrics> classes) {
  Averages sum;
  double present = 0;
  for (const ClassMetrics& c : classes) {
    if (c.support == 0 && c.said == 0) continue;
    sum.precision += c.precision;
    sum.recall += c.recall;
    sum.f1 += c.f1;
    ++present;
  }
  return {share(sum.precision, present), share(sum.recall, present), share(sum.f1, present)};
}

Averages weighted_average(std::span<const ClassMetrics> classes) {
  Averages sum;
  double weights = 0;
  for (const ClassMetrics& c : classes) {
    const auto weight = static_cast<double>(c.support);
    sum.precision += weight * c.precision;
    sum.recall += weight * c.recall;
    sum.f1 += weight * c.f1;
    weights += weight;
  }
  return {share(sum.precision, weights), share(sum.recall, weights), share(sum.f1, weights)};
}

double top_k_accuracy(std::span<const Answer> answers, int k) {
  const auto right = std::count_if(answers.begin(), answers.end(), [&](const Answer& a) { return a.before < k; });
  return share(static_cast<double>(right), static_cast<double>(answers.size()));
}

double log_loss(std::span<const Answer> answers) {
  constexpr double kSmallest = std::numeric_limits<double>::epsilon();
  double sum = 0;
  for (const Answer& answer : answers) {
    const double p = answer.label_probability;
    sum -= std::log(std::clamp(p, kSmallest, 1 - kSmallest));
  }
  return share(sum, static_cast<double>(answers.size()));
}

std::vector<CalibrationBin> calibration_curve(std::span<const Answer> answers, int bins) {
  std::vector<CalibrationBin> curve(static_cast<size_t>(bins));
  for (size_t b = 0; b < curve.size(); ++b) {
    curve[b].low = static_cast<double>(b) / bins;
    curve[b].high = static_cast<double>(b + 1) / bins;
  }
  for (const Answer& answer : answers) {
    const double confidence = answer.said_probability;
    // Edges belong to the bin below them.
    const auto bin =
        std::find_if(curve.begin(), curve.end() - 1, [&](const CalibrationBin& b) { return confidence <= b.high; });
    ++bin->count;
    bin->confidence += confidence;
    bin->accuracy += answer.said == answer.label ? 1 : 0;
  }
  for (CalibrationBin& bin : curve) {
    bin.confidence = share(bin.confidence, static_cast<double>(bin.count));
    bin.accuracy = share(bin.accuracy, static_cast<double>(bin.count));
  }
  return curve;
}

double expected_calibration_error(std::span<const CalibrationBin> bins) {
  double sum = 0, all = 0;
  for (const CalibrationBin& bin : bins) {
    sum += static_cast<double>(bin.count) * std::abs(bin.confidence - bin.accuracy);
    all += static_cast<double>(bin.count);
  }
  return share(sum, all);
}

Interval wilson_interval(int64_t right, int64_t all) {
  if (all == 0) return {0, 1};
  constexpr double kZ = 1.959963984540054;  // 97.5 % of a normal distribution lie below it
  const auto n = static_cast<double>(all);
  const double p = static_cast<double>(right) / n, z2 = kZ * kZ;
  const double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n);
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

std::vector<Confusion> most_confused(const ConfusionMatrix& confusion, size_t limit) {
  std::vector<Confusion> pairs;
  std::copy_if(confusion.pairs.begin(), confusion.pairs.end(), std::back_inserter(pairs),
               [](const Confusion& pair) { return pair.truth != pair.said; });
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Confusion& a, const Confusion& b) { return a.count > b.count; });
  if (pairs.size() > limit) pairs.resize(limit);
  return pairs;
}

Metrics classification_metrics(std::span<const Answer> answers, size_t classes) {
  Metrics m;
  m.pictures = static_cast<int64_t>(answers.size());
  m.confusion = confusion_matrix(answers, classes);
  m.classes = class_metrics(m.confusion);
  for (const ClassMetrics& c : m.classes) m.right += c.right;
  m.accuracy = share(static_cast<double>(m.right), static_cast<double>(m.pictures));
  m.accuracy_interval = wilson_interval(m.right, m.pictures);
  m.top5_accuracy = top_k_accuracy(answers, 5);
  m.log_loss = log_loss(answers);
  m.macro = macro_average(m.classes);
  m.weighted = weighted_average(m.classes);
  m.calibration = calibration_curve(answers);
  m.ece = expected_calibration_error(m.calibration);
  for (const CalibrationBin& bin : m.calibration) m.mean_confidence += bin.confidence * static_cast<double>(bin.count);
  m.mean_confidence = share(m.mean_confidence, static_cast<double>(m.pictures));
  return m;
}

}  // namespace resflow
