// One op of the table, planned and bound to buffers of its own, with inputs drawn from a fixed seed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "io/core/error.h"
#include "ops/add.h"
#include "ops/folded_conv.h"
#include "ops/group_norm.h"
#include "ops/linear.h"
#include "ops/pooling/global_avg_pool.h"
#include "ops/pooling/pad_shortcut.h"
#include "ops/relu.h"
#include "tests/ops/cases.h"
#include "tests/ops/reference.h"

namespace resflow::testing {

class Parameters {
 public:
  Parameters(const OpCase& c, const Compute& compute) {
    const bool conv = c.kind == Kind::kConv || c.kind == Kind::kFoldedConv;
    const int64_t C = conv ? c.out : c.src[1];
    if (conv || c.kind == Kind::kLinear) make(kernel, "kernel.weight", weight_dims(c), compute);
    make(weight, "norm.weight", {C}, compute);
    make(bias, "norm.bias", {c.kind == Kind::kLinear ? c.out : C}, compute);
    make(mean, "norm.running_mean", {C}, compute);
    make(var, "norm.running_var", {C}, compute);
    mean.learnt = var.learnt = count.learnt = false;
    count.name = "norm.num_batches_tracked";
    count.is_count = true;
  }
  BatchNormParameters norm() { return {weight, bias, mean, var, count}; }

  Parameter kernel, weight, bias, mean, var, count;

 private:
  static void make(Parameter& p, const std::string& name, const Dims& dims, const Compute& compute) {
    p.name = name;
    p.value = Tensor(name, plain_desc(dims), compute);
  }
};

inline void import_doubles(Tensor& tensor, const Doubles& values, const Compute& compute) {
  Array array(DType::kF32, tensor.dims());
  std::copy(values.begin(), values.end(), array.values<float>().begin());
  tensor.import_from(array, compute);
}

inline Doubles export_doubles(const Tensor& tensor, const Compute& compute) {
  const Array array = tensor.export_to_array(compute);
  return {array.values<float>().begin(), array.values<float>().end()};
}

// The nearest value that the storage has.
inline double snapped(double value, const Storage& storage) {
  const auto real = static_cast<float>(value);
  if (storage.type == Type::f32 || real == 0) return real;  // the exponent of 0 is no number to reckon with
  if (storage.type == Type::bf16) {
    const double unit = std::ldexp(1.0, std::ilogb(real) - 7);  // 8 digits, the leading one not stored
    return std::nearbyint(real / unit) * unit;
  }
  const bool is_unsigned = storage.type == Type::u8;
  return std::clamp<double>(std::nearbyint(real / storage.scale), is_unsigned ? 0 : -128, is_unsigned ? 255 : 127) *
         storage.scale;
}

class OpRun {
 public:
  // `parameters` may be shared by several runs of the same values; made here where null.
  OpRun(const OpCase& op_case, int threads, std::shared_ptr<Parameters> parameters = nullptr,
        std::shared_ptr<Compute> shared_compute = nullptr)
      : c(op_case),
        compute_owner(shared_compute ? std::move(shared_compute) : std::make_shared<Compute>(threads)),
        compute(*compute_owner),
        p(parameters ? std::move(parameters) : std::make_shared<Parameters>(c, compute)) {
    draw();
    write_parameters();
    const auto type = c.src_storage.empty() ? dnnl::memory::data_type::f32 : c.src_storage[0].type;
    const Desc desc = c.tag == Tag::nc ? plain_desc(c.src) : Desc(c.src, type, c.tag);
    op = compute.run([&] { return make(desc); });
    bind();
  }

  void bind() {
    const Requirements& r = op->requirements();
    const auto tensors = [&](const std::vector<Desc>& descs, const char* name) {
      std::vector<Tensor> made;
      for (const Desc& d : descs) made.emplace_back(name, d, compute);
      return made;
    };
    src = tensors(r.src, "src");
    diff_src = tensors(r.diff_src, "diff_src");
    dst = r.dst_is_last_src ? Tensor("dst", r.dst, src.back().data(), compute) : Tensor("dst", r.dst, compute);
    if (c.training) diff_dst = Tensor("diff_dst", r.diff_dst, compute);
    workspace = aligned(r.workspace_bytes);
    scratch = aligned(r.scratch_bytes);
    for (Parameter* parameter : op->parameters()) {
      gradients.emplace_back(parameter->name, parameter->value.desc(), compute);
      parameter->gradient = Tensor(parameter->name, parameter->value, gradients.back().data(), compute);
    }
    Buffers b;
    for (const Tensor& t : src) b.src.push_back(t.data());
    for (const Tensor& t : diff_src) b.diff_src.push_back(t.data());
    b.dst = dst.data();
    b.diff_dst = diff_dst.data();
    b.workspace = workspace.get();
    b.scratch = scratch.get();
    compute.run([&] { op->bind(b); });
    write_inputs();
  }

