#include "ops/folded_conv.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "io/core/error.h"
#include "ops/conv_shape.h"
#include "ops/fold_batch_norm.h"
#include "ops/primitive.h"
#include "ops/winograd_conv.h"

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;
using Forward = dnnl::convolution_forward::primitive_desc;

bool is_8_bit(Type type) { return type == Type::u8 || type == Type::s8; }

// In which numbers a convolution is to run.
struct Numbers {
  Storage src, dst;
  std::optional<Storage> residual;

  bool int8() const { return is_8_bit(src.type); }
  Type weights() const { return int8() ? Type::s8 : src.type; }
  bool f32() const { return src.type == Type::f32; }
  bool all_are(Type type) const {
    return src.type == type && dst.type == type && (!residual || residual->type == type);
  }
};

Numbers asked_for(const OpContext& context, bool residual) {
  Numbers numbers;
  if (!context.src_storage.empty()) numbers.src = context.src_storage.front();
  numbers.dst = context.dst_storage;
  if (residual) numbers.residual = context.src_storage.empty() ? Storage{} : context.src_storage.back();
  return numbers;
}

Numbers all_f32(bool residual) {
  return {.src = {}, .dst = {}, .residual = residual ? std::optional<Storage>(Storage{}) : std::nullopt};
}

class DirectFoldedConv final : public Op {
 public:
  DirectFoldedConv(const OpContext& context, const FoldedConvOptions& options, const ConvShape& shape, bool residual,
                   Parameter& weight, const BatchNormParameters& norm)
      : compute_(context.compute),
        shape_(shape),
        eps_(options.eps),
        relu_(options.relu),
        weight_(weight),
        norm_(norm),
        numbers_(asked_for(context, residual)) {
    check_foldable(norm, shape.Co, weight.name);
    pd_ = choose(context.layout);
    if (!numbers_.f32() && (!pd_ || is_reference(pd_.impl_info_str()))) {
      // Some convolutions of some CPUs have optimized code in f32 alone.
      numbers_ = all_f32(residual);
      pd_ = choose(context.layout);
    }
    if (!pd_) throw internal_error("{}: oneDNN has no convolution for src {}", weight_.name, to_string(shape_.src));

    if (!borrow_copies(context.lender)) {
      folded_weight_ = Tensor(weight.name, pd_.weights_desc(), compute_);
      folded_bias_ = Tensor(norm.bias.name, pd_.bias_desc(), compute_);
      if (numbers_.int8()) weight_scales_ = Tensor(weight.name, plain_desc({shape_.Co}), compute_);
    }
    if (numbers_.int8()) {
      edge_scales_ = Tensor(weight.name, plain_desc({2}), compute_);
      edge_scales_.data()[0] = numbers_.src.scale;
      edge_scales_.data()[1] = numbers_.dst.scale;
    }
    requirements_.src = {pd_.src_desc()};
    requirements_.src_scales = {numbers_.src.scale};
    requirements_.dst = pd_.dst_desc();
    requirements_.dst_scale = numbers_.dst.scale;
    if (residual) {
      requirements_.src.push_back(with_type(pd_.dst_desc(), numbers_.residual->type));
      requirements_.src_scales.push_back(numbers_.residual->scale);
    }
    requirements_.dst_is_last_src = residual;
    requirements_.scratch_bytes = pd_.scratchpad_desc().get_size();
  }

  void bind(const Buffers& b) override {
    if (requirements_.dst_is_last_src && b.src.at(1) != b.dst)
      throw internal_error("{}: dst must be the buffer of the residual", weight_.name);
    call_ = Call(dnnl::convolution_forward(pd_), compute_);
    call_.arg(DNNL_ARG_SRC, pd_.src_desc(), b.src.at(0))
        .arg(DNNL_ARG_WEIGHTS, pd_.weights_desc(), folded_weight_.data())
        .arg(DNNL_ARG_BIAS, pd_.bias_desc(), folded_bias_.data())
        .arg(DNNL_ARG_DST, pd_.dst_desc(), b.dst)
        .arg(DNNL_ARG_SCRATCHPAD, pd_.scratchpad_desc(), b.scratch);
    if (numbers_.int8()) {
      const Desc one = plain_desc({1});
      call_.arg(DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC, one, edge_scales_.data())
          .arg(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, weight_scales_.desc(), weight_scales_.data())
          .arg(DNNL_ARG_ATTR_SCALES | DNNL_ARG_DST, one, edge_scales_.data() + 1);
    }
    refresh();
  }

  void forward() override { call_.run(); }
  void backward() override { throw internal_error("{}: a folded convolution has no backward", weight_.name); }

  void refresh() override {
    if (borrows_) return;
    FoldedBatchNorm folded = fold_batch_norm(weight_, norm_, eps_, compute_);
    std::copy(folded.bias.begin(), folded.bias.end(), folded_bias_.data());
    if (numbers_.int8()) {
      quantize(folded.weights);
    } else {
      copy_values(Tensor(weight_.name, plain_desc(folded.weights.dims()), folded.weights.raw(), compute_),
                  folded_weight_, compute_);
    }
  }

  std::string implementation() const override { return pd_.impl_info_str(); }
  int64_t multiply_adds() const override { return shape_.multiply_adds(); }
  size_t copy_bytes() const override {
    return borrows_ ? 0 : folded_weight_.bytes() + folded_bias_.bytes() + weight_scales_.bytes();
  }

