#include "ops/folded_conv.h"

#include <algorithm>

#include "io/error.h"
#include "ops/conv_shape.h"
#include "ops/fold_batch_norm.h"
#include "ops/primitive.h"
#include "ops/winograd_conv.h"

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;
using Forward = dnnl::convolution_forward::primitive_desc;
constexpr auto kF32 = dnnl::memory::data_type::f32;

class DirectFoldedConv final : public Op {
 public:
  DirectFoldedConv(const OpContext& context, const FoldedConvOptions& options, const ConvShape& shape, bool residual,
                   Parameter& weight, const BatchNormParameters& norm)
      : compute_(context.compute), shape_(shape), eps_(options.eps), weight_(weight), norm_(norm) {
    check_foldable(norm, shape.Co, weight.name);
    attr_ = user_scratchpad();
    dnnl::post_ops post;
    if (residual) post.append_sum();
    if (options.relu) post.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
    attr_.set_post_ops(post);
    pd_ = choose(context.layout);

    folded_weight_ = Tensor(weight.name, pd_.weights_desc(), compute_);
    folded_bias_ = Tensor(norm.bias.name, pd_.bias_desc(), compute_);
    requirements_.src = {pd_.src_desc()};
    requirements_.dst = pd_.dst_desc();
    if (residual) requirements_.src.push_back(pd_.dst_desc());
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
    refresh();
  }

  void forward() override { call_.run(); }
  void backward() override { throw internal_error("{}: a folded convolution has no backward", weight_.name); }

  void refresh() override {
    FoldedBatchNorm folded = fold_batch_norm(weight_, norm_, eps_, compute_);
    std::copy(folded.bias.begin(), folded.bias.end(), folded_bias_.data());
    copy_values(Tensor(weight_.name, plain_desc(folded.weights.dims()), folded.weights.raw(), compute_), folded_weight_,
                compute_);
  }

  std::string implementation() const override { return pd_.impl_info_str(); }
  int64_t multiply_adds() const override { return shape_.multiply_adds(); }
  size_t copy_bytes() const override { return folded_weight_.bytes() + folded_bias_.bytes(); }

 private:
  Forward choose(Layout layout) const {
    struct Choice {
      Tag src, dst;
    };
    std::vector<Choice> choices;
    if (layout == Layout::kChannelsLast) choices = {{Tag::nhwc, Tag::nhwc}, {Tag::any, Tag::nhwc}};
    choices.push_back({Tag::any, Tag::any});
    choices.push_back({Tag::nhwc, Tag::nhwc});
    choices.push_back({Tag::nchw, Tag::nchw});
    const auto& s = shape_;
    const Desc weights(s.weights, kF32, Tag::any), bias({s.Co}, kF32, Tag::a);
    Forward last_resort;
    for (const Choice& choice : choices) {
      Forward pd(compute_.engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                 Desc(s.src, kF32, choice.src), weights, bias, Desc(s.dst, kF32, choice.dst), s.strides, s.dilates,
                 s.pad_l, s.pad_r, attr_, true);
      if (pd && !is_reference(pd.impl_info_str())) return pd;
      if (pd && !last_resort) last_resort = pd;
    }
    if (!last_resort) throw internal_error("{}: oneDNN has no convolution for src {}", weight_.name, to_string(s.src));
    return last_resort;
  }

  const Compute& compute_;
  const ConvShape shape_;
  const double eps_;
  Parameter& weight_;
  const BatchNormParameters norm_;
  dnnl::primitive_attr attr_;
  Forward pd_;
  Tensor folded_weight_, folded_bias_;
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
  return context.compute.run([&]() -> std::unique_ptr<Op> {
    if (winograd_is_better(shape))
      return make_winograd_folded_conv(context, options, shape, src, residual != nullptr, weight, norm);
    return std::make_unique<DirectFoldedConv>(context, options, shape, residual != nullptr, weight, norm);
  });
}

}  // namespace resflow