  void write_inputs() {
    for (size_t i = 0; i < src.size(); ++i) {
      Doubles stored = values.src[i];
      for (double& x : stored) x /= src_scale(i);
      import_doubles(src[i], stored, compute);
    }
    if (c.training) {
      Array array(DType::kF32, diff_dst.dims());
      std::copy(diff_dst_values.begin(), diff_dst_values.end(), array.values<float>().begin());
      diff_dst.import_from(array, compute);
    }
  }

  void forward() {
    compute.run([&] { op->forward(); });
  }
  void backward() {
    compute.run([&] { op->backward(); });
  }
  Doubles dst_values() const {
    Doubles real = export_doubles(dst, compute);
    for (double& x : real) x *= dst_scale();
    return real;
  }
  double dst_scale() const { return op->requirements().keeps_scale ? src_scale(0) : op->requirements().dst_scale; }
  Doubles diff_src_values(size_t i) const { return export_doubles(diff_src[i], compute); }
  Parameter& weight() const { return c.kind == Kind::kConv || c.kind == Kind::kLinear ? p->kernel : p->weight; }

  const OpCase c;
  std::shared_ptr<Compute> compute_owner;
  const Compute& compute;
  std::shared_ptr<Parameters> p;
  Values values;
  Doubles diff_dst_values;
  std::unique_ptr<Op> op;
  std::vector<Tensor> src, diff_src;
  Tensor dst, diff_dst;

 private:
  double src_scale(size_t i) const {
    const Requirements& r = op->requirements();
    if (r.keeps_scale && !c.src_storage.empty()) return c.src_storage[i].scale;
    return r.src_scales.empty() ? 1 : r.src_scales[i];
  }

  static std::shared_ptr<void> aligned(size_t bytes) {
    const size_t rounded = (bytes + 63) / 64 * 64;
    std::shared_ptr<void> memory(std::aligned_alloc(64, std::max<size_t>(rounded, 64)), std::free);
    std::memset(memory.get(), 0xff, rounded);  // NaN: nothing may rely on what was there
    return memory;
  }

  // f32 values, so that the reference sees what the op sees.
  static Doubles normal(std::mt19937& generator, int64_t count, double mean, double deviation) {
    std::normal_distribution<double> distribution(mean, deviation);
    Doubles drawn(static_cast<size_t>(count));
    for (double& x : drawn) x = static_cast<float>(distribution(generator));
    return drawn;
  }

  void draw() {
    std::mt19937 generator(7);
    values.src.push_back(normal(generator, element_count(c.src), c.mean, 1));
    if (c.residual) values.src.push_back(normal(generator, element_count(dst_dims(c)), 0, 1));
    for (size_t i = 0; i < c.src_storage.size(); ++i)
      for (double& x : values.src[i]) x = snapped(x, c.src_storage[i]);
    const auto fill = [&](Doubles& d, const Parameter& parameter, double mean, double deviation) {
      if (parameter.value) d = normal(generator, element_count(parameter.value.dims()), mean, deviation);
    };
    if (p->kernel.value) {
      const Dims w = weight_dims(c);
      const double fan = static_cast<double>(element_count(w)) / static_cast<double>(w[0]);
      fill(values.kernel, p->kernel, 0, 1 / std::sqrt(fan));
    }
    fill(values.weight, p->weight, 1, 0.2);
    fill(values.bias, p->bias, 0, 0.5);
    fill(values.mean, p->mean, 0, 0.5);
    fill(values.var, p->var, 0, 1);
    for (double& x : values.var) x = static_cast<float>(std::abs(x) + 0.1);
    if (c.kind == Kind::kConv || c.kind == Kind::kLinear) values.weight = values.kernel;
    diff_dst_values = normal(generator, element_count(dst_dims(c)), 0, 1);
    for (double& x : diff_dst_values) x = snapped(x, c.dst_storage);
    if ((c.kind == Kind::kBatchNorm || c.kind == Kind::kGroupNorm) && c.relu) {
      // At the bend of the ReLU f32 and f64 may fall on different sides: no gradient there.
      const Doubles y = norm_dst(without_relu(c), values);
      for (size_t i = 0; i < y.size(); ++i)
        if (std::abs(y[i]) < 1e-4) diff_dst_values[i] = 0;
    }
  }

  static OpCase without_relu(OpCase op_case) {
    op_case.relu = false;
    return op_case;
  }

  void write_parameters() {
    if (p->kernel.value) import_doubles(p->kernel.value, values.kernel, compute);
    if (c.kind == Kind::kBatchNorm || c.kind == Kind::kGroupNorm || c.kind == Kind::kFoldedConv)
      import_doubles(p->weight.value, values.weight, compute);
    import_doubles(p->bias.value, values.bias, compute);
    import_doubles(p->mean.value, values.mean, compute);
    import_doubles(p->var.value, values.var, compute);
  }

