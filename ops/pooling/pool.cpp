#include "ops/pooling/pool.h"

#include "ops/primitive.h"

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;
using Forward = dnnl::pooling_forward::primitive_desc;
using Backward = dnnl::pooling_backward::primitive_desc;

class Pool final : public TwoCalls {
 public:
  Pool(const OpContext& context, const PoolOptions& options, const Desc& src) : compute_(context.compute) {
    make(context, options, src);
    // Odd layouts have only reference code.
    if (uses_reference()) make(context, options, Desc(src.get_dims(), src.get_data_type(), Tag::nhwc));

    requirements_.src = {forward_.src_desc()};
    requirements_.dst = forward_.dst_desc();
    // The f32 of an edge are its real values.
    requirements_.keeps_scale = src.get_data_type() != dnnl::memory::data_type::f32;
    requirements_.scratch_bytes = forward_.scratchpad_desc().get_size();
    if (!context.training) return;
    requirements_.workspace_bytes = forward_.workspace_desc().get_size();
    requirements_.diff_dst = forward_.dst_desc();
    if (!backward_) return;
    requirements_.diff_src = {backward_.diff_src_desc()};
    requirements_.scratch_bytes = std::max(requirements_.scratch_bytes, backward_.scratchpad_desc().get_size());
  }

  void bind(const Buffers& b) override {
    forward_call_ = Call(dnnl::pooling_forward(forward_), compute_);
    forward_call_.arg(DNNL_ARG_SRC, forward_.src_desc(), b.src.at(0))
        .arg(DNNL_ARG_DST, forward_.dst_desc(), b.dst)
        .arg(DNNL_ARG_WORKSPACE, forward_.workspace_desc(), b.workspace)
        .arg(DNNL_ARG_SCRATCHPAD, forward_.scratchpad_desc(), b.scratch);
    if (!backward_) return;
    backward_call_ = Call(dnnl::pooling_backward(backward_), compute_);
    backward_call_.arg(DNNL_ARG_DIFF_DST, backward_.diff_dst_desc(), b.diff_dst)
        .arg(DNNL_ARG_DIFF_SRC, backward_.diff_src_desc(), b.diff_src.at(0))
        .arg(DNNL_ARG_WORKSPACE, forward_.workspace_desc(), b.workspace)
        .arg(DNNL_ARG_SCRATCHPAD, backward_.scratchpad_desc(), b.scratch);
  }

  std::string implementation() const override {
    std::string names = forward_.impl_info_str();
    if (backward_ && names != backward_.impl_info_str()) names += std::string(" + ") + backward_.impl_info_str();
    return names;
  }

 private:
  void make(const OpContext& context, const PoolOptions& o, const Desc& src) {
    const auto& engine = compute_.engine();
    const Dims dense = {0, 0};
    forward_ =
        Forward(engine, context.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference,
                o.algorithm, src, Desc(o.dst, src.get_data_type(), Tag::any), o.stride, o.kernel, dense, o.pad_l,
                o.pad_r, user_scratchpad());
    if (context.training && context.need_diff_src)
      backward_ = Backward(engine, o.algorithm, src, forward_.dst_desc(), o.stride, o.kernel, dense, o.pad_l, o.pad_r,
                           forward_, user_scratchpad());
  }

  bool uses_reference() const {
    return is_reference(forward_.impl_info_str()) || (backward_ && is_reference(backward_.impl_info_str()));
  }

  const Compute& compute_;
  Forward forward_;
  Backward backward_;
};

}  // namespace

std::unique_ptr<Op> make_pool(const OpContext& context, const PoolOptions& options, const Desc& src) {
  return context.compute.run([&]() -> std::unique_ptr<Op> { return std::make_unique<Pool>(context, options, src); });
}

}  // namespace resflow
