#include "graph/head/svm.h"

#include <linear.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "graph/head/platt.h"
#include "io/core/error.h"

namespace resflow {
namespace {

constexpr std::array<double, 9> kCosts = {0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100};
constexpr double kTolerance = 0.1;  // liblinear's own default for this solver
constexpr double kBias = 1;

// A column whose deviation is less than this part of the largest one carries rounding, not information.
constexpr double kLeastDeviation = 1e-6;

struct FreeModel {
  void operator()(::model* m) const { free_and_destroy_model(&m); }
};
using LiblinearModel = std::unique_ptr<::model, FreeModel>;

// Standardized rows as liblinear takes them: pairs of a column, from 1, and its value; then the bias, and the end.
class Rows {
 public:
  Rows(const SvmData& data, const Standardization& standard)
      : width_(static_cast<size_t>(data.columns) + 2), nodes_(data.rows.size() * width_) {
    for (size_t row = 0; row < data.rows.size(); ++row) {
      feature_node* to = at(row);
      for (int j = 0; j < static_cast<int>(data.columns); ++j) {
        const auto column = static_cast<size_t>(j);
        *to++ = {
            .index = j + 1,
            .value = (static_cast<double>(data.rows[row][column]) - standard.mean[column]) * standard.scale[column]};
      }
      *to++ = {.index = static_cast<int>(data.columns) + 1, .value = kBias};
      *to = {.index = -1, .value = 0};
    }
  }

  feature_node* at(size_t row) { return nodes_.data() + row * width_; }

  static int64_t bytes(int64_t rows, int64_t columns) {
    return rows * (columns + 2) * static_cast<int64_t>(sizeof(feature_node));
  }

 private:
  size_t width_;
  std::vector<feature_node> nodes_;
};

// liblinear tells how it is getting on: at least every ten passes over the rows, and at the end of every class. There
// is no other way to leave it than out of there.
struct Left {};
thread_local const std::function<bool()>* goes_on = nullptr;  // of the fit under way
void on_message(const char* /*text*/) {
  if (goes_on != nullptr && !(*goes_on)()) throw Left();
}

class GoesOn {
 public:
  explicit GoesOn(const std::function<bool()>& ask) { goes_on = &ask; }
  ~GoesOn() { goes_on = nullptr; }
  GoesOn(const GoesOn&) = delete;
  GoesOn& operator=(const GoesOn&) = delete;
};

// While it lives, std::rand(), by which liblinear chooses the order in which it visits rows, begins as in a new
// process. Afterwards it goes on where it was before.
class FreshRand {
 public:
  FreshRand() : before_(::initstate(1, state_.data(), state_.size())) {}
  ~FreshRand() { ::setstate(before_); }
  FreshRand(const FreshRand&) = delete;
  FreshRand& operator=(const FreshRand&) = delete;

 private:
  std::array<char, 128> state_{};  // as large as glibc's own, so that the numbers are those after std::srand(1)
  char* before_;
};

class SvmTrainer {
 public:
  SvmTrainer(const SvmData& data, const SvmOptions& options)
      : data_(data), options_(options), standard_(standardization(data)), rows_(data, standard_) {
    set_print_string_function(on_message);
    for (size_t k = 0; k < options.class_weights.size(); ++k) {
      weight_labels_.push_back(static_cast<int>(k));
      weights_.push_back(static_cast<double>(options.class_weights[k]));
    }
  }

