#include "ops/add.h"

#include "io/core/error.h"
#include "ops/primitive.h"

namespace resflow {
namespace {

using Forward = dnnl::binary::primitive_desc;

class Add final : public TwoCalls {
 public:
  Add(const OpContext& context, const Desc& src) : compute_(context.compute), desc_(src) {
    forward_ = Forward(compute_.engine(), dnnl::algorithm::binary_add, src, src, src, user_scratchpad());
    requirements_.src = {src, src};
    requirements_.dst = src;
    requirements_.forward_in_place = true;
    requirements_.scratch_bytes = forward_.scratchpad_desc().get_size();
    if (!context.training) return;
    requirements_.diff_dst = src;
    if (!context.need_diff_src) return;
    requirements_.diff_src = {src, src};
    requirements_.backward_in_place = true;
    copy_ = dnnl::reorder::primitive_desc(compute_.engine(), src, compute_.engine(), src, user_scratchpad());
    requirements_.scratch_bytes = std::max(requirements_.scratch_bytes, copy_.scratchpad_desc().get_size());
  }

  void bind(const Buffers& b) override {
    forward_call_ = Call(dnnl::binary(forward_), compute_);
    forward_call_.arg(DNNL_ARG_SRC_0, desc_, b.src.at(0))
        .arg(DNNL_ARG_SRC_1, desc_, b.src.at(1))
        .arg(DNNL_ARG_DST, desc_, b.dst)
        .arg(DNNL_ARG_SCRATCHPAD, forward_.scratchpad_desc(), b.scratch);
    copies_.clear();
    for (void* diff_src : b.diff_src) {
      if (diff_src == nullptr || diff_src == b.diff_dst) continue;
      copies_.emplace_back(dnnl::reorder(copy_), compute_);
      copies_.back()
          .arg(DNNL_ARG_FROM, desc_, b.diff_dst)
          .arg(DNNL_ARG_TO, desc_, diff_src)
          .arg(DNNL_ARG_SCRATCHPAD, copy_.scratchpad_desc(), b.scratch);
    }
  }

  void backward() override {
    for (const Call& copy : copies_) copy.run();
  }
  std::string implementation() const override { return forward_.impl_info_str(); }

 private:
  const Compute& compute_;
  const Desc desc_;
  Forward forward_;
  dnnl::reorder::primitive_desc copy_;
  std::vector<Call> copies_;
};

}  // namespace

std::unique_ptr<Op> make_add(const OpContext& context, const Desc& a, const Desc& b) {
  if (a.get_dims() != b.get_dims())
    throw usage_error("add: {} and {} differ", to_string(a.get_dims()), to_string(b.get_dims()));
  return context.compute.run(
      [&]() -> std::unique_ptr<Op> { return std::make_unique<Add>(context, with_type(a, context.dst_storage.type)); });
}

}  // namespace resflow
