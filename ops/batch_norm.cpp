#include "ops/batch_norm.h"

#include <array>
#include <cmath>

#include "io/core/error.h"
#include "ops/kernels/norm_kernels.h"
#include "ops/kernels/parallel.h"
#include "ops/norm_geometry.h"
#include "ops/primitive.h"

namespace resflow {
namespace {

using Type = dnnl::memory::data_type;

// Two sweeps each way: the sums first, then the values. Sums are f32 within a block of rows, f64 over blocks and
// parts, in an order that depends on the number of threads alone. oneDNN has no batch norm with a fused residual.
// In bf16 data and their gradients are rounded once, when they are stored; statistics and parameters are f32.
template <class Stored>
class BatchNorm final : public Op {
 public:
  BatchNorm(const OpContext& context, const BatchNormOptions& options, const std::vector<Desc>& srcs,
            const BatchNormParameters& parameters)
      : compute_(context.compute),
        options_(options),
        parameters_(parameters),
        training_(context.training),
        fixed_(context.training && parameters.running_mean.frozen),
        residual_(srcs.size() == 2),
        parts_(context.compute.threads()) {
    const Dims dims = srcs[0].get_dims();
    C_ = dims[1];
    count_ = dims[0] * dims[2] * dims[3];
    const Desc desc = norm_desc(with_type(srcs[0], norm_type<Stored>()));
    geometry_ = norm_geometry(desc);
    isa_ = norm_isa(compute_.isa(), geometry_.width);
    kernels_ = norm_kernels<Stored>(isa_);
    past_caches_ = desc.get_size() > kNormPastCaches && geometry_.stride % 16 == 0;
    mask_ = !options.relu ? NormMask::kNone : residual_ ? NormMask::kDst : NormMask::kSrc;

    requirements_.src.assign(srcs.size(), desc);
    requirements_.dst = desc;
    requirements_.forward_in_place = !training_;
    const auto channels = static_cast<size_t>(geometry_.channels());
    ScratchLayout workspace, scratch;
    mean_ = workspace.take(channels * sizeof(float));
    scale_ = workspace.take(channels * sizeof(float));
    shift_ = workspace.take(channels * sizeof(float));
    inverse_ = workspace.take(channels * sizeof(float));
    rest_ = workspace.take(channels * sizeof(float));
    if (training_) {
      requirements_.workspace_bytes = workspace.bytes();
      requirements_.diff_dst = desc;
      trains_ = !parameters.weight.frozen || !parameters.bias.frozen;
      if (context.need_diff_src) requirements_.diff_src.assign(srcs.size(), desc);
      requirements_.backward_reads_src = trains_ || context.need_diff_src;
      requirements_.backward_reads_dst = requirements_.backward_reads_src && mask_ == NormMask::kDst;
      requirements_.backward_in_place = context.need_diff_src;
    } else {
      own_workspace_.resize(workspace.bytes() / sizeof(float));
    }
    const auto parts = static_cast<size_t>(parts_);
    slope_ = scratch.take(channels * sizeof(float));
    offset_ = scratch.take(channels * sizeof(float));
    for (size_t& place : totals_) place = scratch.take(parts * channels * sizeof(double));
    for (size_t& place : block_sums_) place = scratch.take(parts * channels * sizeof(float));
    if (training_) requirements_.scratch_bytes = scratch.bytes();
  }

  void bind(const Buffers& b) override {
    buffers_ = b;
    if (!training_) buffers_.workspace = own_workspace_.data();
    for (const Parameter* parameter : parameters()) require_gradient(*parameter, parameter->value.desc());
    refresh();
  }

  void forward() override {
    if (fixed_) take_running();
    if (training_ && !fixed_) compute_moments();
    const NormChannels k = channels();
    const Stored* src = in(0);
    const Stored* residual = residual_ ? in(1) : nullptr;
    auto* dst = static_cast<Stored*>(buffers_.dst);
    // Backwards over memory: the end of the sweep before is still in the cache.
    each_part([&](int part) {
      each_block<true>(part, [&](const NormBlock& block, int64_t offset, int64_t c) {
        kernels_.normalize(block, shifted(k, c), options_.relu, past_caches_, src + offset,
                           residual == nullptr ? nullptr : residual + offset, dst + offset);
      });
      kernels_.fence();
    });
  }

