// What the ops share to run oneDNN primitives: argument lists made once, reorders, places in the scratch buffer.
// For ops/ itself, and for the reorders that a Plan puts on its edges (graph/plan/move.h).
#pragma once

#include <algorithm>
#include <cstddef>
#include <dnnl.hpp>
#include <initializer_list>
#include <string>
#include <vector>

#include "ops/compute.h"
#include "ops/op.h"
#include "ops/parameter.h"
#include "ops/tensor.h"

namespace resflow {

// Attributes with scratchpad_mode::user: a scratchpad of the library may crash on another thread (oneDNN#1385).
dnnl::primitive_attr user_scratchpad();

// True for oneDNN's unoptimized code, hundreds of times slower.
bool is_reference(const std::string& implementation);

// Hands out 64-byte aligned places of a scratch buffer whose address is known only at bind().
class ScratchLayout {
 public:
  size_t take(size_t bytes) {
    const size_t offset = bytes_;
    bytes_ += (bytes + 63) / 64 * 64;
    return offset;
  }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0;
};

inline void* at(void* base, size_t offset) { return static_cast<std::byte*>(base) + offset; }

// A primitive with its argument list. run() allocates nothing of ours.
class Call {
 public:
  Call() = default;
  Call(const dnnl::primitive& primitive, const Compute& compute)
      : primitive_(primitive), engine_(compute.engine()), stream_(compute.stream()) {}

  Call& arg(int index, const Desc& desc, void* place);
  // Throws Error{kInternal} where oneDNN reports a failure.
  void run() const;
  explicit operator bool() const { return static_cast<bool>(primitive_); }

 private:
  dnnl::primitive primitive_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<dnnl::memory> memories_;
  std::vector<dnnl_exec_arg_t> args_;
};

// The base of an op that is one primitive forward and at most one backward. bind() makes the calls; backward_call_
// stays empty where nothing before the op is trained.
class TwoCalls : public Op {
 public:
  void forward() override { forward_call_.run(); }
  void backward() override {
    if (backward_call_) backward_call_.run();
  }

 protected:
  Call forward_call_, backward_call_;
};

// A planned reorder; empty where the two descriptors are the same.
class PlannedReorder {
 public:
  PlannedReorder() = default;
  PlannedReorder(const Desc& from, const Desc& to, const Compute& compute);

  explicit operator bool() const { return static_cast<bool>(pd_); }
  size_t scratchpad_bytes() const { return pd_ ? pd_.scratchpad_desc().get_size() : 0; }
  Call bind(void* from, void* to, void* scratchpad, const Compute& compute) const;

 private:
  dnnl::reorder::primitive_desc pd_;
};

// A primitive with the one argument that it reads or writes in a layout of its own choice: a parameter, or a gradient.
// Where that lies otherwise there is a reorder before (after) the primitive; the two share the scratchpad.
class ParameterCall {
 public:
  enum class Use { kRead, kWrite };

  ParameterCall() = default;
  // `stored` is how the parameter lies, `wanted` and `scratchpad` are the primitive's. `compute` outlives this.
  ParameterCall(Use use, const Desc& stored, const Desc& wanted, const Desc& scratchpad, const Compute& compute);

  size_t take(size_t bytes) { return scratch_.take(bytes); }  // one more place in the scratch buffer, before bind()
  size_t scratch_bytes() const { return scratch_.bytes(); }

  // `argument` is the parameter's index, DNNL_ARG_WEIGHTS or the like. The caller adds the other arguments.
  Call& bind(const dnnl::primitive& primitive, int argument, void* parameter, void* scratch);
  explicit operator bool() const { return static_cast<bool>(call_); }  // bound
  void run() const;

 private:
  Use use_ = Use::kRead;
  Desc wanted_, scratchpad_;
  const Compute* compute_ = nullptr;
  PlannedReorder reorder_;
  ScratchLayout scratch_;
  size_t copy_ = 0, work_ = 0;
  Call call_, reorder_call_;
};

// The base of an op that multiplies by a weight: a product forward, and backward one for the gradient of src and one
// for that of the weight, each empty where nobody wants it. bind() makes them.
class ThreeProducts : public Op {
 public:
  void forward() override { forward_.run(); }
  void backward() override {
    if (backward_data_) backward_data_.run();
    if (backward_weights_) backward_weights_.run();
  }

 protected:
  // They never run at once, so one buffer serves as the scratch of all.
  size_t scratch_bytes() const {
    return std::max({forward_.scratch_bytes(), backward_data_.scratch_bytes(), backward_weights_.scratch_bytes()});
  }

  ParameterCall forward_, backward_data_, backward_weights_;
};

// "a + b" of the implementations' names, each once; `names` may hold empty ones.
std::string joined_names(std::initializer_list<std::string> names);

// Reorders at once; allocates. Not for a step.
void reorder_now(const dnnl::memory& from, const dnnl::memory& to, const Compute& compute);

// Brings a trained parameter to the layout `wanted`, unless a training op has chosen its layout before.
void lay_out(Parameter& parameter, const Desc& wanted, const Compute& compute);

// Throws Error{kInternal} unless the parameter has a gradient in the layout `wanted`, as bind() wants it.
void require_gradient(const Parameter& parameter, const Desc& wanted);

// Values of one tensor into another of the same elements in the same plain order, whatever the layouts and dims.
void copy_values(const Tensor& from, const Tensor& to, const Compute& compute);

// `desc` with values of another type: in the same layout, or in nhwc where that is blocked.
Desc with_type(const Desc& desc, dnnl::memory::data_type type);

// Whether oneDNN has primitives that read and write bf16 on this CPU, fast ones or not. Without avx512 or
// avx_ne_convert there are none.
bool has_bf16_primitives(const Compute& compute);

// Throws Error{kUsage} unless the desc has `rank` dims; `what` names the op and the tensor.
void require_rank(const Desc& desc, int rank, const char* what);

}  // namespace resflow
