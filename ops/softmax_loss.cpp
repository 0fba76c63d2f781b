#include "ops/softmax_loss.h"

#include <cmath>

#include "io/core/error.h"
#include "ops/kernels/parallel.h"
#include "ops/primitive.h"

namespace resflow {

struct SoftmaxLoss::Impl {
  const Compute& compute;
  const int64_t N, K;
  const double smoothing;
  std::vector<float> weights;  // of the classes
  double weight_total = 0;     // sum of them
  dnnl::softmax_forward::primitive_desc pd;
  dnnl::softmax_forward primitive;
  dnnl::memory logits, log_p, scratchpad;
  std::vector<dnnl_exec_arg_t> args;
  std::vector<double> row_loss;
  std::vector<uint8_t> row_right;

  Impl(const Compute& c, int64_t batch, int64_t classes, const SoftmaxLossOptions& o)
      : compute(c), N(batch), K(classes), smoothing(o.label_smoothing), weights(o.class_weights) {
    if (batch < 1 || classes < 1) throw usage_error("a loss over {} rows of {} classes cannot be", batch, classes);
    if (!(smoothing >= 0 && smoothing <= 1)) throw usage_error("label smoothing is {}: wanted 0 to 1", smoothing);
    if (weights.empty()) weights.assign(static_cast<size_t>(K), 1.0F);
    if (static_cast<int64_t>(weights.size()) != K)
      throw usage_error("{} class weights for {} classes", weights.size(), K);
    for (const float w : weights) {
      if (!(w >= 0) || !std::isfinite(w)) throw usage_error("class weight {}: wanted a number from 0", w);
      weight_total += w;
    }
    compute.run([&] {
      const Desc desc = plain_desc({N, K});
      pd = {compute.engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::softmax_log, desc, desc, 1,
            user_scratchpad()};
      primitive = dnnl::softmax_forward(pd);
      logits = dnnl::memory(desc, compute.engine(), DNNL_MEMORY_NONE);
      log_p = dnnl::memory(desc, compute.engine());
      scratchpad = dnnl::memory(pd.scratchpad_desc(), compute.engine());
    });
    args = {{DNNL_ARG_SRC, logits.get()}, {DNNL_ARG_DST, log_p.get()}, {DNNL_ARG_SCRATCHPAD, scratchpad.get()}};
    row_loss.resize(static_cast<size_t>(N));
    row_right.resize(static_cast<size_t>(N));
  }

  // The row of a label: its loss before the division by the sum of weights, and the gradient of the mean.
  void row(const float* z, int64_t n, int32_t label, double weight_sum, float* diff) {
    const float* lp = static_cast<const float*>(log_p.get_data_handle()) + n * K;
    const double hit = (1 - smoothing) * weights[static_cast<size_t>(label)];
    const double smooth = smoothing / static_cast<double>(K);
    double loss = -hit * lp[label];
    if (smooth > 0)
      for (int64_t k = 0; k < K; ++k) loss -= smooth * weights[static_cast<size_t>(k)] * lp[k];
    row_loss[static_cast<size_t>(n)] = loss;
    row_right[static_cast<size_t>(n)] = std::max_element(z, z + K) - z == label;
    if (diff == nullptr) return;
    const double inverse = 1 / weight_sum;
    const double mass = (hit + smooth * weight_total) * inverse;
    for (int64_t k = 0; k < K; ++k)
      diff[k] = static_cast<float>(mass * std::exp(static_cast<double>(lp[k])) -
                                   smooth * inverse * weights[static_cast<size_t>(k)]);
    // Once more for the label in f64: p - 1 must not lose digits where p is almost 1.
    diff[label] = static_cast<float>(mass * std::exp(static_cast<double>(lp[label])) -
                                     smooth * inverse * weights[static_cast<size_t>(label)] - hit * inverse);
  }

