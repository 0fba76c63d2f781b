// A planned step of the network: dst = f(src, parameters), with its gradient.
//
// Life of an op, driven by the Plan (all of it inside Compute::run):
//   1. The constructor gets the descriptors of its sources, picks its implementation (a oneDNN
//      primitive, or a kernel of ours) and fills requirements(): what it wants and what it needs.
//   2. The Plan inserts reorders where an edge's descriptors differ, places every buffer, and calls
//      bind() once. All dnnl::memory objects and argument lists are made there.
//   3. forward() and backward() run any number of times. They allocate nothing.
// Nobody above ops/ knows which implementation runs; implementation() only names it for reports.
//
// Words are oneDNN's: src, dst, weights, diff_src, diff_dst, workspace, scratchpad. Capital letters are
// sizes (N, C, H, W), small ones indices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ops/compute.h"
#include "ops/parameter.h"
#include "ops/precision.h"
#include "ops/tensor.h"

namespace resflow {

enum class Layout {
  kAny,           // convolutions and linear ask oneDNN for `any`, the rest follow their predecessor
  kChannelsLast,  // convolutions ask for nhwc
};

class Op;

// What the Plan tells an op when it is made.
struct OpContext {
  const Compute& compute;
  bool training = false;      // statistics of the batch, and backward will follow
  bool need_diff_src = true;  // false where nothing before this op is trained
  Layout layout = Layout::kAny;
  // Inference ops may keep transformed weights, four times the size; else they transform them in each forward.
  bool keep_transformed = true;
  // Inference: an op of the same node, made from the same options for another Compute. If both want the same copies of
  // parameters, this op borrows the lender's, and the lender alone refreshes them. The lender may be destroyed first.
  const Op* lender = nullptr;
  // How the values of each source and of dst are to be stored in inference; f32 where src_storage is empty. An op that
  // cannot do that takes or gives another storage, and its requirements say so.
  std::vector<Storage> src_storage = {};
  Storage dst_storage = {};
};

struct Requirements {
  std::vector<Desc> src;            // wanted of each input
  Desc dst;                         // produced
  Desc diff_dst;                    // wanted (training)
  std::vector<Desc> diff_src;       // produced for each input (training and need_diff_src), else empty
  size_t workspace_bytes = 0;       // written by forward, kept until this op's backward
  size_t scratch_bytes = 0;         // free for anybody between two calls; the larger of forward and backward
  bool backward_reads_src = false;  // src[0]; no op reads its other sources in backward
  bool backward_reads_dst = false;
  bool forward_in_place = false;   // dst may be the buffer of src[0] where nobody else reads that later
  bool backward_in_place = false;  // diff_src[0] may be the buffer of diff_dst
  // Inference with a fused residual: dst starts as the last src, whose buffer it must be.
  bool dst_is_last_src = false;
  // Real values are these times the stored ones (ops/precision.h): wanted of each input, all 1 where empty; produced.
  std::vector<float> src_scales;
  float dst_scale = 1;
  bool keeps_scale = false;  // takes src[0] in any scale, and dst has the same
};

// Addresses, 64-byte aligned, valid as long as the op is used. Unused ones are null.
struct Buffers {
  std::vector<void*> src;
  void* dst = nullptr;
  std::vector<void*> diff_src;
  void* diff_dst = nullptr;
  void* workspace = nullptr;
  void* scratch = nullptr;
};

class Op {
 public:
  virtual ~Op() = default;
  Op() = default;
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;

  const Requirements& requirements() const { return requirements_; }
  virtual void bind(const Buffers& buffers) = 0;

  virtual void forward() = 0;
  // Writes diff_src (overwrites, never accumulates) and the gradient of every learnt, unfrozen parameter.
  virtual void backward() = 0;

  // Inference ops that hold folded or reordered copies of parameters bring them up to date. Borrowed copies are left to
  // their lender.
  virtual void refresh() {}

  // The parameters whose gradients are complete when backward() returns.
  virtual std::vector<Parameter*> parameters() const { return {}; }

  // "brgconv:avx512_core" or several joined by " + ", forward first.
  virtual std::string implementation() const = 0;
  // Multiply-adds of one forward, for reports.
  virtual int64_t multiply_adds() const { return 0; }
  // Of folded or reordered copies of parameters that the op holds, for reports; borrowed ones are their lender's.
  virtual size_t copy_bytes() const { return 0; }

 protected:
  Requirements requirements_;
};

}  // namespace resflow
