#include "ops/winograd_conv.h"

#include <algorithm>
#include <optional>

#include "io/core/error.h"
#include "ops/fold_batch_norm.h"
#include "ops/kernels/simd.h"
#include "ops/kernels/winograd.h"
#include "ops/primitive.h"

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;
constexpr auto kF32 = Type::f32;

WinogradShape winograd_shape(const ConvShape& s) { return {.N = s.N, .C = s.Ci, .K = s.Co, .H = s.H, .W = s.W}; }

struct Layouts {
  Tag tag;
  WinogradLayout layout;
  Desc src, dst, weights;

  Layouts(const OpContext& context, const ConvShape& s, const Desc& given) {
    const Type type = context.training              ? context.dst_storage.type
                      : context.src_storage.empty() ? kF32
                                                    : context.src_storage.front().type;
    const auto is = [&](Tag candidate) { return given == Desc(s.src, kF32, candidate); };
    const bool has_eights = context.compute.isa() == Isa::kAvx2;
    const Tag blocked = has_eights && !is(Tag::nChw16c) ? Tag::nChw8c : Tag::nChw16c;
    tag = context.layout == Layout::kChannelsLast || type == Type::bf16 || is(Tag::nhwc) ? Tag::nhwc : blocked;
    layout = type == Type::bf16    ? WinogradLayout::kNhwcBf16
             : tag == Tag::nhwc    ? WinogradLayout::kNhwc
             : tag == Tag::nChw16c ? WinogradLayout::kNChw16c
                                   : WinogradLayout::kNChw8c;
    src = Desc(s.src, type, tag);
    dst = Desc(s.dst, type, tag);
    weights = Desc(s.weights, kF32, Tag::OIhw16i16o);
  }
};

float* floats_at(void* base, size_t offset) { return static_cast<float*>(at(base, offset)); }

Desc bytes_desc(size_t bytes) { return {{static_cast<int64_t>(bytes / sizeof(float))}, kF32, Tag::a}; }

const winograd::Kernels& kernels_for(const Compute& compute) { return *winograd::best_kernels(compute.isa()); }

std::string name_of_kernels(const Compute& compute) {
  return std::string("winograd_4x4_3x3:") + kernels_for(compute).name;
}

class WinogradConv final : public Op {
 public:
  WinogradConv(const OpContext& context, const ConvShape& shape, const Desc& src, Parameter& weight)
      : compute_(context.compute),
        shape_(shape),
        weight_(weight),
        layouts_(context, shape, src),
        forward_(winograd_shape(shape), layouts_.layout, WinogradForward::Weights::kAsTheyAre, compute_.threads(),
                 kernels_for(compute_)) {
    WinogradShape turned = winograd_shape(shape);
    std::swap(turned.C, turned.K);
    if (context.need_diff_src)
      backward_data_.emplace(turned, layouts_.layout, WinogradForward::Weights::kTurned, compute_.threads(),
                             kernels_for(compute_));
    if (!weight.frozen)
      backward_weights_.emplace(winograd_shape(shape), layouts_.layout, compute_.threads(), kernels_for(compute_));

    lay_out(weight_, layouts_.weights, compute_);
    plan_scratch();
    requirements_.src = {layouts_.src};
    requirements_.dst = layouts_.dst;
    requirements_.diff_dst = layouts_.dst;
    if (backward_data_) requirements_.diff_src = {layouts_.src};
    requirements_.backward_reads_src = backward_weights_.has_value();
    requirements_.scratch_bytes = std::max({forward_scratch_.bytes(), data_scratch_.bytes(), weights_scratch_.bytes()});
  }

  void bind(const Buffers& b) override {
    float* value = weight_.value.data();
    to_forward_call_ = to_kernel_.bind(value, at(b.scratch, forward_copy_), at(b.scratch, forward_work_), compute_);
    forward_arguments_ = {.src = b.src.at(0),
                          .weights = to_kernel_ ? floats_at(b.scratch, forward_copy_) : value,
                          .transformed_weights = floats_at(b.scratch, forward_weights_),
                          .dst = b.dst,
                          .scratch = at(b.scratch, forward_work_)};
    forward_weights_place_ = floats_at(b.scratch, forward_weights_);
    if (backward_data_) {
      to_data_call_ = to_kernel_.bind(value, at(b.scratch, data_copy_), at(b.scratch, data_work_), compute_);
      data_arguments_ = {.src = b.diff_dst,
                         .weights = to_kernel_ ? floats_at(b.scratch, data_copy_) : value,
                         .transformed_weights = floats_at(b.scratch, data_weights_),
                         .dst = b.diff_src.at(0),
                         .scratch = at(b.scratch, data_work_)};
      data_weights_place_ = floats_at(b.scratch, data_weights_);
    }
    if (backward_weights_) {
      require_gradient(weight_, weight_.value.desc());
      src_ = b.src.at(0);
      diff_dst_ = b.diff_dst;
      product_ = from_kernel_ ? floats_at(b.scratch, product_copy_) : weight_.gradient.data();
      work_ = at(b.scratch, weights_work_);
      from_product_call_ = from_kernel_.bind(product_, weight_.gradient.data(), work_, compute_);
    }
  }