  void backward() override {
    if (!requirements_.backward_reads_src) return;
    const NormChannels k = channels();
    auto* diff_residual = buffers_.diff_src.size() == 2 ? static_cast<Stored*>(buffers_.diff_src[1]) : nullptr;
    const auto sources_at = [&](int64_t offset) {
      return NormSources<Stored>{in(0) + offset,
                                 buffers_.dst == nullptr ? nullptr : static_cast<const Stored*>(buffers_.dst) + offset,
                                 static_cast<const Stored*>(buffers_.diff_dst) + offset};
    };
    each_part([&](int part) {
      double* sum = total(0, part);
      double* product = total(1, part);
      std::fill_n(sum, geometry_.channels(), 0.0);
      std::fill_n(product, geometry_.channels(), 0.0);
      float* block_sum = block_sums(0, part);
      float* block_product = block_sums(1, part);
      each_block<false>(part, [&](const NormBlock& block, int64_t offset, int64_t c) {
        kernels_.block_gradient(block, shifted(k, c), mask_, sources_at(offset),
                                diff_residual == nullptr ? nullptr : diff_residual + offset, block_sum, block_product);
        for (int64_t i = 0; i < block.width; ++i) {
          sum[c + i] += block_sum[i];
          product[c + i] += block_product[i];
        }
      });
    });
    finish_gradient();
    if (buffers_.diff_src.empty()) return;
    auto* diff_src = static_cast<Stored*>(buffers_.diff_src[0]);
    // The first sweep has left the masked gradient in diff_residual.
    const NormMask mask = diff_residual == nullptr ? mask_ : NormMask::kNone;
    // A vector of bf16 is half a cache line: in place, a store past the caches would throw out what is read next.
    const bool keeps_line =
        sizeof(Stored) < sizeof(float) && diff_residual == nullptr && buffers_.diff_src[0] == buffers_.diff_dst;
    each_part([&](int part) {
      each_block<true>(part, [&](const NormBlock& block, int64_t offset, int64_t c) {
        NormSources<Stored> sources = sources_at(offset);
        if (diff_residual != nullptr) sources.diff_dst = diff_residual + offset;
        kernels_.diff_src(block, shifted(k, c), mask, past_caches_ && !keeps_line, sources, diff_src + offset);
      });
      kernels_.fence();
    });
  }

  void refresh() override {
    if (!training_) take_running();
  }

  std::vector<Parameter*> parameters() const override {
    std::vector<Parameter*> trained;
    for (Parameter* parameter : {&parameters_.weight, &parameters_.bias})
      if (training_ && !parameter->frozen) trained.push_back(parameter);
    return trained;
  }

  std::string implementation() const override {
    return std::string("resflow:") + isa_name(isa_) + (residual_ ? ":residual" : "") + (options_.relu ? ":relu" : "");
  }

 private:
  const Stored* in(size_t i) const { return static_cast<const Stored*>(buffers_.src[i]); }
  float* workspace(size_t place) const { return static_cast<float*>(at(buffers_.workspace, place)); }
  double* total(size_t i, int part) const {
    return static_cast<double*>(at(buffers_.scratch, totals_[i])) + part * geometry_.channels();
  }
  float* block_sums(size_t i, int part) const {
    return static_cast<float*>(at(buffers_.scratch, block_sums_[i])) + part * geometry_.channels();
  }

  NormChannels channels() const {
    NormChannels k{workspace(mean_), workspace(scale_), workspace(shift_), nullptr, nullptr};
    if (training_) {
      k.slope = static_cast<float*>(at(buffers_.scratch, slope_));
      k.offset = static_cast<float*>(at(buffers_.scratch, offset_));
    }
    return k;
  }
  static NormChannels shifted(const NormChannels& k, int64_t c) {
    return {k.mean + c, k.scale + c, k.shift + c, k.slope == nullptr ? nullptr : k.slope + c,
            k.offset == nullptr ? nullptr : k.offset + c};
  }

  template <class F>
  void each_part(const F& f) const {
    parallel_parts(parts_, f);
  }