 private:
  bool borrow_copies(const Op* op) {
    const auto* lender = dynamic_cast<const DirectFoldedConv*>(op);
    if (lender == nullptr || lender->pd_.weights_desc() != pd_.weights_desc()) return false;
    folded_weight_ = lender->folded_weight_;
    folded_bias_ = lender->folded_bias_;
    weight_scales_ = lender->weight_scales_;
    return borrows_ = true;
  }

  // The first choice of layouts that oneDNN has optimized code for, else any; empty where there is none.
  Forward choose(Layout layout) const {
    struct Choice {
      Tag src, dst;
    };
    std::vector<Choice> choices;
    if (layout == Layout::kChannelsLast || !numbers_.f32()) choices = {{Tag::nhwc, Tag::nhwc}, {Tag::any, Tag::nhwc}};
    choices.push_back({Tag::any, Tag::any});
    choices.push_back({Tag::nhwc, Tag::nhwc});
    choices.push_back({Tag::nchw, Tag::nchw});
    const dnnl::primitive_attr attr = attributes();
    const auto& s = shape_;
    const Desc weights(s.weights, numbers_.weights(), Tag::any), bias({s.Co}, Type::f32, Tag::a);
    Forward last_resort;
    for (const Choice& choice : choices) {
      Forward pd(compute_.engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                 Desc(s.src, numbers_.src.type, choice.src), weights, bias, Desc(s.dst, numbers_.dst.type, choice.dst),
                 s.strides, s.dilates, s.pad_l, s.pad_r, attr, true);
      if (pd && !is_reference(pd.impl_info_str())) return pd;
      if (pd && !last_resort) last_resort = pd;
    }
    return last_resort;
  }

  dnnl::primitive_attr attributes() const {
    dnnl::primitive_attr attr = user_scratchpad();
    dnnl::post_ops post;
    if (numbers_.residual) {
      if (numbers_.int8())
        post.append_sum(numbers_.residual->scale, 0, numbers_.residual->type);
      else
        post.append_sum();
    }
    // What is rounded to u8 has nothing below zero: that is a ReLU.
    if (relu_ && numbers_.dst.type != Type::u8) post.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
    attr.set_post_ops(post);
    if (numbers_.int8()) {
      constexpr int kOutputChannel = 1, kGroupAndOutputChannel = 3;
      attr.set_scales_mask(DNNL_ARG_SRC, 0);
      attr.set_scales_mask(DNNL_ARG_WEIGHTS, shape_.options.groups > 1 ? kGroupAndOutputChannel : kOutputChannel);
      attr.set_scales_mask(DNNL_ARG_DST, 0);
    }
    return attr;
  }

  // The residual may be s8 where dst is u8.
  static Desc with_type(const Desc& desc, Type type) {
    if (desc.get_data_type() == type) return desc;
    return {desc.get_dims(), type, desc.get_strides()};
  }

  // Symmetric, with a scale an output channel: the largest weight of the channel is 127 of it.
  void quantize(const Array& weights) {
    constexpr float kMax = 127;
    const auto values = weights.values<float>();
    const auto channels = static_cast<size_t>(shape_.Co);
    const size_t row = values.size() / channels;
    std::vector<int8_t> quantized(values.size());
    for (size_t c = 0; c < channels; ++c) {
      const auto of_channel = values.subspan(c * row, row);
      float largest = 0;
      for (const float w : of_channel) largest = std::max(largest, std::abs(w));
      const float scale = largest > 0 ? largest / kMax : 1;
      weight_scales_.data()[c] = scale;
      for (size_t i = 0; i < row; ++i)
        quantized[c * row + i] = static_cast<int8_t>(std::clamp(std::nearbyint(of_channel[i] / scale), -kMax, kMax));
    }
    const Dims& dims = shape_.weights;
    const Desc plain(dims, Type::s8, plain_desc(dims).get_strides());
    reorder_now(dnnl::memory(plain, compute_.engine(), quantized.data()), folded_weight_.memory(), compute_);
  }

  const Compute& compute_;
  const ConvShape shape_;
  const double eps_;
  const bool relu_;
  Parameter& weight_;
  const BatchNormParameters norm_;
  Numbers numbers_;
  Forward pd_;
  Tensor folded_weight_, folded_bias_;
  Tensor weight_scales_, edge_scales_;  // int8; of the edges: src, dst
  bool borrows_ = false;                // all of these but the edges'
  Call call_;
};

}  // namespace

std::unique_ptr<Op> make_folded_conv(const OpContext& context, const FoldedConvOptions& options, const Desc& src,
                                     const Desc* residual, Parameter& weight, const BatchNormParameters& norm) {
  if (context.training) throw internal_error("{}: folded for inference, asked to train", weight.name);
  const ConvShape shape(options.conv, src.get_dims(), weight.value.dims(), weight.name);
  if (residual != nullptr && residual->get_dims() != shape.dst)
    throw usage_error("{}: residual {} does not fit dst {}", weight.name, to_string(residual->get_dims()),
                      to_string(shape.dst));
  const Numbers numbers = asked_for(context, residual != nullptr);
  const bool f32 = numbers.f32(), bf16 = numbers.all_are(Type::bf16);
  return context.compute.run([&]() -> std::unique_ptr<Op> {
    // The Winograd kernels compute in f32, which takes less time than bf16's direct sums where they win.
    if ((f32 || bf16) && winograd_is_better(shape, context.compute.isa(), bf16))
      return make_winograd_folded_conv(context, options, shape, src, residual != nullptr, weight, norm);
    return std::make_unique<DirectFoldedConv>(context, options, shape, residual != nullptr, weight, norm);
  });
}

}  // namespace resflow
