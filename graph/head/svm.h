// A linear support vector machine on features, by liblinear: L2-regularized, squared hinge loss, solved in the dual.
// For each class there is a classifier that tells it from all others.
//
//   min_w  |w|^2 / 2 + C sum_i c_i max(0, 1 - y_i w x_i)^2
//
// Features are standardized before: each column minus its mean, divided by its deviation and by the root of the number
// of columns. So rows have a length of about 1 for any network, for which C's usual values and liblinear's default
// tolerance of 0.1 are made. Without it the columns of large values alone would decide, and liblinear's dual descent
// would not converge. (Normalizing each row would help as well, but that cannot be a part of a linear layer.) The
// result is given for the features as they are: mean and deviation are folded into weights and biases.
//
// The bias is one more column of ones, as with liblinear's option -B 1, and so it is regularized, too.
//
// liblinear has state that belongs to the whole process, of which train_svm() changes two things:
// - It takes liblinear's messages (set_print_string_function), to ask between them whether to go on, and shows none.
//   They stay off afterwards, because liblinear does not say what the function was before.
// - liblinear chooses the order of rows by std::rand(). During each fit std::rand() begins as in a new process, so that
//   the same data give the same bits, and afterwards it goes on as if nothing had happened. No other thread may use
//   std::rand(), or train another SVM, at that time.
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
  double c = 0;  // 0 takes the one of svm_costs() that has the best accuracy in the cross validation
  // What an error at a row of each class costs: c_i above is that of row i's class. Empty: 1 for all.
  std::vector<float> class_weights = {};
  // For each row the fold that holds it out. An augmented copy has -1 - fold, with the fold of its original: it is left
  // out of training together with the original, but no accuracy is measured on it.
  std::vector<int> folds = {};
};

struct SvmResult {
  LinearSvm svm;
  double c = 0;
  struct Tried {
    double c = 0, accuracy = 0;
  };
  std::vector<Tried> tried;  // with its accuracy in the cross validation
  // Platt's sigmoids, fitted to the decision values that rows got in the cross validation while they were held out.
  Head head;
};

// Memory that the fits take beside the rows themselves: liblinear wants each feature as a pair of an index and an f64.
int64_t svm_bytes(int64_t rows, int64_t columns);

// Of several C with the same accuracy the smallest is taken. The same data give the same bits. `progress` is told how
// many fits are done of how many, during each fit again and again, and returns false to stop; then the result is empty,
// and memory of about the size of the fit's weights and of a pointer a row is lost to the process.
// Throws Error{kUsage} for a C that cannot be; Error{kSystem} where memory is short.
std::optional<SvmResult> train_svm(const SvmData& data, const SvmOptions& options,
                                   const std::function<bool(int64_t done, int64_t all)>& progress);

}  // namespace resflow