  void forward() override {
    if (to_forward_call_) to_forward_call_.run();
    forward_.transform_weights(forward_arguments_.weights, forward_weights_place_);
    forward_.run(forward_arguments_);
  }

  void backward() override {
    if (backward_data_) {
      if (to_data_call_) to_data_call_.run();
      backward_data_->transform_weights(data_arguments_.weights, data_weights_place_);
      backward_data_->run(data_arguments_);
    }
    if (backward_weights_) {
      backward_weights_->run(src_, diff_dst_, product_, work_);
      if (from_product_call_) from_product_call_.run();
    }
  }

  std::vector<Parameter*> parameters() const override {
    return backward_weights_ ? std::vector<Parameter*>{&weight_} : std::vector<Parameter*>{};
  }

  std::string implementation() const override { return name_of_kernels(compute_); }
  int64_t multiply_adds() const override { return shape_.multiply_adds(); }

 private:
  // A reorder and the kernel that it serves run one after the other: they share the scratch.
  void plan_scratch() {
    to_kernel_ = PlannedReorder(weight_.value.desc(), layouts_.weights, compute_);
    from_kernel_ = PlannedReorder(layouts_.weights, weight_.value.desc(), compute_);
    const size_t copy_bytes = to_kernel_ ? layouts_.weights.get_size() : 0;
    forward_copy_ = forward_scratch_.take(copy_bytes);
    forward_weights_ = forward_scratch_.take(forward_.weights_bytes());
    forward_work_ = forward_scratch_.take(std::max(forward_.scratch_bytes(), to_kernel_.scratchpad_bytes()));
    if (backward_data_) {
      data_copy_ = data_scratch_.take(copy_bytes);
      data_weights_ = data_scratch_.take(backward_data_->weights_bytes());
      data_work_ = data_scratch_.take(std::max(backward_data_->scratch_bytes(), to_kernel_.scratchpad_bytes()));
    }
    if (backward_weights_) {
      product_copy_ = weights_scratch_.take(copy_bytes);
      weights_work_ =
          weights_scratch_.take(std::max(backward_weights_->scratch_bytes(), from_kernel_.scratchpad_bytes()));
    }
  }

  const Compute& compute_;
  const ConvShape shape_;
  Parameter& weight_;
  const Layouts layouts_;
  const WinogradForward forward_;
  std::optional<WinogradForward> backward_data_;
  std::optional<WinogradBackwardWeights> backward_weights_;

  PlannedReorder to_kernel_, from_kernel_;                          // empty where the value has the kernels' layout
  ScratchLayout forward_scratch_, data_scratch_, weights_scratch_;  // three lives of one buffer
  size_t forward_copy_ = 0, forward_weights_ = 0, forward_work_ = 0;
  size_t data_copy_ = 0, data_weights_ = 0, data_work_ = 0;
  size_t product_copy_ = 0, weights_work_ = 0;
  Call to_forward_call_, to_data_call_, from_product_call_;
  WinogradForward::Arguments forward_arguments_, data_arguments_;
  float* forward_weights_place_ = nullptr;
  float* data_weights_place_ = nullptr;
  const void* src_ = nullptr;
  const void* diff_dst_ = nullptr;
  float* product_ = nullptr;
  void* work_ = nullptr;
};

// Inference: the weights, folded or not, are transformed when they change, or in each forward where that was asked for.
class WinogradInference final : public Op {
 public:
  struct Norm {
    BatchNormParameters parameters;
    double eps;
  };

  WinogradInference(const OpContext& context, const ConvShape& shape, const Desc& src, bool relu, bool residual,
                    Parameter& weight, const std::optional<Norm>& norm)
      : compute_(context.compute),
        shape_(shape),
        weight_(weight),
        norm_(norm),
        layouts_(context, shape, src),
        forward_(winograd_shape(shape), layouts_.layout, WinogradForward::Weights::kAsTheyAre, compute_.threads(),
                 kernels_for(compute_)),
        keeps_transformed_(context.keep_transformed && forward_.weights_bytes() > 0) {
    if (norm_) check_foldable(norm_->parameters, shape.Co, weight.name);
    if (!borrow_copies(context.lender)) {
      if (norm_) bias_ = Tensor(norm_->parameters.bias.name, plain_desc({shape.Co}), compute_);
      held_ = Tensor(weight.name, held_desc(), compute_);
    }
    if (!keeps_transformed_) transformed_ = scratch_.take(forward_.weights_bytes());
    work_ = scratch_.take(forward_.scratch_bytes());
    requirements_.src = {layouts_.src};
    requirements_.dst = layouts_.dst;
    if (residual) requirements_.src.push_back(layouts_.dst);
    requirements_.dst_is_last_src = residual;
    requirements_.scratch_bytes = scratch_.bytes();
    arguments_.relu = relu;
  }