  // Trains on the rows of all folds except `held_out`; on all rows if that is negative. Empty where `ask`, which is
  // asked now and then, returns false: what liblinear has allocated until then is not to be had back.
  LiblinearModel fit(double c, int held_out, const std::function<bool()>& ask) {
    std::vector<double> labels;
    std::vector<feature_node*> rows;
    for (size_t row = 0; row < data_.rows.size(); ++row) {
      if (held_out >= 0 && fold_of(row) == held_out) continue;
      labels.push_back(data_.labels[row]);
      rows.push_back(rows_.at(row));
    }
    const problem all = {.l = static_cast<int>(rows.size()),
                         .n = static_cast<int>(data_.columns) + 1,
                         .y = labels.data(),
                         .x = rows.data(),
                         .bias = kBias};
    parameter how = {};
    how.solver_type = L2R_L2LOSS_SVC_DUAL;
    how.eps = kTolerance;
    how.C = c;
    how.p = 0.1;
    how.nr_weight = static_cast<int>(weights_.size());
    how.weight_label = weight_labels_.data();
    how.weight = weights_.data();
    if (const char* wrong = check_parameter(&all, &how))
      throw usage_error("{} {}: liblinear says: {}", setting("svm_c"), c, wrong);
    const FreshRand fresh;
    const GoesOn asked(ask);
    try {
      return LiblinearModel(train(&all, &how));
    } catch (const Left&) {
      return nullptr;
    }
  }

  // Writes the decision values of the rows that are held out, one for each class, to their rows of `to`.
  void decide(const ::model& fitted, int held_out, std::vector<double>& to) {
    const auto classes = static_cast<size_t>(data_.classes);
    std::vector<double> values(classes);
    for (size_t row = 0; row < data_.rows.size(); ++row) {
      if (options_.folds[row] != held_out) continue;
      predict_values(&fitted, rows_.at(row), values.data());
      double* const own = to.data() + row * classes;
      if (fitted.nr_class == 2) {  // one value, of the first label
        own[fitted.label[0]] = values[0];
        own[fitted.label[1]] = -values[0];
      } else {
        for (int k = 0; k < fitted.nr_class; ++k) own[fitted.label[k]] = values[static_cast<size_t>(k)];
      }
    }
  }

  // The same classifiers for features that are not standardized.
  LinearSvm unstandardized(const ::model& fitted) const {
    const auto columns = static_cast<size_t>(data_.columns);
    LinearSvm svm = {.weights = std::vector<double>(static_cast<size_t>(data_.classes) * columns),
                     .biases = std::vector<double>(static_cast<size_t>(data_.classes))};
    for (int i = 0; i < fitted.nr_class; ++i) {
      const auto k = static_cast<size_t>(fitted.label[i]);
      double bias = get_decfun_bias(&fitted, i);
      for (size_t j = 0; j < columns; ++j) {
        const double weight = get_decfun_coef(&fitted, static_cast<int>(j) + 1, i) * standard_.scale[j];
        svm.weights[k * columns + j] = weight;
        bias -= weight * standard_.mean[j];
      }
      svm.biases[k] = bias;
    }
    return svm;
  }

 private:
  int fold_of(size_t row) const {
    const int fold = options_.folds[row];
    return fold < 0 ? -1 - fold : fold;
  }

