#include "ops/relu.h"

#include "ops/primitive.h"

namespace resflow {
namespace {

using Forward = dnnl::eltwise_forward::primitive_desc;
using Backward = dnnl::eltwise_backward::primitive_desc;

class Relu final : public TwoCalls {
 public:
  Relu(const OpContext& context, const Desc& src) : compute_(context.compute) {
    const auto& engine = compute_.engine();
    // The kind whose backward reads dst, so that forward may overwrite src.
    const auto kind = context.training ? dnnl::algorithm::eltwise_relu_use_dst_for_bwd : dnnl::algorithm::eltwise_relu;
    forward_ =
        Forward(engine, context.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference, kind,
                src, src, 0.0F, user_scratchpad());
    requirements_.src = {src};
    requirements_.dst = src;
    requirements_.forward_in_place = true;
    requirements_.scratch_bytes = forward_.scratchpad_desc().get_size();
    if (!context.training) return;
    requirements_.diff_dst = src;
    if (!context.need_diff_src) return;
    backward_ = Backward(engine, kind, src, src, src, 0.0F, forward_, user_scratchpad());
    requirements_.diff_src = {src};
    requirements_.backward_reads_dst = true;
    requirements_.backward_in_place = true;
    requirements_.scratch_bytes = std::max(requirements_.scratch_bytes, backward_.scratchpad_desc().get_size());
  }

  void bind(const Buffers& b) override {
    forward_call_ = Call(dnnl::eltwise_forward(forward_), compute_);
    forward_call_.arg(DNNL_ARG_SRC, forward_.src_desc(), b.src.at(0))
        .arg(DNNL_ARG_DST, forward_.dst_desc(), b.dst)
        .arg(DNNL_ARG_SCRATCHPAD, forward_.scratchpad_desc(), b.scratch);
    if (!backward_) return;
    backward_call_ = Call(dnnl::eltwise_backward(backward_), compute_);
    backward_call_.arg(DNNL_ARG_DST, forward_.dst_desc(), b.dst)
        .arg(DNNL_ARG_DIFF_DST, backward_.diff_dst_desc(), b.diff_dst)
        .arg(DNNL_ARG_DIFF_SRC, backward_.diff_src_desc(), b.diff_src.at(0))
        .arg(DNNL_ARG_SCRATCHPAD, backward_.scratchpad_desc(), b.scratch);
  }

  std::string implementation() const override { return forward_.impl_info_str(); }

 private:
  const Compute& compute_;
  Forward forward_;
  Backward backward_;
};

}  // namespace

std::unique_ptr<Op> make_relu(const OpContext& context, const Desc& src) {
  return context.compute.run([&]() -> std::unique_ptr<Op> {
    return std::make_unique<Relu>(context, with_type(src, context.dst_storage.type));
  });
}

}  // namespace resflow
