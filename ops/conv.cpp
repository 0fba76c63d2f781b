#include "ops/conv.h"

#include <optional>

#include "io/error.h"
#include "ops/conv_shape.h"
#include "ops/primitive.h"
#include "ops/winograd_conv.h"

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;
using Forward = dnnl::convolution_forward::primitive_desc;
using BackwardData = dnnl::convolution_backward_data::primitive_desc;
using BackwardWeights = dnnl::convolution_backward_weights::primitive_desc;

constexpr auto kF32 = dnnl::memory::data_type::f32;
constexpr auto kDirect = dnnl::algorithm::convolution_direct;

// The primitives of one choice of layouts, which they share.
struct Primitives {
  Forward forward;
  BackwardData backward_data;        // empty where not needed
  BackwardWeights backward_weights;  // empty where not needed

  bool uses_reference() const {
    return is_reference(forward.impl_info_str()) || (backward_data && is_reference(backward_data.impl_info_str())) ||
           (backward_weights && is_reference(backward_weights.impl_info_str()));
  }
};

class DirectConv final : public Op {
 public:
  DirectConv(const OpContext& context, const ConvShape& shape, Parameter& weight)
      : compute_(context.compute), shape_(shape), weight_(weight), training_(context.training) {
    primitives_ = choose(context);
    const auto& p = primitives_;
    if (training_) {
      lay_out(weight_, p.forward.weights_desc(), compute_);
      value_desc_ = weight_.value.desc();
      use_layout_of_gradient();
    } else {
      // The value's layout belongs to the training plan, so inference computes on a copy.
      copy_ = Tensor(weight.name, p.forward.weights_desc(), compute_);
      value_desc_ = copy_.desc();
    }
    plan_reorders();

    requirements_.src = {p.forward.src_desc()};
    requirements_.dst = p.forward.dst_desc();
    if (training_) requirements_.diff_dst = p.forward.dst_desc();
    if (p.backward_data) requirements_.diff_src = {p.forward.src_desc()};
    requirements_.backward_reads_src = static_cast<bool>(p.backward_weights);
    requirements_.scratch_bytes = std::max({forward_scratch_.bytes(), data_scratch_.bytes(), weights_scratch_.bytes()});
  }

