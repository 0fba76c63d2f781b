// A linear support vector machine on features, by liblinear: L2-regularized, squared hinge loss, solved in the dual,
// one classifier a class against the rest.
//
//   min_w  |w|^2 / 2 + C sum_i c_i max(0, 1 - y_i w x_i)^2
//
// Features are standardized before: each column minus its mean, divided by its deviation and by the root of the number
// of columns. So rows have a length of 1 or so, whatever the network, which is what C's usual values and liblinear's
// default tolerance of 0.1 are made for; without it columns of large values decide alone, and its dual descent does not
// converge. (Rows normalized one by one would do too, but that cannot be part of a linear layer.) The result is given
// for the features as they are: mean and deviation are folded into weights and biases.
//
// As liblinear does with a bias of 1: it is a further column, and so regularized.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/checkpoint/description.h"

namespace resflow {

struct SvmData {
  std::span<const float* const> rows;
  std::span<const int32_t> labels;  // [rows], in [0, classes); each class is there
  int64_t columns = 0, classes = 0;
};

// x' = (x - mean) * scale. A column that never changes has scale 0.
struct Standardization {
  std::vector<double> mean, scale;
};
Standardization standardization(const SvmData& data);

// Decision value of class k: sum_j weights[k * columns + j] x_j + biases[k], on features as they are.
struct LinearSvm {
  std::vector<double> weights, biases;
  std::vector<double> decide(const float* features) const;
};

// The values of C that are tried: 0.01 to 100, two a decade.
std::span<const double> svm_costs();

struct SvmOptions {
  double c = 0;                           // 0: that of svm_costs() with the best accuracy in the cross validation
  std::vector<float> class_weights = {};  // c_i above; empty: all 1
  // Of each row: the fold that holds it out. A row with a negative number is never held out: an augmented copy, which
  // is left out of training with its original, whose fold it gives as -1 - fold.
  std::vector<int> folds;
};

struct SvmResult {
  LinearSvm svm;
  double c = 0;
  struct Tried {
    double c = 0, accuracy = 0;
  };
  std::vector<Tried> tried;
  // Platt's sigmoids, fitted on what the cross validation decided of rows that it had held out.
  Head head;
};

// Of equal ones the smallest C is taken. The same data give the same bits. `progress` gets fits done and all, and
// returns false to stop: the result is empty then.
// Throws Error{kUsage} for a C that cannot be; Error{kSystem} where memory is short.
std::optional<SvmResult> train_svm(const SvmData& data, const SvmOptions& options,
                                   const std::function<bool(int64_t done, int64_t all)>& progress);

}  // namespace resflow