  const SvmData& data_;
  const SvmOptions& options_;
  Standardization standard_;
  Rows rows_;
  std::vector<int> weight_labels_;
  std::vector<double> weights_;
};

// The accuracy on the rows that are held out.
double accuracy(const SvmData& data, const std::vector<int>& folds, const std::vector<double>& decisions) {
  const auto classes = static_cast<size_t>(data.classes);
  int64_t right = 0, all = 0;
  for (size_t row = 0; row < data.rows.size(); ++row) {
    if (folds[row] < 0) continue;
    const double* const own = decisions.data() + row * classes;
    ++all;
    right += std::max_element(own, own + classes) - own == data.labels[row] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(all);
}

Head fit_head(const SvmData& data, const std::vector<int>& folds, const std::vector<double>& decisions) {
  const auto classes = static_cast<size_t>(data.classes);
  Head head = {.kind = Head::Kind::kOneVsRest};
  for (size_t k = 0; k < classes; ++k) {
    std::vector<double> values;
    std::vector<uint8_t> positive;
    for (size_t row = 0; row < data.rows.size(); ++row) {
      if (folds[row] < 0) continue;
      values.push_back(decisions[row * classes + k]);
      positive.push_back(data.labels[row] == static_cast<int32_t>(k) ? 1 : 0);
    }
    const PlattSigmoid sigmoid = fit_platt(values, positive);
    head.platt_a.push_back(sigmoid.a);
    head.platt_b.push_back(sigmoid.b);
  }
  return head;
}

}  // namespace

int64_t svm_bytes(int64_t rows, int64_t columns) { return Rows::bytes(rows, columns); }

std::span<const double> svm_costs() { return kCosts; }

Standardization standardization(const SvmData& data) {
  const auto columns = static_cast<size_t>(data.columns);
  const auto rows = static_cast<double>(data.rows.size());
  Standardization standard = {.mean = std::vector<double>(columns), .scale = std::vector<double>(columns)};
  for (const float* row : data.rows)
    for (size_t j = 0; j < columns; ++j) standard.mean[j] += static_cast<double>(row[j]);
  for (double& mean : standard.mean) mean /= rows;
  for (const float* row : data.rows)
    for (size_t j = 0; j < columns; ++j) {
      const double d = static_cast<double>(row[j]) - standard.mean[j];
      standard.scale[j] += d * d;
    }
  for (double& sum : standard.scale) sum = std::sqrt(sum / rows);
  const double largest = *std::max_element(standard.scale.begin(), standard.scale.end());
  for (double& deviation : standard.scale)
    deviation = deviation > kLeastDeviation * largest ? 1 / (deviation * std::sqrt(static_cast<double>(columns))) : 0;
  return standard;
}

std::vector<double> LinearSvm::decide(const float* features) const {
  const size_t columns = weights.size() / biases.size();
  std::vector<double> decisions = biases;
  for (size_t k = 0; k < biases.size(); ++k)
    for (size_t j = 0; j < columns; ++j) decisions[k] += weights[k * columns + j] * static_cast<double>(features[j]);
  return decisions;
}

std::optional<SvmResult> train_svm(const SvmData& data, const SvmOptions& options,
                                   const std::function<bool(int64_t done, int64_t all)>& progress) {
  if (options.folds.size() != data.rows.size() || data.labels.size() != data.rows.size())
    throw internal_error("an SVM of {} rows with {} labels and {} folds", data.rows.size(), data.labels.size(),
                         options.folds.size());
  const int folds = *std::max_element(options.folds.begin(), options.folds.end()) + 1;
  std::vector<double> costs(kCosts.begin(), kCosts.end());
  if (options.c != 0) costs = {options.c};
  const int64_t fits = static_cast<int64_t>(costs.size()) * folds + 1;
  int64_t done = 0;
  SvmTrainer trainer(data, options);
  const std::function<bool()> ask = [&] { return progress(done, fits); };

  SvmResult result;
  std::vector<double> decisions(data.rows.size() * static_cast<size_t>(data.classes)), best;
  double best_accuracy = -1;
  for (const double c : costs) {
    for (int fold = 0; fold < folds; ++fold) {
      const LiblinearModel fitted = trainer.fit(c, fold, ask);
      if (!fitted) return std::nullopt;
      trainer.decide(*fitted, fold, decisions);
      if (!progress(++done, fits)) return std::nullopt;
    }
    result.tried.push_back({.c = c, .accuracy = accuracy(data, options.folds, decisions)});
    if (result.tried.back().accuracy <= best_accuracy) continue;
    best_accuracy = result.tried.back().accuracy;
    result.c = c;
    best = decisions;
  }
  result.head = fit_head(data, options.folds, best);
  const LiblinearModel fitted = trainer.fit(result.c, -1, ask);
  if (!fitted) return std::nullopt;
  result.svm = trainer.unstandardized(*fitted);
  progress(fits, fits);
  return result;
}

}  // namespace resflow
