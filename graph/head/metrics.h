// How good a classifier is: pure functions of true labels and class probabilities, with scikit-learn's results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace resflow {

// A row for each picture, with a probability for each class. They are f32, so that 50,000 pictures of 1000 classes take
// 200 MB.
class ProbabilityTable {
 public:
  explicit ProbabilityTable(size_t classes = 0) : classes_(classes) {}
  void add(std::span<const double> row) { values_.insert(values_.end(), row.begin(), row.end()); }
  size_t classes() const { return classes_; }
  size_t rows() const { return classes_ == 0 ? 0 : values_.size() / classes_; }
  std::span<const float> row(size_t i) const { return std::span(values_).subspan(i * classes_, classes_); }

 private:
  size_t classes_ = 0;
  std::vector<float> values_;
};

// The most probable class; the first one where several are equally probable.
int most_probable(std::span<const float> row);

// counts[true * classes + said] pictures.
struct ConfusionMatrix {
  size_t classes = 0;
  std::vector<int64_t> counts;
  int64_t at(size_t truth, size_t said) const { return counts[truth * classes + said]; }
};

struct ClassMetrics {
  double precision = 0;  // which part of the pictures said to be of the class are; 0 where none was
  double recall = 0;     // which part of the class's pictures were said to be of it; 0 where it has none
  double f1 = 0;         // the harmonic mean of both
  int64_t support = 0;   // pictures of the class
  int64_t said = 0;      // pictures that were said to be it
  int64_t right = 0;
};

struct Averages {
  double precision = 0, recall = 0, f1 = 0;
};

// A bin of the calibration curve: pictures whose highest probability lies in (low, high].
struct CalibrationBin {
  double low = 0, high = 0;
  int64_t count = 0;
  double confidence = 0, accuracy = 0;  // means over the bin; 0 where it is empty
};

struct Interval {
  double low = 0, high = 1;
};

struct Metrics {
  int64_t pictures = 0, right = 0;
  double accuracy = 0;
  Interval accuracy_interval;  // 95 %, by Wilson's score
  double top5_accuracy = 0;    // 1 where there are five classes or fewer
  double log_loss = 0;         // as log_loss() below
  double mean_confidence = 0;  // of the highest probability
  ConfusionMatrix confusion;
  std::vector<ClassMetrics> classes;
  Averages macro;     // over the classes that have pictures or were said; each class counts the same
  Averages weighted;  // each class counts by its support
  std::vector<CalibrationBin> calibration;
  double ece = 0;  // expected calibration error: mean of |confidence - accuracy| over the bins, by their counts
};

inline constexpr int kCalibrationBins = 15;

// All that the functions below compute, at once. Everything is zero where there is no row.
// REQUIRES here and below: as many labels as rows, each in [0, classes).
Metrics classification_metrics(std::span<const int> labels, const ProbabilityTable& probabilities);

ConfusionMatrix confusion_matrix(std::span<const int> labels, const ProbabilityTable& probabilities);
std::vector<ClassMetrics> class_metrics(const ConfusionMatrix& confusion);
Averages macro_average(std::span<const ClassMetrics> classes);
Averages weighted_average(std::span<const ClassMetrics> classes);

// The share of rows whose true class is among the k most probable ones. Among equally probable classes earlier ones
// come first.
double top_k_accuracy(std::span<const int> labels, const ProbabilityTable& probabilities, int k);

// The mean of -log(probability of the true class). Probabilities are clipped to 2.2e-16 (f64's epsilon), as in
// sklearn.metrics.log_loss, so that the mean does not become infinite by one picture about which the model is sure and
// wrong.
double log_loss(std::span<const int> labels, const ProbabilityTable& probabilities);

// Bins of the highest probability, all equally wide.
std::vector<CalibrationBin> calibration_curve(std::span<const int> labels, const ProbabilityTable& probabilities,
                                              int bins = kCalibrationBins);
double expected_calibration_error(std::span<const CalibrationBin> bins);

// Wilson's score interval of a share at 95 %: between which bounds the true share lies, if the pictures were drawn at
// random. (0, 1) where there are no pictures.
Interval wilson_interval(int64_t right, int64_t all);

// Pairs of classes by how often pictures of the one were said to be the other, the most frequent first. Pairs that
// never occurred are left out.
struct Confusion {
  int truth = 0, said = 0;
  int64_t count = 0;
};
std::vector<Confusion> most_confused(const ConfusionMatrix& confusion, size_t limit);

}  // namespace resflow
