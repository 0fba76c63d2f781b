// A Graph as two lists of steps over numbered buffers: forward, and in training backward. Layouts are decided
// here, addresses are not: Program is what a Plan is before it has memory.
#pragma once

#include <memory>
#include <vector>

#include "graph/buffers.h"
#include "graph/fusion.h"
#include "graph/model.h"
#include "graph/move.h"
#include "ops/op.h"

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

struct ProgramOptions {
  int64_t batch = 1, height = 224, width = 224;
  bool training = false;
  Layout layout = Layout::kAny;
  bool keep_transformed = true;  // as OpContext has it
  bool features = false;         // ends before the head
  bool keep_features = false;    // what the head reads is valid at the end too
};

struct Program {
  std::vector<PlannedOp> ops;
  std::vector<PlannedMove> moves;
  std::vector<Step> forward, backward;
  BufferTable buffers;  // placed
  BufferId pixels = kNoBuffer, output = kNoBuffer, diff_logits = kNoBuffer;
  BufferId features = kNoBuffer;  // keep_features
  // Parameters in the order in which backward completes their gradients, cut into buckets; and where these lie. A
  // bucket's memory holds activations until backward comes to it.
  std::vector<std::vector<Parameter*>> buckets;
  std::vector<BufferId> bucket_buffers;
};

// Call inside Compute::run: primitives are made for the threads they will run with.
Program make_program(const Model& model, const ProgramOptions& options);

}  // namespace resflow
