#include "ops/linear.h"

#include <algorithm>

#include "io/core/error.h"
#include "ops/primitive.h"

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;
using Forward = dnnl::inner_product_forward::primitive_desc;
using BackwardData = dnnl::inner_product_backward_data::primitive_desc;
using BackwardWeights = dnnl::inner_product_backward_weights::primitive_desc;
constexpr auto kF32 = dnnl::memory::data_type::f32;

class Linear final : public ThreeProducts {
 public:
  Linear(const OpContext& context, const Desc& src, Parameter& weight, Parameter& bias)
      : compute_(context.compute), weight_(weight), bias_(bias), training_(context.training) {
    const auto& engine = compute_.engine();
    const Dims s = src.get_dims(), w = weight.value.dims();
    N_ = s[0], Ci_ = s[1], Co_ = w[0];
    // Rows of channels: the same bytes whether the source has two dimensions or four.
    src_ = Desc({N_, Ci_}, kF32, Tag::nc);
    dst_ = Desc({N_, Co_}, kF32, Tag::nc);
    const Desc any({Co_, Ci_}, kF32, Tag::any), bias_desc({Co_}, kF32, Tag::a);
    pd_ = Forward(engine, training_ ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference, src_, any,
                  bias_desc, dst_, user_scratchpad());
    requirements_.src = {s.size() == 4 ? Desc(s, kF32, Tag::nhwc) : src_};
    requirements_.dst = dst_;
    if (!training_) {
      // The value's layout belongs to the training plan, so inference computes on copies.
      if (!borrow_copies(context.lender)) {
        weight_copy_ = Tensor(weight.name, pd_.weights_desc(), compute_);
        bias_copy_ = Tensor(bias.name, bias_desc, compute_);
      }
      value_desc_ = weight_copy_.desc();
    } else {
      lay_out(weight, pd_.weights_desc(), compute_);
      lay_out(bias, bias_desc, compute_);
      value_desc_ = weight.value.desc();
      requirements_.diff_dst = dst_;
      if (context.need_diff_src) {
        data_pd_ = BackwardData(engine, src_, any, dst_, pd_, user_scratchpad());
        requirements_.diff_src = requirements_.src;
      }
      if (!weight.frozen || !bias.frozen)
        weights_pd_ = BackwardWeights(engine, src_, any, bias_desc, dst_, pd_, user_scratchpad());
      requirements_.backward_reads_src = static_cast<bool>(weights_pd_);
    }
    plan_calls();
    requirements_.scratch_bytes = scratch_bytes();
  }

  void bind(const Buffers& b) override {
    float* value = training_ ? weight_.value.data() : weight_copy_.data();
    float* bias = training_ ? bias_.value.data() : bias_copy_.data();
    forward_.bind(dnnl::inner_product_forward(pd_), DNNL_ARG_WEIGHTS, value, b.scratch)
        .arg(DNNL_ARG_SRC, src_, b.src.at(0))
        .arg(DNNL_ARG_BIAS, pd_.bias_desc(), bias)
        .arg(DNNL_ARG_DST, dst_, b.dst);
    if (data_pd_)
      backward_data_.bind(dnnl::inner_product_backward_data(data_pd_), DNNL_ARG_WEIGHTS, value, b.scratch)
          .arg(DNNL_ARG_DIFF_DST, dst_, b.diff_dst)
          .arg(DNNL_ARG_DIFF_SRC, src_, b.diff_src.at(0));
    if (weights_pd_) {
      if (!weight_.frozen) require_gradient(weight_, value_desc_);
      if (!bias_.frozen) require_gradient(bias_, bias_.value.desc());
      void* diff_weight = weight_.frozen ? at(b.scratch, unused_) : weight_.gradient.data();
      void* diff_bias = bias_.frozen ? at(b.scratch, unused_) : bias_.gradient.data();
      backward_weights_
          .bind(dnnl::inner_product_backward_weights(weights_pd_), DNNL_ARG_DIFF_WEIGHTS, diff_weight, b.scratch)
          .arg(DNNL_ARG_SRC, src_, b.src.at(0))
          .arg(DNNL_ARG_DIFF_DST, dst_, b.diff_dst)
          .arg(DNNL_ARG_DIFF_BIAS, weights_pd_.diff_bias_desc(), diff_bias);
    }
    refresh();
  }

  void refresh() override {
    if (training_ || borrows_) return;
    copy_values(weight_.value, weight_copy_, compute_);
    copy_values(bias_.value, bias_copy_, compute_);
  }

  std::vector<Parameter*> parameters() const override {
    std::vector<Parameter*> trained;
    for (Parameter* parameter : {&weight_, &bias_})
      if (training_ && !parameter->frozen) trained.push_back(parameter);
    return trained;
  }

  std::string implementation() const override {
    return joined_names({pd_.impl_info_str(), data_pd_ ? data_pd_.impl_info_str() : "",
                         weights_pd_ ? weights_pd_.impl_info_str() : ""});
  }

  int64_t multiply_adds() const override { return N_ * Ci_ * Co_; }

 private:
  bool borrow_copies(const Op* op) {
    const auto* lender = dynamic_cast<const Linear*>(op);
    if (lender == nullptr || lender->weight_copy_.desc() != pd_.weights_desc()) return false;
    weight_copy_ = lender->weight_copy_;
    bias_copy_ = lender->bias_copy_;
    return borrows_ = true;
  }

  void plan_calls() {
    using Use = ParameterCall::Use;
    forward_ = ParameterCall(Use::kRead, value_desc_, pd_.weights_desc(), pd_.scratchpad_desc(), compute_);
    if (data_pd_)
      backward_data_ =
          ParameterCall(Use::kRead, value_desc_, data_pd_.weights_desc(), data_pd_.scratchpad_desc(), compute_);
    if (weights_pd_) {
      const Desc product = weights_pd_.diff_weights_desc();
      backward_weights_ = ParameterCall(Use::kWrite, weight_.frozen ? product : value_desc_, product,
                                        weights_pd_.scratchpad_desc(), compute_);
      // Where only one of the two is trained, the other's product stays in the scratch.
      if (weight_.frozen) unused_ = backward_weights_.take(product.get_size());
      if (bias_.frozen) unused_ = backward_weights_.take(weights_pd_.diff_bias_desc().get_size());
    }
  }

  const Compute& compute_;
  Parameter& weight_;
  Parameter& bias_;
  const bool training_;
  int64_t N_ = 0, Ci_ = 0, Co_ = 0;
  Desc src_, dst_, value_desc_;
  Tensor weight_copy_, bias_copy_;  // in inference
  bool borrows_ = false;            // both
  Forward pd_;
  BackwardData data_pd_;
  BackwardWeights weights_pd_;
  size_t unused_ = 0;
};

}  // namespace

std::unique_ptr<Op> make_linear(const OpContext& context, const Desc& src, Parameter& weight, Parameter& bias) {
  const Dims s = src.get_dims(), w = weight.value.dims();
  const bool rows = s.size() == 2 || (s.size() == 4 && s[2] == 1 && s[3] == 1);
  if (!rows || w.size() != 2 || w[1] != s[1] || bias.value.dims() != Dims{w[0]})
    throw usage_error("{}: weight {} and bias {} do not fit src {}", weight.name, to_string(w),
                      to_string(bias.value.dims()), to_string(s));
  return context.compute.run(
      [&]() -> std::unique_ptr<Op> { return std::make_unique<Linear>(context, src, weight, bias); });
}

}  // namespace resflow
