// How good a classifier is: pure functions of its answers to labelled pictures, with scikit-learn's results.
//
//   std::vector<Answer> answers;
//   answers.push_back(answer_of(probabilities, label));  // for each picture
//   const Metrics metrics = classification_metrics(answers, classes);
//
// Memory grows neither with pictures times classes nor with the square of the classes: ten million pictures of 21,841
// classes are 200 MB of answers, and 80 MB more while they are measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace resflow {

// What is kept of the probabilities of one picture.
struct Answer {
  int32_t label = 0, said = 0;  // the true class, and the most probable one: the first where several are equally so
  // Classes that come before the true one: those that are more probable, and earlier ones that are as probable.
  int32_t before = 0;
  float label_probability = 0, said_probability = 0;
};

// Probabilities count as f32. REQUIRES: one a class, at least one; 0 <= label < classes.
Answer answer_of(std::span<const double> probabilities, int label);

// So many pictures of a class were said to be of another, or of it.
struct Confusion {
  int truth = 0, said = 0;
  int64_t count = 0;
};

// The pairs of classes that occur; there may be a thousand times fewer than pairs of classes.
struct ConfusionMatrix {
  size_t classes = 0;
  std::vector<Confusion> pairs;  // by true class, then by said class; counts are above 0
  int64_t at(size_t truth, size_t said) const;
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

// All that the functions below compute, at once. Everything is zero where there is no answer.
// REQUIRES here and below: the classes of the answers lie in [0, classes).
Metrics classification_metrics(std::span<const Answer> answers, size_t classes);

ConfusionMatrix confusion_matrix(std::span<const Answer> answers, size_t classes);
std::vector<ClassMetrics> class_metrics(const ConfusionMatrix& confusion);
Averages macro_average(std::span<const ClassMetrics> classes);
Averages weighted_average(std::span<const ClassMetrics> classes);

// The share of pictures whose true class is among the k most probable ones. Among equally probable classes earlier ones
// come first.
double top_k_accuracy(std::span<const Answer> answers, int k);

// The mean of -log(probability of the true class). Probabilities are clipped to 2.2e-16 (f64's epsilon), as in
// sklearn.metrics.log_loss, so that the mean does not become infinite by one picture about which the model is sure and
// wrong.
double log_loss(std::span<const Answer> answers);

// Bins of the highest probability, all equally wide.
std::vector<CalibrationBin> calibration_curve(std::span<const Answer> answers, int bins = kCalibrationBins);
double expected_calibration_error(std::span<const CalibrationBin> bins);

// Wilson's score interval of a share at 95 %: between which bounds the true share lies, if the pictures were drawn at
// random. (0, 1) where there are no pictures.
Interval wilson_interval(int64_t right, int64_t all);

// Pairs of different classes by how often pictures of the one were said to be the other, the most frequent first.
std::vector<Confusion> most_confused(const ConfusionMatrix& confusion, size_t limit);

}  // namespace resflow