  void bind(const Buffers& b) override {
    arguments_.src = b.src.at(0);
    arguments_.weights = held_.data();
    transformed_place_ = keeps_transformed_ ? held_.data() : floats_at(b.scratch, transformed_);
    arguments_.transformed_weights = transformed_place_;
    arguments_.bias = bias_.data();
    arguments_.dst = b.dst;
    arguments_.scratch = at(b.scratch, work_);
    if (requirements_.dst_is_last_src) {
      if (b.src.at(1) != b.dst) throw internal_error("{}: dst must be the buffer of the residual", weight_.name);
      arguments_.residual = b.dst;
    }
    refresh();
  }

  void forward() override {
    if (!keeps_transformed_) forward_.transform_weights(held_.data(), transformed_place_);
    forward_.run(arguments_);
  }
  void backward() override { throw internal_error("{}: a convolution for inference has no backward", weight_.name); }

  void refresh() override {
    if (borrows_) return;
    const Tensor blocked = keeps_transformed_ ? Tensor(weight_.name, layouts_.weights, compute_)
                                              : Tensor(weight_.name, held_, held_.data(), compute_);
    if (norm_) {
      FoldedBatchNorm folded = fold_batch_norm(weight_, norm_->parameters, norm_->eps, compute_);
      std::copy(folded.bias.begin(), folded.bias.end(), bias_.data());
      copy_values(Tensor(weight_.name, plain_desc(folded.weights.dims()), folded.weights.raw(), compute_), blocked,
                  compute_);
    } else {
      copy_values(weight_.value, blocked, compute_);
    }
    if (keeps_transformed_) compute_.run([&] { forward_.transform_weights(blocked.data(), held_.data()); });
  }

  std::string implementation() const override { return name_of_kernels(compute_); }
  int64_t multiply_adds() const override { return shape_.multiply_adds(); }
  size_t copy_bytes() const override { return borrows_ ? 0 : held_.bytes() + bias_.bytes(); }

 private:
  Desc held_desc() const { return keeps_transformed_ ? bytes_desc(forward_.weights_bytes()) : layouts_.weights; }

  // Transformed weights lie alike for any number of threads.
  bool borrow_copies(const Op* op) {
    const auto* lender = dynamic_cast<const WinogradInference*>(op);
    if (lender == nullptr || lender->held_.desc() != held_desc()) return false;
    held_ = lender->held_;
    bias_ = lender->bias_;
    return borrows_ = true;
  }

  const Compute& compute_;
  const ConvShape shape_;
  Parameter& weight_;
  const std::optional<Norm> norm_;
  const Layouts layouts_;
  const WinogradForward forward_;
  const bool keeps_transformed_;
  Tensor held_;  // weights: transformed, or only in the kernels' layout
  Tensor bias_;
  bool borrows_ = false;  // both
  ScratchLayout scratch_;
  size_t transformed_ = 0, work_ = 0;
  float* transformed_place_ = nullptr;
  WinogradForward::Arguments arguments_;
};

}  // namespace

bool winograd_is_better(const ConvShape& shape, Isa isa, bool bf16, bool tiles) {
  const ConvOptions& o = shape.options;
  return !(bf16 && tiles) && o.kernel == 3 && o.stride == 1 && o.pad == 1 && o.dilation == 1 && o.groups == 1 &&
         winograd_wins(winograd_shape(shape), bf16, isa);
}

std::unique_ptr<Op> make_winograd_conv(const OpContext& context, const ConvShape& shape, const Desc& src,
                                       Parameter& weight) {
  if (context.training) return std::make_unique<WinogradConv>(context, shape, src, weight);
  return std::make_unique<WinogradInference>(context, shape, src, false, false, weight, std::nullopt);
}

std::unique_ptr<Op> make_winograd_folded_conv(const OpContext& context, const FoldedConvOptions& options,
                                              const ConvShape& shape, const Desc& src, bool residual, Parameter& weight,
                                              const BatchNormParameters& norm) {
  return std::make_unique<WinogradInference>(context, shape, src, options.relu, residual, weight,
                                             WinogradInference::Norm{.parameters = norm, .eps = options.eps});
}

}  // namespace resflow
