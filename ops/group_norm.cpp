#include "ops/group_norm.h"

#include <algorithm>
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

// Two sweeps each way over a picture, the sums first, then the values, by the kernels of batch norm: what differs from
// it is whose sums are put together. Pictures are divided among the threads, so that each one's sums are always taken
// in the same order; the parameters' gradients are sums over the pictures in theirs.
template <class Stored>
class GroupNorm final : public Op {
 public:
  GroupNorm(const OpContext& context, const GroupNormOptions& options, const std::vector<Desc>& srcs, Parameter& weight,
            Parameter& bias)
      : options_(options),
        weight_(weight),
        bias_(bias),
        training_(context.training),
        residual_(srcs.size() == 2),
        parts_(context.compute.threads()) {
    const Dims dims = srcs[0].get_dims();
    N_ = dims[0];
    C_ = dims[1];
    pixels_ = dims[2] * dims[3];
    const Desc desc = norm_desc(with_type(srcs[0], norm_type<Stored>()));
    geometry_ = norm_geometry(desc);
    isa_ = norm_isa(context.compute.isa(), geometry_.width);
    kernels_ = norm_kernels<Stored>(isa_);
    past_caches_ = desc.get_size() > kNormPastCaches && geometry_.stride % 16 == 0;
    mask_ = !options.relu ? NormMask::kNone : residual_ ? NormMask::kDst : NormMask::kSrc;

    requirements_.src.assign(srcs.size(), desc);
    requirements_.dst = desc;
    requirements_.forward_in_place = !training_;
    const auto channels = static_cast<size_t>(geometry_.channels()), all = static_cast<size_t>(N_) * channels;
    ScratchLayout workspace, scratch;
    for (size_t& place : saved_) place = workspace.take(all * sizeof(float));
    for (size_t& place : totals_) place = scratch.take(static_cast<size_t>(parts_) * channels * sizeof(double));
    for (size_t& place : block_sums_) place = scratch.take(static_cast<size_t>(parts_) * channels * sizeof(float));
    for (size_t& place : constants_) place = scratch.take(static_cast<size_t>(parts_) * channels * sizeof(float));
    for (size_t& place : gradients_) place = training_ ? scratch.take(all * sizeof(double)) : 0;
    requirements_.workspace_bytes = workspace.bytes();
    requirements_.scratch_bytes = scratch.bytes();
    if (!training_) return;
    requirements_.diff_dst = desc;
    trains_ = !weight.frozen || !bias.frozen;
    if (context.need_diff_src) requirements_.diff_src.assign(srcs.size(), desc);
    requirements_.backward_reads_src = trains_ || context.need_diff_src;
    requirements_.backward_reads_dst = requirements_.backward_reads_src && mask_ == NormMask::kDst;
    requirements_.backward_in_place = context.need_diff_src;
  }

  void bind(const Buffers& b) override {
    buffers_ = b;
    for (const Parameter* parameter : parameters()) require_gradient(*parameter, parameter->value.desc());
  }

  void forward() override {
    each_picture([&](int part, int64_t n) {
      find_moments(part, n);
      const NormChannels k = channels(part, n);
      const Stored* src = in(0);
      const Stored* residual = residual_ ? in(1) : nullptr;
      auto* dst = static_cast<Stored*>(buffers_.dst);
      // Backwards over memory: the end of the sweep before is still in the cache.
      each_block<true>(n, [&](const NormBlock& block, int64_t offset, int64_t c) {
        kernels_.normalize(block, shifted(k, c), options_.relu, past_caches_, src + offset,
                           residual == nullptr ? nullptr : residual + offset, dst + offset);
      });
      kernels_.fence();
    });
  }

  void backward() override {
    if (!requirements_.backward_reads_src) return;
    each_picture([&](int part, int64_t n) { backward(part, n); });
    finish_parameters();
  }

  std::vector<Parameter*> parameters() const override {
    std::vector<Parameter*> trained;
    for (Parameter* parameter : {&weight_, &bias_})
      if (training_ && !parameter->frozen) trained.push_back(parameter);
    return trained;
  }

  std::string implementation() const override {
    return std::string("resflow:") + isa_name(isa_) + (residual_ ? ":residual" : "") + (options_.relu ? ":relu" : "");
  }

 private:
  enum Saved : size_t { kMean, kRest, kInverse, kScale, kShift };

  const Stored* in(size_t i) const { return static_cast<const Stored*>(buffers_.src[i]); }
  float* saved(Saved what, int64_t n) const {
    return static_cast<float*>(at(buffers_.workspace, saved_[what])) + n * geometry_.channels();
  }
  double* total(size_t i, int part) const {
    return static_cast<double*>(at(buffers_.scratch, totals_[i])) + part * geometry_.channels();
  }
  float* block_sums(size_t i, int part) const {
    return static_cast<float*>(at(buffers_.scratch, block_sums_[i])) + part * geometry_.channels();
  }
  float* constants(size_t i, int part) const {
    return static_cast<float*>(at(buffers_.scratch, constants_[i])) + part * geometry_.channels();
  }
  double* gradient(size_t i, int64_t n) const {
    return static_cast<double*>(at(buffers_.scratch, gradients_[i])) + n * geometry_.channels();
  }