  // f(block, offset in values, first channel) for the blocks of one part, small enough for the second-level cache.
  template <bool kReverse, class F>
  void each_block(int part, const F& f) const {
    constexpr int64_t kBlockValues = 16384;
    const NormGeometry& g = geometry_;
    // A column has four sums to share the rows. Longer sums of f32 would lose digits.
    const int64_t max_rows = std::clamp<int64_t>(kBlockValues / g.width, 8, g.width <= 16 ? 1024 : 256);
    // Few units (one, where the layout is nhwc) are divided by rows.
    const bool by_rows = g.units < parts_ || g.units == 1;
    const Range units = by_rows ? Range{0, g.units} : part_of(g.units, part, parts_);
    const Range rows = by_rows ? part_of(g.rows, part, parts_) : Range{0, g.rows};
    const int64_t blocks = (rows.end - rows.begin + max_rows - 1) / max_rows;
    const int64_t all = (units.end - units.begin) * blocks;
    for (int64_t i = 0; i < all; ++i) {
      const int64_t k = kReverse ? all - 1 - i : i;
      const int64_t unit = units.begin + k / blocks;
      const int64_t row = rows.begin + k % blocks * max_rows;
      const NormBlock block{.rows = std::min(max_rows, rows.end - row), .stride = g.stride, .width = g.width};
      f(block, (unit * g.rows + row) * g.stride, unit % g.groups * g.width);
    }
  }

  void take_running() {
    const float* running_mean = parameters_.running_mean.value.data();
    const float* running_var = parameters_.running_var.value.data();
    for (int64_t c = 0; c < C_; ++c) set_channel(c, running_mean[c], running_var[c]);
    clear_padding();
  }

  void clear_padding() const {
    for (int64_t c = C_; c < geometry_.channels(); ++c)
      workspace(mean_)[c] = workspace(scale_)[c] = workspace(shift_)[c] = 0;
  }

  void compute_moments() {
    const Stored* src = in(0);
    each_part([&](int part) {
      const NormMoments totals{total(0, part), total(1, part), total(2, part)};
      for (double* p : {totals.count, totals.mean, totals.squares}) std::fill_n(p, geometry_.channels(), 0.0);
      each_block<false>(part, [&](const NormBlock& block, int64_t offset, int64_t c) {
        kernels_.add_moments(block, src + offset, {totals.count + c, totals.mean + c, totals.squares + c},
                             block_sums(0, part), block_sums(1, part), block_sums(2, part));
      });
    });
    for (int64_t c = 0; c < C_; ++c) {
      double count = 0, mean = 0, squares = 0;
      for (int part = 0; part < parts_; ++part) {
        const double more = total(0, part)[c];
        if (more == 0) continue;
        const double step = total(1, part)[c] - mean;
        squares += total(2, part)[c] + step * step * (count * more / (count + more));
        count += more;
        mean += step * (more / count);
      }
      set_channel(c, mean, squares / static_cast<double>(count_));
      update_running(c, mean, squares);
    }
    clear_padding();
    parameters_.running_mean.version += 1;
    parameters_.running_var.version += 1;
    parameters_.num_batches_tracked.version += 1;
    parameters_.num_batches_tracked.count += 1;
  }

  // The sweeps subtract the mean in f32; what its rounding leaves is made good in the shift.
  void set_channel(int64_t c, double mean, double var) {
    const double inverse = 1 / std::sqrt(var + options_.eps);
    const double scale = parameters_.weight.value.data()[c] * inverse;
    const auto rounded = static_cast<float>(mean);
    workspace(mean_)[c] = rounded;
    workspace(rest_)[c] = static_cast<float>(mean - rounded);
    workspace(inverse_)[c] = static_cast<float>(inverse);
    workspace(scale_)[c] = static_cast<float>(scale);
    workspace(shift_)[c] = static_cast<float>(parameters_.bias.value.data()[c] - (mean - rounded) * scale);
  }

  void update_running(int64_t c, double mean, double squares) {
    const double m = options_.momentum, unbiased = squares / static_cast<double>(count_ - 1);
    float& running_mean = parameters_.running_mean.value.data()[c];
    float& running_var = parameters_.running_var.value.data()[c];
    running_mean = static_cast<float>((1 - m) * running_mean + m * mean);
    running_var = static_cast<float>((1 - m) * running_var + m * unbiased);
  }