  void bind(const Buffers& b) override {
    const auto& p = primitives_;
    float* value = training_ ? weight_.value.data() : copy_.data();
    const auto reordered = [&](const PlannedReorder& reorder, size_t place) {
      return reorder ? at(b.scratch, place) : value;
    };

    void* scratchpad = at(b.scratch, forward_scratchpad_);
    to_forward_call_ = to_forward_.bind(value, at(b.scratch, forward_weights_), scratchpad, compute_);
    forward_call_ = Call(dnnl::convolution_forward(p.forward), compute_);
    forward_call_.arg(DNNL_ARG_SRC, p.forward.src_desc(), b.src.at(0))
        .arg(DNNL_ARG_WEIGHTS, p.forward.weights_desc(), reordered(to_forward_, forward_weights_))
        .arg(DNNL_ARG_DST, p.forward.dst_desc(), b.dst)
        .arg(DNNL_ARG_SCRATCHPAD, p.forward.scratchpad_desc(), scratchpad);

    if (p.backward_data) {
      scratchpad = at(b.scratch, data_scratchpad_);
      to_data_call_ = to_data_.bind(value, at(b.scratch, data_weights_), scratchpad, compute_);
      data_call_ = Call(dnnl::convolution_backward_data(p.backward_data), compute_);
      data_call_.arg(DNNL_ARG_DIFF_DST, p.backward_data.diff_dst_desc(), b.diff_dst)
          .arg(DNNL_ARG_WEIGHTS, p.backward_data.weights_desc(), reordered(to_data_, data_weights_))
          .arg(DNNL_ARG_DIFF_SRC, p.backward_data.diff_src_desc(), b.diff_src.at(0))
          .arg(DNNL_ARG_SCRATCHPAD, p.backward_data.scratchpad_desc(), scratchpad);
    }
    if (p.backward_weights) {
      if (!weight_.gradient || weight_.gradient.desc() != value_desc_)
        throw internal_error("{}: the gradient must have the layout of the value before bind()", weight_.name);
      float* gradient = weight_.gradient.data();
      void* product = from_gradient_ ? at(b.scratch, weights_product_) : gradient;
      scratchpad = at(b.scratch, weights_scratchpad_);
      weights_call_ = Call(dnnl::convolution_backward_weights(p.backward_weights), compute_);
      weights_call_.arg(DNNL_ARG_SRC, p.backward_weights.src_desc(), b.src.at(0))
          .arg(DNNL_ARG_DIFF_DST, p.backward_weights.diff_dst_desc(), b.diff_dst)
          .arg(DNNL_ARG_DIFF_WEIGHTS, p.backward_weights.diff_weights_desc(), product)
          .arg(DNNL_ARG_SCRATCHPAD, p.backward_weights.scratchpad_desc(), scratchpad);
      from_gradient_call_ = from_gradient_.bind(product, gradient, scratchpad, compute_);
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
    if (weights_call_) {
      weights_call_.run();
      if (from_gradient_call_) from_gradient_call_.run();
    }
  }

  void refresh() override {
    if (!training_) copy_values(weight_.value, copy_, compute_);
  }

  std::vector<Parameter*> parameters() const override {
    return primitives_.backward_weights ? std::vector<Parameter*>{&weight_} : std::vector<Parameter*>{};
  }

  std::string implementation() const override {
    std::string names = primitives_.forward.impl_info_str();
    const auto add = [&](const std::string& name) {
      if (names.find(name) == std::string::npos) names += " + " + name;
    };
    if (primitives_.backward_data) add(primitives_.backward_data.impl_info_str());
    if (primitives_.backward_weights) add(primitives_.backward_weights.impl_info_str());
    return names;
  }

  int64_t multiply_adds() const override { return shape_.multiply_adds(); }

 private:
  Primitives make(const OpContext& context, Tag src_tag, Tag dst_tag) const {
    const auto& engine = compute_.engine();
    const auto& s = shape_;
    const Desc src(s.src, kF32, src_tag), dst(s.dst, kF32, dst_tag), any(s.weights, kF32, Tag::any);
    Primitives p;
    p.forward = Forward(engine, training_ ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference,
                        kDirect, src, any, dst, s.strides, s.dilates, s.pad_l, s.pad_r, user_scratchpad());
    if (!training_) return p;
    if (context.need_diff_src)
      p.backward_data = BackwardData(engine, kDirect, p.forward.src_desc(), any, p.forward.dst_desc(), s.strides,
                                     s.dilates, s.pad_l, s.pad_r, p.forward, user_scratchpad());
    if (!weight_.frozen)
      p.backward_weights = BackwardWeights(engine, kDirect, p.forward.src_desc(), any, p.forward.dst_desc(), s.strides,
                                           s.dilates, s.pad_l, s.pad_r, p.forward, user_scratchpad());
    return p;
  }

  // The first choice of layouts that no primitive answers with reference code. With a source of three channels
  // channels-last is such a trap; the plain source that `any` gives has optimized code.
  Primitives choose(const OpContext& context) const {
    struct Choice {
      Tag src, dst;
    };
    std::vector<Choice> choices;
    if (context.layout == Layout::kChannelsLast) choices = {{Tag::nhwc, Tag::nhwc}, {Tag::any, Tag::nhwc}};
    choices.push_back({Tag::any, Tag::any});
    choices.push_back({Tag::nhwc, Tag::nhwc});
    choices.push_back({Tag::nchw, Tag::nchw});
    std::optional<Primitives> last_resort;
    for (const Choice& choice : choices) {
      try {
        Primitives p = make(context, choice.src, choice.dst);
        if (!p.uses_reference()) return p;
        if (!last_resort) last_resort = std::move(p);
      } catch (const dnnl::error&) {
        // Not every layout has an implementation of all three; the next one may.
      }
    }
    if (!last_resort)
      throw internal_error("{}: oneDNN has no convolution for src {}", weight_.name, to_string(shape_.src));
    return *last_resort;
  }

  // Backward may know how to write the gradient in the layout of the value; that saves a reorder.
  void use_layout_of_gradient() {
    auto& p = primitives_;
    if (!p.backward_weights || p.backward_weights.diff_weights_desc() == value_desc_) return;
    const auto& s = shape_;
    const BackwardWeights direct(compute_.engine(), kDirect, p.forward.src_desc(), value_desc_, p.forward.dst_desc(),
                                 s.strides, s.dilates, s.pad_l, s.pad_r, p.forward, user_scratchpad(), true);
    if (direct && direct.impl_info_str() == std::string(p.backward_weights.impl_info_str()))
      p.backward_weights = direct;
  }

  void plan_reorders() {
    const auto& p = primitives_;
    // A reorder and the primitive it serves run one after the other: they share the scratchpad.
    to_forward_ = PlannedReorder(value_desc_, p.forward.weights_desc(), compute_);
    if (to_forward_) forward_weights_ = forward_scratch_.take(p.forward.weights_desc().get_size());
    forward_scratchpad_ =
        forward_scratch_.take(std::max(p.forward.scratchpad_desc().get_size(), to_forward_.scratchpad_bytes()));
    if (p.backward_data) {
      to_data_ = PlannedReorder(value_desc_, p.backward_data.weights_desc(), compute_);
      if (to_data_) data_weights_ = data_scratch_.take(p.backward_data.weights_desc().get_size());
      data_scratchpad_ =
          data_scratch_.take(std::max(p.backward_data.scratchpad_desc().get_size(), to_data_.scratchpad_bytes()));
    }
    if (p.backward_weights) {
      from_gradient_ = PlannedReorder(p.backward_weights.diff_weights_desc(), value_desc_, compute_);
      if (from_gradient_) weights_product_ = weights_scratch_.take(p.backward_weights.diff_weights_desc().get_size());
      weights_scratchpad_ = weights_scratch_.take(
          std::max(p.backward_weights.scratchpad_desc().get_size(), from_gradient_.scratchpad_bytes()));
    }
  }

  const Compute& compute_;
  const ConvShape shape_;
  Parameter& weight_;
  const bool training_;
  Primitives primitives_;
  Desc value_desc_;  // of the weights that forward starts from
  Tensor copy_;      // of the weights in inference

  PlannedReorder to_forward_, to_data_, from_gradient_;
  ScratchLayout forward_scratch_, data_scratch_, weights_scratch_;  // three lives of one buffer
  size_t forward_weights_ = 0, forward_scratchpad_ = 0;
  size_t data_weights_ = 0, data_scratchpad_ = 0;
  size_t weights_product_ = 0, weights_scratchpad_ = 0;
  Call to_forward_call_, forward_call_, to_data_call_, data_call_, weights_call_, from_gradient_call_;
};

}  // namespace

std::unique_ptr<Op> make_conv(const OpContext& context, const ConvOptions& options, const Desc& src,
                              Parameter& weight) {
  const ConvShape shape(options, src.get_dims(), weight.value.dims(), weight.name);
  return context.compute.run([&]() -> std::unique_ptr<Op> {
    if (winograd_is_better(shape)) return make_winograd_conv(context, shape, src, weight);
    return std::make_unique<DirectConv>(context, shape, weight);
  });
}

}  // namespace resflow