  NormChannels channels(int part, int64_t n) const {
    return {saved(kMean, n), saved(kScale, n), saved(kShift, n), constants(0, part), constants(1, part)};
  }
  static NormChannels shifted(const NormChannels& k, int64_t c) {
    return {k.mean + c, k.scale + c, k.shift + c, k.slope + c, k.offset + c};
  }

  // f(part, picture)
  template <class F>
  void each_picture(const F& f) const {
    parallel_parts(parts_, [&](int part) {
      const Range pictures = part_of(N_, part, parts_);
      for (int64_t n = pictures.begin; n < pictures.end; ++n) f(part, n);
    });
  }

  // f(block, offset in values, first channel) for the blocks of a picture, small enough for the second-level cache.
  template <bool kReverse, class F>
  void each_block(int64_t n, const F& f) const {
    constexpr int64_t kBlockValues = 16384;
    const NormGeometry& g = geometry_;
    const bool is_one = g.units == 1;  // nhwc: the picture's rows are in the middle of the only unit
    const int64_t units = is_one ? 1 : g.groups, first_unit = is_one ? 0 : n * g.groups;
    const int64_t first_row = is_one && N_ > 0 ? n * pixels_ : 0;
    const int64_t max_rows = std::clamp<int64_t>(kBlockValues / g.width, 8, g.width <= 16 ? 1024 : 256);
    const int64_t blocks = (pixels_ + max_rows - 1) / max_rows, all = units * blocks;
    for (int64_t i = 0; i < all; ++i) {
      const int64_t k = kReverse ? all - 1 - i : i;
      const int64_t unit = first_unit + k / blocks, row = k % blocks * max_rows;
      const NormBlock block{.rows = std::min(max_rows, pixels_ - row), .stride = g.stride, .width = g.width};
      f(block, (unit * g.rows + first_row + row) * g.stride, unit % g.groups * g.width);
    }
  }

  void find_moments(int part, int64_t n) const {
    const NormMoments totals{total(0, part), total(1, part), total(2, part)};
    for (double* p : {totals.count, totals.mean, totals.squares}) std::fill_n(p, geometry_.channels(), 0.0);
    const Stored* src = in(0);
    each_block<false>(n, [&](const NormBlock& block, int64_t offset, int64_t c) {
      kernels_.add_moments(block, src + offset, {totals.count + c, totals.mean + c, totals.squares + c},
                           block_sums(0, part), block_sums(1, part), block_sums(2, part));
    });
    const int64_t width = C_ / options_.groups;
    for (int64_t group = 0; group < options_.groups; ++group) {
      const int64_t begin = group * width, end = begin + width;
      double mean = 0, squares = 0;
      for (int64_t c = begin; c < end; ++c) mean += totals.mean[c] / static_cast<double>(width);
      for (int64_t c = begin; c < end; ++c) {
        const double distance = totals.mean[c] - mean;
        squares += totals.squares[c] + static_cast<double>(pixels_) * distance * distance;
      }
      const double inverse = 1 / std::sqrt(squares / static_cast<double>(width * pixels_) + options_.eps);
      for (int64_t c = begin; c < end; ++c) set_channel(n, c, mean, inverse);
    }
    for (const Saved what : {kMean, kRest, kInverse, kScale, kShift})
      std::fill(saved(what, n) + C_, saved(what, n) + geometry_.channels(), 0.0F);
  }

  // The sweeps subtract the mean in f32; what its rounding leaves is made good in the shift.
  void set_channel(int64_t n, int64_t c, double mean, double inverse) const {
    const double scale = weight_.value.data()[c] * inverse;
    const auto rounded = static_cast<float>(mean);
    saved(kMean, n)[c] = rounded;
    saved(kRest, n)[c] = static_cast<float>(mean - rounded);
    saved(kInverse, n)[c] = static_cast<float>(inverse);
    saved(kScale, n)[c] = static_cast<float>(scale);
    saved(kShift, n)[c] = static_cast<float>(bias_.value.data()[c] - (mean - rounded) * scale);
  }