  // From the sums of all parts: the parameters' gradients, and the constants of the second sweep.
  void finish_gradient() {
    float* weight_gradient = parameters_.weight.frozen ? nullptr : parameters_.weight.gradient.data();
    float* bias_gradient = parameters_.bias.frozen ? nullptr : parameters_.bias.gradient.data();
    auto* slope = static_cast<float*>(at(buffers_.scratch, slope_));
    auto* offset = static_cast<float*>(at(buffers_.scratch, offset_));
    std::fill_n(slope, geometry_.channels(), 0.0F);
    std::fill_n(offset, geometry_.channels(), 0.0F);
    const auto n = static_cast<double>(count_);
    for (int64_t c = 0; c < C_; ++c) {
      double sum = 0, product = 0;
      for (int part = 0; part < parts_; ++part) {
        sum += total(0, part)[c];
        product += total(1, part)[c];
      }
      const double inverse = workspace(inverse_)[c], scale = workspace(scale_)[c], rest = workspace(rest_)[c];
      product -= rest * sum;
      if (weight_gradient != nullptr) weight_gradient[c] = static_cast<float>(product * inverse);
      if (bias_gradient != nullptr) bias_gradient[c] = static_cast<float>(sum);
      if (fixed_) continue;  // mean and variance are constants: the slope and the offset come from their gradients
      const double gradient = scale * inverse * inverse * product / n;
      slope[c] = static_cast<float>(gradient);
      offset[c] = static_cast<float>(scale * sum / n - gradient * rest);
    }
  }

  const Compute& compute_;
  const BatchNormOptions options_;
  const BatchNormParameters parameters_;
  const bool training_, fixed_, residual_;
  const int parts_;
  bool trains_ = false, past_caches_ = false;
  int64_t C_ = 0, count_ = 0;
  NormGeometry geometry_;
  Isa isa_ = Isa::kPlain;
  NormKernels<Stored> kernels_{};
  NormMask mask_ = NormMask::kNone;
  size_t mean_ = 0, scale_ = 0, shift_ = 0, inverse_ = 0, rest_ = 0;  // in the workspace
  size_t slope_ = 0, offset_ = 0;                                     // in the scratch
  std::array<size_t, 3> totals_{}, block_sums_{};                     // in the scratch, of each part
  std::vector<float> own_workspace_;                                  // in inference
  Buffers buffers_;
};

}  // namespace

std::unique_ptr<Op> make_batch_norm(const OpContext& context, const BatchNormOptions& options,
                                    const std::vector<Desc>& srcs, const BatchNormParameters& parameters) {
  const std::string& name = parameters.weight.name;
  if (srcs.empty() || srcs.size() > 2) throw internal_error("{}: {} sources, wanted 1 or 2", name, srcs.size());
  require_rank(srcs[0], 4, name.c_str());
  const Dims dims = srcs[0].get_dims();
  if (srcs.size() == 2 && srcs[1].get_dims() != dims)
    throw usage_error("{}: residual {} does not fit src {}", name, to_string(srcs[1].get_dims()), to_string(dims));
  for (const Parameter* parameter :
       {&parameters.weight, &parameters.bias, &parameters.running_mean, &parameters.running_var})
    if (parameter->value.dims() != Dims{dims[1]})
      throw usage_error("{}: {} does not fit src {}", parameter->name, to_string(parameter->value.dims()),
                        to_string(dims));
  if (context.training && !parameters.running_mean.frozen && dims[0] * dims[2] * dims[3] < 2)
    throw usage_error("{}: src {} has one value a channel, training wants two or more: a larger batch or image", name,
                      to_string(dims));
  return context.compute.run([&]() -> std::unique_ptr<Op> {
    if (context.dst_storage.type == Type::bf16)
      return std::make_unique<BatchNorm<Bf16>>(context, options, srcs, parameters);
    return std::make_unique<BatchNorm<float>>(context, options, srcs, parameters);
  });
}

}  // namespace resflow
