#include "ops/conv.h"

#include <algorithm>
#include <optional>

#include "io/core/error.h"
#include "ops/conv_shape.h"
#include "ops/primitive.h"
#include "ops/winograd_conv.h"

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;
using Forward = dnnl::convolution_forward::primitive_desc;
using BackwardData = dnnl::convolution_backward_data::primitive_desc;
using BackwardWeights = dnnl::convolution_backward_weights::primitive_desc;

using Type = dnnl::memory::data_type;
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
  std::string names() const {
    return joined_names({forward.impl_info_str(), backward_data ? backward_data.impl_info_str() : "",
                         backward_weights ? backward_weights.impl_info_str() : ""});
  }
};

class DirectConv final : public ThreeProducts {
 public:
  DirectConv(const OpContext& context, const ConvShape& shape, Parameter& weight)
      : compute_(context.compute), shape_(shape), weight_(weight), training_(context.training) {
    choose_primitives(context);
    const auto& p = primitives_;
    if (training_) {
      lay_out(weight_, wanted_layout(), compute_);
      value_desc_ = weight_.value.desc();
      use_layout_of_gradient();
    } else {
      // The value's layout belongs to the training plan, so inference computes on a copy.
      if (!borrow_copy(context.lender)) copy_ = Tensor(weight.name, p.forward.weights_desc(), compute_);
      value_desc_ = copy_.desc();
    }
    plan_calls();

    requirements_.src = {p.forward.src_desc()};
    requirements_.dst = p.forward.dst_desc();
    if (training_) requirements_.diff_dst = p.forward.dst_desc();
    if (p.backward_data) requirements_.diff_src = {p.forward.src_desc()};
    requirements_.backward_reads_src = static_cast<bool>(p.backward_weights);
    requirements_.scratch_bytes = scratch_bytes();
  }

  void bind(const Buffers& b) override {
    const auto& p = primitives_;
    float* value = training_ ? weight_.value.data() : copy_.data();
    forward_.bind(dnnl::convolution_forward(p.forward), DNNL_ARG_WEIGHTS, value, b.scratch)
        .arg(DNNL_ARG_SRC, p.forward.src_desc(), b.src.at(0))
        .arg(DNNL_ARG_DST, p.forward.dst_desc(), b.dst);
    if (p.backward_data)
      backward_data_.bind(dnnl::convolution_backward_data(p.backward_data), DNNL_ARG_WEIGHTS, value, b.scratch)
          .arg(DNNL_ARG_DIFF_DST, p.backward_data.diff_dst_desc(), b.diff_dst)
          .arg(DNNL_ARG_DIFF_SRC, p.backward_data.diff_src_desc(), b.diff_src.at(0));
    if (p.backward_weights) {
      require_gradient(weight_, value_desc_);
      backward_weights_
          .bind(dnnl::convolution_backward_weights(p.backward_weights), DNNL_ARG_DIFF_WEIGHTS, weight_.gradient.data(),
                b.scratch)
          .arg(DNNL_ARG_SRC, p.backward_weights.src_desc(), b.src.at(0))
          .arg(DNNL_ARG_DIFF_DST, p.backward_weights.diff_dst_desc(), b.diff_dst);
    }
    refresh();
  }

  void refresh() override {
    if (!training_ && !borrows_) copy_values(weight_.value, copy_, compute_);
  }

  std::vector<Parameter*> parameters() const override {
    return primitives_.backward_weights ? std::vector<Parameter*>{&weight_} : std::vector<Parameter*>{};
  }

  std::string implementation() const override { return primitives_.names(); }

  int64_t multiply_adds() const override { return shape_.multiply_adds(); }

 private:
  bool borrow_copy(const Op* op) {
    const auto* lender = dynamic_cast<const DirectConv*>(op);
    if (lender == nullptr || lender->copy_.desc() != primitives_.forward.weights_desc()) return false;
    copy_ = lender->copy_;
    return borrows_ = true;
  }

