#include "graph/head/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace resflow {
namespace {

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace

int most_probable(std::span<const float> row) {
  return static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
}

ConfusionMatrix confusion_matrix(std::span<const int> labels, const ProbabilityTable& probabilities) {
  const size_t classes = probabilities.classes();
  ConfusionMatrix confusion{classes, std::vector<int64_t>(classes * classes)};
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto said = static_cast<size_t>(most_probable(probabilities.row(i)));
    ++confusion.counts[static_cast<size_t>(labels[i]) * classes + said];
  }
  return confusion;
}

std::vector<ClassMetrics> class_metrics(const ConfusionMatrix& confusion) {
  std::vector<ClassMetrics> all(confusion.classes);
  for (size_t truth = 0; truth < confusion.classes; ++truth) {
    for (size_t said = 0; said < confusion.classes; ++said) {
      all[truth].support += confusion.at(truth, said);
      all[said].said += confusion.at(truth, said);
    }
    all[truth].right = confusion.at(truth, truth);
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

double top_k_accuracy(std::span<const int> labels, const ProbabilityTable& probabilities, int k) {
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::span<const float> row = probabilities.row(i);
    const auto label = static_cast<size_t>(labels[i]);
    int64_t before = 0;  // classes that come before the true one
    for (size_t c = 0; c < row.size(); ++c)
      before += row[c] > row[label] || (row[c] == row[label] && c < label) ? 1 : 0;
    right += before < k ? 1 : 0;
  }
  return share(static_cast<double>(right), static_cast<double>(labels.size()));
}

double log_loss(std::span<const int> labels, const ProbabilityTable& probabilities) {
  constexpr double kSmallest = std::numeric_limits<double>::epsilon();
  double sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    const double p = probabilities.row(i)[static_cast<size_t>(labels[i])];
    sum -= std::log(std::clamp(p, kSmallest, 1 - kSmallest));
  }
  return share(sum, static_cast<double>(labels.size()));
}

std::vector<CalibrationBin> calibration_curve(std::span<const int> labels, const ProbabilityTable& probabilities,
                                              int bins) {
  std::vector<CalibrationBin> curve(static_cast<size_t>(bins));
  for (size_t b = 0; b < curve.size(); ++b) {
    curve[b].low = static_cast<double>(b) / bins;
    curve[b].high = static_cast<double>(b + 1) / bins;
  }
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::span<const float> row = probabilities.row(i);
    const int said = most_probable(row);
    const double confidence = row[static_cast<size_t>(said)];
    // Edges belong to the bin below them.
    const auto bin =
        std::find_if(curve.begin(), curve.end() - 1, [&](const CalibrationBin& b) { return confidence <= b.high; });
    ++bin->count;
    bin->confidence += confidence;
    bin->accuracy += said == labels[i] ? 1 : 0;
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
  for (size_t truth = 0; truth < confusion.classes; ++truth)
    for (size_t said = 0; said < confusion.classes; ++said)
      if (truth != said && confusion.at(truth, said) > 0)
        pairs.push_back({static_cast<int>(truth), static_cast<int>(said), confusion.at(truth, said)});
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Confusion& a, const Confusion& b) { return a.count > b.count; });
  if (pairs.size() > limit) pairs.resize(limit);
  return pairs;
}

Metrics classification_metrics(std::span<const int> labels, const ProbabilityTable& probabilities) {
  Metrics m;
  m.pictures = static_cast<int64_t>(labels.size());
  m.confusion = confusion_matrix(labels, probabilities);
  m.classes = class_metrics(m.confusion);
  for (const ClassMetrics& c : m.classes) m.right += c.right;
  m.accuracy = share(static_cast<double>(m.right), static_cast<double>(m.pictures));
  m.accuracy_interval = wilson_interval(m.right, m.pictures);
  m.top5_accuracy = top_k_accuracy(labels, probabilities, 5);
  m.log_loss = log_loss(labels, probabilities);
  m.macro = macro_average(m.classes);
  m.weighted = weighted_average(m.classes);
  m.calibration = calibration_curve(labels, probabilities);
  m.ece = expected_calibration_error(m.calibration);
  for (const CalibrationBin& bin : m.calibration) m.mean_confidence += bin.confidence * static_cast<double>(bin.count);
  m.mean_confidence = share(m.mean_confidence, static_cast<double>(m.pictures));
  return m;
}

}  // namespace resflow