  void backward(int part, int64_t n) const {
    const NormChannels k = channels(part, n);
    auto* diff_residual = buffers_.diff_src.size() == 2 ? static_cast<Stored*>(buffers_.diff_src[1]) : nullptr;
    const auto sources_at = [&](int64_t offset) {
      return NormSources<Stored>{in(0) + offset,
                                 buffers_.dst == nullptr ? nullptr : static_cast<const Stored*>(buffers_.dst) + offset,
                                 static_cast<const Stored*>(buffers_.diff_dst) + offset};
    };
    double *sum = gradient(0, n), *product = gradient(1, n);
    std::fill_n(sum, geometry_.channels(), 0.0);
    std::fill_n(product, geometry_.channels(), 0.0);
    float *block_sum = block_sums(0, part), *block_product = block_sums(1, part);
    each_block<false>(n, [&](const NormBlock& block, int64_t offset, int64_t c) {
      kernels_.block_gradient(block, shifted(k, c), mask_, sources_at(offset),
                              diff_residual == nullptr ? nullptr : diff_residual + offset, block_sum, block_product);
      for (int64_t i = 0; i < block.width; ++i) {
        sum[c + i] += block_sum[i];
        product[c + i] += block_product[i];
      }
    });
    set_slopes(part, n, sum, product);
    if (buffers_.diff_src.empty()) return;
    auto* diff_src = static_cast<Stored*>(buffers_.diff_src[0]);
    // The first sweep has left the masked gradient in diff_residual.
    const NormMask mask = diff_residual == nullptr ? mask_ : NormMask::kNone;
    each_block<true>(n, [&](const NormBlock& block, int64_t offset, int64_t c) {
      NormSources<Stored> sources = sources_at(offset);
      if (diff_residual != nullptr) sources.diff_dst = diff_residual + offset;
      kernels_.diff_src(block, shifted(k, c), mask, false, sources, diff_src + offset);
    });
  }

  // From the sums of a picture's channels: the constants of the second sweep. `product` becomes that with the true
  // mean, times 1/sqrt(var + eps): what the picture adds to the weight's gradient.
  void set_slopes(int part, int64_t n, const double* sum, double* product) const {
    float *slope = constants(0, part), *offset = constants(1, part);
    std::fill_n(slope, geometry_.channels(), 0.0F);
    std::fill_n(offset, geometry_.channels(), 0.0F);
    const int64_t width = C_ / options_.groups;
    const auto values = static_cast<double>(width * pixels_);
    for (int64_t group = 0; group < options_.groups; ++group) {
      const int64_t begin = group * width, end = begin + width;
      double all = 0, all_products = 0;
      for (int64_t c = begin; c < end; ++c) {
        product[c] = (product[c] - saved(kRest, n)[c] * sum[c]) * saved(kInverse, n)[c];
        all += weight_.value.data()[c] * sum[c];
        all_products += weight_.value.data()[c] * product[c];
      }
      for (int64_t c = begin; c < end; ++c) {
        const double inverse = saved(kInverse, n)[c], gradient = inverse * inverse * all_products / values;
        slope[c] = static_cast<float>(gradient);
        offset[c] = static_cast<float>(inverse * all / values - gradient * saved(kRest, n)[c]);
      }
    }
  }

  void finish_parameters() const {
    for (int64_t c = 0; c < C_; ++c) {
      double sum = 0, product = 0;
      for (int64_t n = 0; n < N_; ++n) {
        sum += gradient(0, n)[c];
        product += gradient(1, n)[c];
      }
      if (!weight_.frozen) weight_.gradient.data()[c] = static_cast<float>(product);
      if (!bias_.frozen) bias_.gradient.data()[c] = static_cast<float>(sum);
    }
  }

  const GroupNormOptions options_;
  Parameter &weight_, &bias_;
  const bool training_, residual_;
  const int parts_;
  bool trains_ = false, past_caches_ = false;
  int64_t N_ = 0, C_ = 0, pixels_ = 0;
  NormGeometry geometry_;
  Isa isa_ = Isa::kPlain;
  NormKernels<Stored> kernels_{};
  NormMask mask_ = NormMask::kNone;
  std::array<size_t, 5> saved_{};                    // in the workspace, of each picture
  std::array<size_t, 3> totals_{}, block_sums_{};    // in the scratch, of each part
  std::array<size_t, 2> constants_{}, gradients_{};  // in the scratch, of each part and of each picture
  Buffers buffers_;
};

}  // namespace

std::unique_ptr<Op> make_group_norm(const OpContext& context, const GroupNormOptions& options,
                                    const std::vector<Desc>& srcs, Parameter& weight, Parameter& bias) {
  if (srcs.empty() || srcs.size() > 2) throw internal_error("{}: {} sources, wanted 1 or 2", weight.name, srcs.size());
  require_rank(srcs[0], 4, weight.name.c_str());
  const Dims dims = srcs[0].get_dims();
  if (srcs.size() == 2 && srcs[1].get_dims() != dims)
    throw usage_error("{}: residual {} does not fit src {}", weight.name, to_string(srcs[1].get_dims()),
                      to_string(dims));
  for (const Parameter* parameter : {&weight, &bias})
    if (parameter->value.dims() != Dims{dims[1]})
      throw usage_error("{}: {} does not fit src {}", parameter->name, to_string(parameter->value.dims()),
                        to_string(dims));
  if (options.groups < 1 || dims[1] % options.groups != 0)
    throw usage_error("{}: {} groups do not divide {} channels", weight.name, options.groups, dims[1]);
  return context.compute.run([&]() -> std::unique_ptr<Op> {
    if (context.dst_storage.type == Type::bf16)
      return std::make_unique<GroupNorm<Bf16>>(context, options, srcs, weight, bias);
    return std::make_unique<GroupNorm<float>>(context, options, srcs, weight, bias);
  });
}

}  // namespace resflow
