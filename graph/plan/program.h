// A Graph as two lists of steps over numbered buffers: forward, and in training backward. Layouts are decided
// here, addresses are not: Program is what a Plan is before it has memory.
#pragma once

#include <memory>
#include <vector>

#include "graph/model/model.h"
#include "graph/plan/buffers.h"
#include "graph/plan/fusion.h"
#include "graph/plan/move.h"
#include "graph/plan/pixels.h"
#include "ops/op.h"
#include "ops/precision.h"

namespace resflow {

struct PlannedOp {
  FusedNode node;
  std::unique_ptr<Op> op = nullptr;
  std::vector<BufferId> src = {}, diff_src = {};
  BufferId dst = kNoBuffer, diff_dst = kNoBuffer, workspace = kNoBuffer, scratch = kNoBuffer;
};

struct PlannedMove {
  std::string name;  // of the op before which it stands
  Move move;
  BufferId from = kNoBuffer, to = kNoBuffer, scratch = kNoBuffer;
};

struct Step {
  enum class Kind { kForward, kBackward, kMove, kBucket };
  Kind kind;
  size_t index;  // into ops, moves or buckets
};

struct Program;

struct ProgramOptions {
  int64_t batch = 1, height = 224, width = 224;
  bool training = false;
  Layout layout = Layout::kAny;
  bool keep_transformed = true;           // as OpContext has it
  bool features = false;                  // ends before the head
  bool keep_features = false;             // what the head reads is valid at the end too
  Precision precision = Precision::kF32;  // kInt8: inference of a model that has ranges of activations
  const Program* lender = nullptr;        // of the same options in another Compute: OpContext::lender is its ops
};

struct Program {
  std::vector<PlannedOp> ops;
  std::vector<PlannedMove> moves;
  FusedNode input;  // whose values are the pixels
  std::vector<Step> forward, backward;
  Pixels input_pixels;  // write `pixels`
  BufferTable buffers;  // placed
  BufferId pixels = kNoBuffer, output = kNoBuffer, diff_logits = kNoBuffer;
  BufferId features = kNoBuffer;  // keep_features
  // In inference: the first `prefix_steps` of forward depend on frozen parameters alone, and all that later steps read
  // of what these make is in the buffer `prefix`. The prefix is as long as it can be. Where nothing is frozen it has no
  // steps, and there is no such buffer.
  size_t prefix_steps = 0;
  BufferId prefix = kNoBuffer;
  // Parameters in the order in which backward completes their gradients, cut into buckets; and where these lie. A
  // bucket's memory holds activations until backward comes to it.
  std::vector<std::vector<Parameter*>> buckets;
  std::vector<BufferId> bucket_buffers;
};

// Does the range of this node's values decide how a plan of Precision::kInt8 stores them?
bool is_quantized(const Graph& graph, const FusedNode& node);

// Call inside compute.run: primitives are made for the threads they will run with.
// Throws Error{kUsage} where precision is kInt8 and the model is not quantized, and for inference with group norm in
// another precision than f32; Error{kData} where a range is missing.
Program make_program(const Model& model, const Compute& compute, const ProgramOptions& options);

}  // namespace resflow
