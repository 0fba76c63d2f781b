#include "ops/primitive.h"

#include <algorithm>

#include "io/core/error.h"

namespace resflow {

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

bool is_reference(const std::string& implementation) {
  return implementation.starts_with("ref") || implementation.find(":ref") != std::string::npos ||
         implementation.starts_with("simple");
}

Call& Call::arg(int index, const Desc& desc, void* place) {
  if (desc.get_size() == 0) return *this;
  memories_.emplace_back(desc, engine_, place);
  args_.push_back({index, memories_.back().get()});
  return *this;
}

void Call::run() const {
  const dnnl_status_t status =
      dnnl_primitive_execute(primitive_.get(), stream_.get(), static_cast<int>(args_.size()), args_.data());
  if (status != dnnl_success)
    throw internal_error("oneDNN failed in a primitive with status {}", static_cast<int>(status));
}

PlannedReorder::PlannedReorder(const Desc& from, const Desc& to, const Compute& compute) {
  if (from != to) pd_ = {compute.engine(), from, compute.engine(), to, user_scratchpad()};
}

Call PlannedReorder::bind(void* from, void* to, void* scratchpad, const Compute& compute) const {
  if (!pd_) return {};
  Call call(dnnl::reorder(pd_), compute);
  call.arg(DNNL_ARG_FROM, pd_.src_desc(), from)
      .arg(DNNL_ARG_TO, pd_.dst_desc(), to)
      .arg(DNNL_ARG_SCRATCHPAD, pd_.scratchpad_desc(), scratchpad);
  return call;
}

ParameterCall::ParameterCall(Use use, const Desc& stored, const Desc& wanted, const Desc& scratchpad,
                             const Compute& compute)
    : use_(use),
      wanted_(wanted),
      scratchpad_(scratchpad),
      compute_(&compute),
      reorder_(use == Use::kRead ? PlannedReorder(stored, wanted, compute) : PlannedReorder(wanted, stored, compute)) {
  if (reorder_) copy_ = scratch_.take(wanted.get_size());
  work_ = scratch_.take(std::max(scratchpad.get_size(), reorder_.scratchpad_bytes()));
}

Call& ParameterCall::bind(const dnnl::primitive& primitive, int argument, void* parameter, void* scratch) {
  void* const place = reorder_ ? at(scratch, copy_) : parameter;
  void* const work = at(scratch, work_);
  reorder_call_ = use_ == Use::kRead ? reorder_.bind(parameter, place, work, *compute_)
                                     : reorder_.bind(place, parameter, work, *compute_);
  call_ = Call(primitive, *compute_);
  return call_.arg(argument, wanted_, place).arg(DNNL_ARG_SCRATCHPAD, scratchpad_, work);
}

void ParameterCall::run() const {
  if (use_ == Use::kRead && reorder_call_) reorder_call_.run();
  call_.run();
  if (use_ == Use::kWrite && reorder_call_) reorder_call_.run();
}

std::string joined_names(std::initializer_list<std::string> names) {
  std::string joined;
  for (const std::string& name : names)
    if (!name.empty() && joined.find(name) == std::string::npos) joined += (joined.empty() ? "" : " + ") + name;
  return joined;
}

void reorder_now(const dnnl::memory& from, const dnnl::memory& to, const Compute& compute) {
  compute.run([&] {
    const dnnl::reorder::primitive_desc pd(compute.engine(), from.get_desc(), compute.engine(), to.get_desc(),
                                           user_scratchpad());
    const dnnl::memory scratchpad(pd.scratchpad_desc(), compute.engine());
    Call call(dnnl::reorder(pd), compute);
    call.arg(DNNL_ARG_FROM, from.get_desc(), from.get_data_handle())
        .arg(DNNL_ARG_TO, to.get_desc(), to.get_data_handle())
        .arg(DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc(), scratchpad.get_data_handle());
    call.run();
  });
}

void lay_out(Parameter& parameter, const Desc& wanted, const Compute& compute) {
  if (parameter.laid_out) return;
  parameter.value.relayout(wanted, compute);
  parameter.laid_out = true;
}

void require_gradient(const Parameter& parameter, const Desc& wanted) {
  if (!parameter.gradient || parameter.gradient.desc() != wanted)
    throw internal_error("{}: the gradient must have the layout of the value before bind()", parameter.name);
}

void copy_values(const Tensor& from, const Tensor& to, const Compute& compute) {
  if (from.desc().get_dims() == to.desc().get_dims()) {
    reorder_now(from.memory(), to.memory(), compute);
    return;
  }
  const Tensor plain(from.name(), plain_desc(from.desc().get_dims()), compute);
  reorder_now(from.memory(), plain.memory(), compute);
  const Tensor reshaped(from.name(), plain_desc(to.desc().get_dims()), plain.data(), compute);
  reorder_now(reshaped.memory(), to.memory(), compute);
}

Desc with_type(const Desc& desc, dnnl::memory::data_type type) {
  if (desc.get_data_type() == type) return desc;
  if (desc.get_inner_nblks() == 0) return {desc.get_dims(), type, desc.get_strides()};
  return {desc.get_dims(), type, dnnl::memory::format_tag::nhwc};
}

bool has_bf16_primitives(const Compute& compute) {
  const Desc desc({1, 16, 1, 1}, dnnl::memory::data_type::bf16, dnnl::memory::format_tag::nhwc);
  const dnnl::binary::primitive_desc pd(compute.engine(), dnnl::algorithm::binary_add, desc, desc, desc,
                                        user_scratchpad(), true);
  return static_cast<bool>(pd);
}

void require_rank(const Desc& desc, int rank, const char* what) {
  const Dims dims = desc.get_dims();
  if (static_cast<int>(dims.size()) != rank)
    throw usage_error("{}: wanted {} dimensions, got {}", what, rank, to_string(dims));
}

}  // namespace resflow
