#include "graph/plan/move.h"

namespace resflow {

Move::Move(Kind kind, const Desc& from, const Desc& to, const Compute& compute, float scale)
    : kind_(kind), from_(from), to_(to), compute_(compute) {
  dnnl::primitive_attr attributes = user_scratchpad();
  if (kind == Kind::kAccumulate && from == to) {
    sum_ = {compute.engine(), dnnl::algorithm::binary_add, to, from, to, attributes};
    return;
  }
  if (kind == Kind::kAccumulate) {
    dnnl::post_ops accumulate;
    accumulate.append_sum(1.0F);
    attributes.set_post_ops(accumulate);
  }
  if (scale != 1) {
    scale_ = Tensor("scale", plain_desc({1}), compute);
    *scale_.data() = scale;
    attributes.set_scales_mask(DNNL_ARG_FROM, 0);
  }
  reorder_ = {compute.engine(), from, compute.engine(), to, attributes};
}

size_t Move::scratch_bytes() const {
  return sum_ ? sum_.scratchpad_desc().get_size() : reorder_.scratchpad_desc().get_size();
}

std::string Move::implementation() const { return sum_ ? sum_.impl_info_str() : reorder_.impl_info_str(); }

void Move::bind(void* from, void* to, void* scratch) {
  if (sum_) {
    call_ = Call(dnnl::binary(sum_), compute_);
    call_.arg(DNNL_ARG_SRC_0, to_, to)
        .arg(DNNL_ARG_SRC_1, from_, from)
        .arg(DNNL_ARG_DST, to_, to)
        .arg(DNNL_ARG_SCRATCHPAD, sum_.scratchpad_desc(), scratch);
  } else {
    call_ = Call(dnnl::reorder(reorder_), compute_);
    call_.arg(DNNL_ARG_FROM, from_, from)
        .arg(DNNL_ARG_TO, to_, to)
        .arg(DNNL_ARG_SCRATCHPAD, reorder_.scratchpad_desc(), scratch);
    if (scale_) call_.arg(DNNL_ARG_ATTR_SCALES | DNNL_ARG_FROM, scale_.desc(), scale_.data());
  }
}

}  // namespace resflow