  // The row of a target: the same.
  void row(const float* z, int64_t n, const float* target, double rows, float* diff) {
    const float* lp = static_cast<const float*>(log_p.get_data_handle()) + n * K;
    const auto wanted = [&](int64_t k) {
      return weights[static_cast<size_t>(k)] * ((1 - smoothing) * target[k] + smoothing / static_cast<double>(K));
    };
    double loss = 0, mass = 0;
    for (int64_t k = 0; k < K; ++k) {
      const double t = wanted(k);
      mass += t;
      // 0 times an infinite logarithm is no loss.
      if (t > 0) loss -= t * lp[k];
    }
    row_loss[static_cast<size_t>(n)] = loss;
    row_right[static_cast<size_t>(n)] = std::max_element(z, z + K) - z == std::max_element(target, target + K) - target;
    if (diff == nullptr) return;
    for (int64_t k = 0; k < K; ++k)
      diff[k] = static_cast<float>((mass * std::exp(static_cast<double>(lp[k])) - wanted(k)) / rows);
  }

  // `one(n)` for each of the first `rows` rows, once their log-softmax is known; then the sums over them.
  template <class Row>
  LossResult run(const float* z, int64_t rows, double weight_sum, float* diff_logits, const Row& one) {
    compute.run([&] {
      // oneDNN takes no pointer to const; this primitive only reads its source.
      logits.set_data_handle(const_cast<float*>(z));
      const dnnl_status_t status =
          dnnl_primitive_execute(primitive.get(), compute.stream().get(), static_cast<int>(args.size()), args.data());
      if (status != dnnl_success)
        throw internal_error("oneDNN failed in softmax with status {}", static_cast<int>(status));
      const int parts = static_cast<int>(std::min<int64_t>(compute.threads(), rows));
      parallel_parts(parts, [&](int part) {
        const Range range = part_of(rows, part, parts);
        for (int64_t n = range.begin; n < range.end; ++n) one(n);
      });
    });
    if (diff_logits != nullptr) std::fill(diff_logits + rows * K, diff_logits + N * K, 0.0F);
    LossResult result = {.weight_sum = weight_sum};
    for (int64_t n = 0; n < rows; ++n) {
      result.loss_sum += row_loss[static_cast<size_t>(n)];
      result.correct += row_right[static_cast<size_t>(n)];
    }
    result.loss = result.loss_sum / result.weight_sum;
    return result;
  }
};

SoftmaxLoss::SoftmaxLoss(const Compute& compute, int64_t batch, int64_t classes, const SoftmaxLossOptions& options)
    : impl_(std::make_unique<Impl>(compute, batch, classes, options)) {}
SoftmaxLoss::~SoftmaxLoss() = default;

LossResult SoftmaxLoss::run(const float* logits, std::span<const int32_t> labels, float* diff_logits) {
  Impl& m = *impl_;
  const auto rows = static_cast<int64_t>(labels.size());
  if (rows < 1 || rows > m.N) throw internal_error("loss: {} labels for {} rows", rows, m.N);
  double weight_sum = 0;
  for (const int32_t label : labels) {
    if (label < 0 || label >= m.K) throw data_error("label {} is outside [0, {})", label, m.K);
    weight_sum += m.weights[static_cast<size_t>(label)];
  }
  return m.run(logits, rows, weight_sum, diff_logits, [&](int64_t n) {
    m.row(logits + n * m.K, n, labels[static_cast<size_t>(n)], weight_sum,
          diff_logits == nullptr ? nullptr : diff_logits + n * m.K);
  });
}

LossResult SoftmaxLoss::run(const float* logits, const float* targets, int64_t rows, float* diff_logits) {
  Impl& m = *impl_;
  if (rows < 1 || rows > m.N) throw internal_error("loss: {} targets for {} rows", rows, m.N);
  const auto weight_sum = static_cast<double>(rows);
  return m.run(logits, rows, weight_sum, diff_logits, [&](int64_t n) {
    m.row(logits + n * m.K, n, targets + n * m.K, weight_sum, diff_logits == nullptr ? nullptr : diff_logits + n * m.K);
  });
}

}  // namespace resflow