  Primitives make(const OpContext& context, Tag src_tag, Tag dst_tag) const {
    const auto& engine = compute_.engine();
    const auto& s = shape_;
    const Desc src(s.src, type_, src_tag), dst(s.dst, type_, dst_tag), any(s.weights, type_, Tag::any);
    Primitives p;
    p.forward = Forward(engine, training_ ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference,
                        kDirect, src, any, dst, s.strides, s.dilates, s.pad_l, s.pad_r, user_scratchpad());
    if (!training_) return p;
    if (context.need_diff_src)
      p.backward_data = BackwardData(engine, kDirect, p.forward.src_desc(), any, p.forward.dst_desc(), s.strides,
                                     s.dilates, s.pad_l, s.pad_r, p.forward, user_scratchpad());
    if (!weight_.frozen)
      p.backward_weights =
          BackwardWeights(engine, kDirect, p.forward.src_desc(), Desc(s.weights, Type::f32, Tag::any),
                          p.forward.dst_desc(), s.strides, s.dilates, s.pad_l, s.pad_r, p.forward, user_scratchpad());
    return p;
  }

  void choose_primitives(const OpContext& context) {
    type_ = training_ ? context.dst_storage.type : Type::f32;
    std::optional<Primitives> primitives = choose(context);
    if (type_ != Type::f32 && (!primitives || primitives->uses_reference())) {
      // Some convolutions of some CPUs have optimized code in f32 alone.
      type_ = Type::f32;
      primitives = choose(context);
    }
    if (!primitives)
      throw internal_error("{}: oneDNN has no convolution for src {}", weight_.name, to_string(shape_.src));
    primitives_ = *primitives;
  }

  // Of the f32 values. In bf16 forward and backward read copies in scratch, and the gradient wants no reorder.
  Desc wanted_layout() const {
    const auto& p = primitives_;
    if (type_ == Type::f32) return p.forward.weights_desc();
    return p.backward_weights ? p.backward_weights.diff_weights_desc() : plain_desc(shape_.weights);
  }

  // The first choice of layouts that no primitive answers with reference code. With a source of three channels
  // channels-last is such a trap; the plain source that `any` gives has optimized code.
  std::optional<Primitives> choose(const OpContext& context) const {
    struct Choice {
      Tag src, dst;
    };
    std::vector<Choice> choices;
    // bf16 has its best code in nhwc, and the Winograd kernels know it in no other.
    if (context.layout == Layout::kChannelsLast || type_ == Type::bf16)
      choices = {{Tag::nhwc, Tag::nhwc}, {Tag::any, Tag::nhwc}};
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
    return last_resort;
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

  void plan_calls() {
    using Use = ParameterCall::Use;
    const auto& p = primitives_;
    const auto plan = [&](Use use, const Desc& wanted, const Desc& scratchpad) {
      return ParameterCall(use, value_desc_, wanted, scratchpad, compute_);
    };
    forward_ = plan(Use::kRead, p.forward.weights_desc(), p.forward.scratchpad_desc());
    if (p.backward_data)
      backward_data_ = plan(Use::kRead, p.backward_data.weights_desc(), p.backward_data.scratchpad_desc());
    if (p.backward_weights)
      backward_weights_ =
          plan(Use::kWrite, p.backward_weights.diff_weights_desc(), p.backward_weights.scratchpad_desc());
  }

  const Compute& compute_;
  const ConvShape shape_;
  Parameter& weight_;
  const bool training_;
  Type type_ = Type::f32;  // of src, dst and their gradients
  Primitives primitives_;
  Desc value_desc_;       // of the weights that forward starts from
  Tensor copy_;           // of the weights in inference
  bool borrows_ = false;  // the copy
};

}  // namespace

std::unique_ptr<Op> make_conv(const OpContext& context, const ConvOptions& options, const Desc& src,
                              Parameter& weight) {
  const ConvShape shape(options, src.get_dims(), weight.value.dims(), weight.name);
  return context.compute.run([&]() -> std::unique_ptr<Op> {
    // In training in bf16 the Winograd kernels win wherever they win in f32: direct convolutions gain in forward, but
    // not in the gradients of weights. Where oneDNN multiplies in tiles, it is faster than both.
    const bool tiles = context.dst_storage.type == Type::bf16 && bf16_has_tiles();
    if (!tiles && winograd_is_better(shape, context.compute.isa()))
      return make_winograd_conv(context, shape, src, weight);
    return std::make_unique<DirectConv>(context, shape, weight);
  });
}

}  // namespace resflow