  std::unique_ptr<Op> make(const Desc& desc) {
    const OpContext context{.compute = compute,
                            .training = c.training,
                            .need_diff_src = c.need_diff_src,
                            .layout = c.layout,
                            .src_storage = c.src_storage,
                            .dst_storage = c.dst_storage};
    const Desc other(dst_dims(c), dnnl::memory::data_type::f32, dst_dims(c).size() == 4 ? Tag::nchw : Tag::nc);
    switch (c.kind) {
      case Kind::kConv:
        return make_conv(context, c.conv, desc, p->kernel);
      case Kind::kFoldedConv:
        return make_folded_conv(context, {.conv = c.conv, .eps = kEps, .relu = c.relu}, desc,
                                c.residual ? &other : nullptr, p->kernel, p->norm());
      case Kind::kBatchNorm:
        return make_batch_norm(context, {.eps = kEps, .momentum = 0.1, .relu = c.relu},
                               c.residual ? std::vector<Desc>{desc, other} : std::vector<Desc>{desc}, p->norm());
      case Kind::kGroupNorm:
        return make_group_norm(context, {.groups = c.groups, .eps = kEps, .relu = c.relu},
                               c.residual ? std::vector<Desc>{desc, other} : std::vector<Desc>{desc}, p->weight,
                               p->bias);
      case Kind::kPadShortcut:
        return make_pad_shortcut(context, {.out = c.out, .stride = c.stride}, desc);
      case Kind::kRelu:
        return make_relu(context, desc);
      case Kind::kAdd:
        return make_add(context, desc, other);
      case Kind::kMaxPool:
        return make_max_pool(context, c.pool, desc);
      case Kind::kGlobalAvgPool:
        return make_global_avg_pool(context, desc);
      case Kind::kLinear:
        return make_linear(context, desc, p->kernel, p->bias);
    }
    return nullptr;
  }

  std::vector<Tensor> gradients;
  std::shared_ptr<void> workspace, scratch;
};

// ||a - b|| / ||b||.
inline double relative_l2(const Doubles& a, const Doubles& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double distance = 0, length = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    distance += (a[i] - b[i]) * (a[i] - b[i]);
    length += b[i] * b[i];
  }
  return length == 0 ? std::sqrt(distance) : std::sqrt(distance / length);
}

inline Doubles pick(const Doubles& all, const Points& points) {
  Doubles some;
  for (const int64_t p : points) some.push_back(all[static_cast<size_t>(p)]);
  return some;
}

// All points of a small tensor, some of a large one.
inline Points points_of(const Dims& dims, bool large) {
  constexpr int64_t kSome = 400;
  if (!large || element_count(dims) <= kSome) return every_point(dims);
  std::mt19937_64 generator(3);
  std::uniform_int_distribution<int64_t> distribution(0, element_count(dims) - 1);
  Points points(kSome);
  for (int64_t& p : points) p = distribution(generator);
  return points;
}

// The largest relative error of dst, of any gradient, and of those of parameters, against the f64 loops.
struct Errors {
  double forward = 0, backward = 0, parameters = 0;
};

inline constexpr double kBackwardLimit = 1e-5;  // the project's, of `backward`

inline Errors errors_against_loops(const OpRun& run) {
  Errors errors;
  const OpCase& c = run.c;
  const Points dst_points = points_of(dst_dims(c), c.bench);
  errors.forward = relative_l2(pick(run.dst_values(), dst_points), reference_dst(c, run.values, dst_points));
  if (!c.training) return errors;
  const Points src_points = points_of(c.src, c.bench);
  Points weight_points;
  Parameter* weight = nullptr;
  for (Parameter* parameter : run.op->parameters())
    if (parameter == &run.weight()) weight = parameter;
  if (weight != nullptr) weight_points = points_of(weight->value.dims(), c.bench);
  const Gradients wanted = reference_gradients(c, run.values, run.diff_dst_values, src_points, weight_points);
  for (size_t i = 0; i < run.diff_src.size(); ++i)
    errors.backward = std::max(errors.backward, relative_l2(pick(run.diff_src_values(i), src_points), wanted.src[i]));
  if (weight != nullptr)
    errors.parameters = relative_l2(pick(export_doubles(weight->gradient, run.compute), weight_points), wanted.weight);
  if (!wanted.bias.empty() && run.p->bias.gradient)
    errors.parameters =
        std::max(errors.parameters, relative_l2(export_doubles(run.p->bias.gradient, run.compute), wanted.bias));
  errors.backward = std::max(errors.backward, errors.parameters);
  return errors;
}

}  // namespace resflow::testing
