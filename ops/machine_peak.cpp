#include "ops/machine_peak.h"

#include "io/core/error.h"
#include "io/core/stopwatch.h"
#include "ops/kernels/parallel.h"

namespace resflow {
namespace {
using Tag = dnnl::memory::format_tag;

// Calls f until `seconds` are over, once at least. Returns the calls a second.
template <class F>
double rate_of(double seconds, const F& f) {
  const Stopwatch watch;
  double passed = 0;
  int64_t calls = 0;
  while (calls == 0 || passed < seconds) {
    f();
    ++calls;
    passed = watch.seconds();
  }
  return static_cast<double>(calls) / passed;
}

// Small whole numbers: sums of their products are exact in f32, in any order.
float value_a(int64_t row, int64_t column) { return static_cast<float>((row * 7 + column * 3) % 5 - 2); }
float value_b(int64_t row, int64_t column) { return static_cast<float>((row * 2 + column * 5) % 7 - 3); }

Array matrix(int64_t side, float (*value)(int64_t, int64_t)) {
  Array array = Array::unset(DType::kF32, {side, side});
  const auto values = array.values<float>();
  for (int64_t row = 0; row < side; ++row)
    for (int64_t column = 0; column < side; ++column)
      values[static_cast<size_t>(row * side + column)] = value(row, column);
  return array;
}

int64_t side_for(const Compute& compute, int64_t side) {
  if (side > 0) return side;
  return compute.threads() <= 8 ? 1536 : 3072;
}

}  // namespace

GemmPeak::GemmPeak(const Compute& compute, int64_t side) : compute_(compute), side_(side_for(compute, side)) {
  compute_.run([&] {
    const Desc plain = plain_desc({side_, side_});
    const Desc any({side_, side_}, dnnl::memory::data_type::f32, Tag::any);
    const dnnl::matmul::primitive_desc pd(compute_.engine(), plain, any, plain, user_scratchpad());
    a_ = Tensor("gemm.a", pd.src_desc(), compute_);
    b_ = Tensor("gemm.b", pd.weights_desc(), compute_);
    c_ = Tensor("gemm.c", pd.dst_desc(), compute_);
    const auto work = static_cast<int64_t>(pd.scratchpad_desc().get_size() / sizeof(float)) + 1;
    scratchpad_ = Tensor("gemm.scratchpad", plain_desc({work}), compute_);
    a_.import_from(matrix(side_, value_a), compute_);
    b_.import_from(matrix(side_, value_b), compute_);
    call_ = Call(dnnl::matmul(pd), compute_);
    call_.arg(DNNL_ARG_SRC, pd.src_desc(), a_.data())
        .arg(DNNL_ARG_WEIGHTS, pd.weights_desc(), b_.data())
        .arg(DNNL_ARG_DST, pd.dst_desc(), c_.data())
        .arg(DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc(), scratchpad_.data());
    call_.run();
    check();
  });
}

void GemmPeak::check() const {
  const Array product = c_.export_to_array(compute_);
  const auto values = product.values<float>();
  const int64_t step = side_ / 4 + 1;
  for (int64_t row = 0; row < side_; row += step)
    for (int64_t column = side_ - 1; column >= 0; column -= step) {
      float sum = 0;
      for (int64_t k = 0; k < side_; ++k) sum += value_a(row, k) * value_b(k, column);
      if (values[static_cast<size_t>(row * side_ + column)] != sum)
        throw internal_error("oneDNN's product of two matrices has {} at ({}, {}), wanted {}",
                             values[static_cast<size_t>(row * side_ + column)], row, column, sum);
    }
}

double GemmPeak::run(double seconds) {
  const auto n = static_cast<double>(side_);
  return compute_.run([&] { return 2e-9 * n * n * n * rate_of(seconds, [&] { call_.run(); }); });
}

MemoryPeak::MemoryPeak(const Compute& compute, int64_t elements)
    : compute_(compute),
      elements_(elements),
      a_("triad.a", plain_desc({elements}), compute),
      b_("triad.b", plain_desc({elements}), compute),
      c_("triad.c", plain_desc({elements}), compute) {
  compute_.run([&] {
    for (int64_t i = 0; i < elements_; ++i) {
      b_.data()[i] = static_cast<float>(i % 1000);
      c_.data()[i] = static_cast<float>(i % 7);
    }
    triad();
  });
  for (int64_t i = 0; i < elements_; i += elements_ / 64 + 1)
    if (a_.data()[i] != static_cast<float>(i % 1000 + 3 * (i % 7)))
      throw internal_error("the triad has {} at {}", a_.data()[i], i);
}

void MemoryPeak::triad() const {
  float* const a = a_.data();
  const float* const b = b_.data();
  const float* const c = c_.data();
  const int parts = compute_.threads();
  parallel_parts(parts, [&](int part) {
    const Range range = part_of(elements_, part, parts);
    for (int64_t i = range.begin; i < range.end; ++i) a[i] = b[i] + 3.0F * c[i];
  });
}

double MemoryPeak::run(double seconds) {
  const auto bytes = static_cast<double>(elements_) * 3 * sizeof(float);
  return compute_.run([&] { return 1e-9 * bytes * rate_of(seconds, [&] { triad(); }); });
}

}  // namespace resflow
