#include "ops/linear.h"

#include "io/error.h"
#include "ops/primitive.h"

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;
using Forward = dnnl::inner_product_forward::primitive_desc;
using BackwardData = dnnl::inner_product_backward_data::primitive_desc;
using BackwardWeights = dnnl::inner_product_backward_weights::primitive_desc;
constexpr auto kF32 = dnnl::memory::data_type::f32;

class Linear final : public Op {
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
    forward_ = Forward(engine, training_ ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference, src_,
                       any, bias_desc, dst_, user_scratchpad());
    requirements_.src = {s.size() == 4 ? Desc(s, kF32, Tag::nhwc) : src_};
    requirements_.dst = dst_;
    if (!training_) {
      // The value's layout belongs to the training plan, so inference computes on copies.
      weight_copy_ = Tensor(weight.name, forward_.weights_desc(), compute_);
      bias_copy_ = Tensor(bias.name, bias_desc, compute_);
      value_desc_ = weight_copy_.desc();
    } else {
      lay_out(weight, forward_.weights_desc(), compute_);
      lay_out(bias, bias_desc, compute_);
      value_desc_ = weight.value.desc();
      requirements_.diff_dst = dst_;
      if (context.need_diff_src) {
        backward_data_ = BackwardData(engine, src_, any, dst_, forward_, user_scratchpad());
        requirements_.diff_src = requirements_.src;
      }
      if (!weight.frozen || !bias.frozen)
        backward_weights_ = BackwardWeights(engine, src_, any, bias_desc, dst_, forward_, user_scratchpad());
      requirements_.backward_reads_src = static_cast<bool>(backward_weights_);
    }
    plan_reorders();
    requirements_.scratch_bytes = std::max({forward_scratch_.bytes(), data_scratch_.bytes(), weights_scratch_.bytes()});
  }

  void bind(const Buffers& b) override {
    float* value = training_ ? weight_.value.data() : weight_copy_.data();
    float* bias = training_ ? bias_.value.data() : bias_copy_.data();
    void* scratchpad = at(b.scratch, forward_scratchpad_);
    void* weights = to_forward_ ? at(b.scratch, forward_weights_) : value;
    to_forward_call_ = to_forward_.bind(value, weights, scratchpad, compute_);
    forward_call_ = Call(dnnl::inner_product_forward(forward_), compute_);
    forward_call_.arg(DNNL_ARG_SRC, src_, b.src.at(0))
        .arg(DNNL_ARG_WEIGHTS, forward_.weights_desc(), weights)
        .arg(DNNL_ARG_BIAS, forward_.bias_desc(), bias)
        .arg(DNNL_ARG_DST, dst_, b.dst)
        .arg(DNNL_ARG_SCRATCHPAD, forward_.scratchpad_desc(), scratchpad);

    if (backward_data_) {
      scratchpad = at(b.scratch, data_scratchpad_);
      weights = to_data_ ? at(b.scratch, data_weights_) : value;
      to_data_call_ = to_data_.bind(value, weights, scratchpad, compute_);
      data_call_ = Call(dnnl::inner_product_backward_data(backward_data_), compute_);
      data_call_.arg(DNNL_ARG_DIFF_DST, dst_, b.diff_dst)
          .arg(DNNL_ARG_WEIGHTS, backward_data_.weights_desc(), weights)
          .arg(DNNL_ARG_DIFF_SRC, src_, b.diff_src.at(0))
          .arg(DNNL_ARG_SCRATCHPAD, backward_data_.scratchpad_desc(), scratchpad);
    }
    if (backward_weights_) {
      check_gradient(weight_, value_desc_);
      check_gradient(bias_, bias_.value.desc());
      // Where only one of the two is trained, the other's product stays in the scratch.
      void* product = weight_.frozen || from_gradient_ ? at(b.scratch, weights_product_)
                                                       : weight_.gradient.memory().get_data_handle();
      void* diff_bias = bias_.frozen ? at(b.scratch, bias_product_) : bias_.gradient.memory().get_data_handle();
      scratchpad = at(b.scratch, weights_scratchpad_);
      weights_call_ = Call(dnnl::inner_product_backward_weights(backward_weights_), compute_);
      weights_call_.arg(DNNL_ARG_SRC, src_, b.src.at(0))
          .arg(DNNL_ARG_DIFF_DST, dst_, b.diff_dst)
          .arg(DNNL_ARG_DIFF_WEIGHTS, backward_weights_.diff_weights_desc(), product)
          .arg(DNNL_ARG_DIFF_BIAS, backward_weights_.diff_bias_desc(), diff_bias)
          .arg(DNNL_ARG_SCRATCHPAD, backward_weights_.scratchpad_desc(), scratchpad);
      if (!weight_.frozen)
        from_gradient_call_ = from_gradient_.bind(product, weight_.gradient.data(), scratchpad, compute_);
    }
    refresh();
  }

  void forward() override {
    if (to_forward_call_) to_forward_call_.run();
    forward_call_.run();
  }

  void backward() override {
    if (data_call_) {
      if (to_data_call_) to_data_call_.run();
      data_call_.run();
    }
    if (weights_call_) weights_call_.run();
    if (from_gradient_call_) from_gradient_call_.run();
  }

  void refresh() override {
    if (training_) return;
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
    std::string names = forward_.impl_info_str();
    const auto add = [&](const std::string& name) {
      if (names.find(name) == std::string::npos) names += " + " + name;
    };
    if (backward_data_) add(backward_data_.impl_info_str());
    if (backward_weights_) add(backward_weights_.impl_info_str());
    return names;
  }

  int64_t multiply_adds() const override { return N_ * Ci_ * Co_; }

 private:
  static void check_gradient(const Parameter& parameter, const Desc& wanted) {
    if (!parameter.frozen && (!parameter.gradient || parameter.gradient.desc() != wanted))
      throw internal_error("{}: the gradient must have the layout of the value before bind()", parameter.name);
  }

  void plan_reorders() {
    // A reorder and the primitive it serves run one after the other: they share the scratchpad.
    to_forward_ = PlannedReorder(value_desc_, forward_.weights_desc(), compute_);
    if (to_forward_) forward_weights_ = forward_scratch_.take(forward_.weights_desc().get_size());
    forward_scratchpad_ =
        forward_scratch_.take(std::max(forward_.scratchpad_desc().get_size(), to_forward_.scratchpad_bytes()));
    if (backward_data_) {
      to_data_ = PlannedReorder(value_desc_, backward_data_.weights_desc(), compute_);
      if (to_data_) data_weights_ = data_scratch_.take(backward_data_.weights_desc().get_size());
      data_scratchpad_ =
          data_scratch_.take(std::max(backward_data_.scratchpad_desc().get_size(), to_data_.scratchpad_bytes()));
    }
    if (backward_weights_) {
      from_gradient_ = PlannedReorder(backward_weights_.diff_weights_desc(), value_desc_, compute_);
      if (from_gradient_ || weight_.frozen)
        weights_product_ = weights_scratch_.take(backward_weights_.diff_weights_desc().get_size());
      if (bias_.frozen) bias_product_ = weights_scratch_.take(backward_weights_.diff_bias_desc().get_size());
      weights_scratchpad_ = weights_scratch_.take(
          std::max(backward_weights_.scratchpad_desc().get_size(), from_gradient_.scratchpad_bytes()));
    }
  }

  const Compute& compute_;
  Parameter& weight_;
  Parameter& bias_;
  const bool training_;
  int64_t N_ = 0, Ci_ = 0, Co_ = 0;
  Desc src_, dst_, value_desc_;
  Tensor weight_copy_, bias_copy_;  // in inference
  Forward forward_;
  BackwardData backward_data_;
  BackwardWeights backward_weights_;

  PlannedReorder to_forward_, to_data_, from_gradient_;
  ScratchLayout forward_scratch_, data_scratch_, weights_scratch_;  // three lives of one buffer
  size_t forward_weights_ = 0, forward_scratchpad_ = 0;
  size_t data_weights_ = 0, data_scratchpad_ = 0;
  size_t weights_product_ = 0, bias_product_ = 0, weights_scratchpad_ = 0;
  Call to_forward_call_, forward_call_, to_data_call_, data_call_, weights_call_, from_gradient_call_;
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
