// A Graph made executable for one batch size, image size and mode.
//
// The Plan owns every layout, reorder, buffer and primitive. Layouts are propagated once; activations,
// gradients of activations, workspaces and scratchpads are placed by lifetime in one arena whose size is
// known before the first step; forward() and backward() allocate nothing.
//
// Output::kFeatures ends before the head: what `fc` would read, for embeddings and for training a head alone.
// Output::kLogitsAndFeatures gives both of one run.
//
// Mode::kTrain keeps what backward needs and uses the batch's statistics. Mode::kEval folds BN into the
// convolutions and fuses ReLU and the residual add into them.
//
// A Plan is used by one thread at a time; several plans may be used at once, each by its thread, where none of them
// trains and none is another one's lender of an arena. The Model outlives it.
//
//   const Compute compute(4);
//   Model model({.architecture = "resnet18", .num_classes = 10}, compute);
//   model.initialise(1);
//   Plan plan(model, {.batch = 32, .height = 224, .width = 224});
//   const std::span<const float> logits = plan.forward(pixels.data(), 32);  // pixels (32,3,224,224), logits (32,10)
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/model/model.h"
#include "graph/plan/fusion.h"
#include "graph/plan/gradients.h"
#include "ops/op.h"
#include "ops/precision.h"

namespace resflow {

enum class Mode { kTrain, kEval };
enum class Output {
  kLogits,             // (batch, classes)
  kFeatures,           // (batch, Model::feature_count): global average pool's, kEval only
  kLogitsAndFeatures,  // logits, and beside them the features that they were made of, kEval only
};

inline constexpr int64_t kMinImageSize = 32;  // pixels a side: five halvings leave one

struct PlanOptions {
  int64_t batch = 32;
  int64_t height = 224, width = 224;
  Mode mode = Mode::kEval;
  Layout layout = Layout::kAny;
  Output output = Output::kLogits;
  // kBf16 also in kTrain; kInt8 in kEval of a model that has ranges of activations (graph/plan/calibration.h). Where
  // the CPU has no instructions for it (precision_obstacle of ops/precision.h) it runs all the same, in f32 where
  // oneDNN has nothing better.
  Precision precision = Precision::kF32;
  // Is told how large the arena of activations will be, in bytes, before it is taken of the machine. Not of a plan that
  // works in another one's arena or beside another one.
  std::function<void(size_t bytes)> planned = {};
};

struct PlanMemory {
  size_t gradients = 0;    // of parameters, in the arena: they lie where activations were that backward has done with
  size_t activations = 0;  // the rest of the arena: activations, their gradients, workspaces, scratch
  size_t parameters = 0;   // values, which all plans of a model share
  size_t copies = 0;       // of parameters, folded or transformed, in evaluation; but for those of a plan beside it
  size_t total() const { return activations + gradients + parameters + copies; }
};

class Plan {
 public:
  // The first training Plan lays out the parameters of `model` to its own liking. Parameters that are frozen now get
  // no gradient. Throws Error{kUsage} (size below 32, batch below 1; in training one value a channel;
  // kInt8 of a model that is not quantized).
  //
  // With a `lender`, the new Plan works in the lender's arena where that is large enough: they must not run at the
  // same time, and each one's run overwrites the logits and gradients of the other. The lender may go first. Memory
  // matters more than speed then: transformed weights are made anew in each forward, in the arena, instead of kept.
  Plan(Model& model, const PlanOptions& options, const Plan* lender = nullptr);
  // In another Compute than the model's, which outlives it.
  Plan(Model& model, const PlanOptions& options, const Compute& compute);
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  // A plan for evaluation of the same options, to run at the same time as `other`: it has an arena of its own and
  // computes in `compute`, which outlives it, as the Compute of `other` does. There is one copy of those folded and
  // transformed weights that both want in the same layout: all of them where the two have as many threads. `other` may
  // go first. Between a change of parameters and the next forward nothing else may run. Error{kInternal} where `other`
  // trains.
  static std::unique_ptr<Plan> beside(const Plan& other, const Compute& compute);

  // Would a plan of these options work in the arena of `lender`? Takes as long as making one.
  static bool fits(Model& model, const PlanOptions& options, const Plan& lender);

  const PlanOptions& options() const;
  PlanMemory memory() const;

  // Follows changes of the model's parameters by itself. Runs `rows` rows of planar (N,3,H,W) f32. Returns the output,
  // logits or features, row-major, valid until the next forward. In kEval rows may be fewer than the batch: the rest is
  // computed from zeros and means nothing. In kTrain rows must be the batch. Else Error{kInternal}.
  std::span<const float> forward(const float* pixels, int64_t rows);
  // Shows what each op of a kEval plan in f32 has made, and the input, before anything overwrites it: the op's node and
  // the values in their layout.
  using Observer = std::function<void(const FusedNode& node, const Desc& desc, const float* values)>;
  std::span<const float> forward(const float* pixels, int64_t rows, const Observer& observer);

  // A kEval plan of a model that is frozen up to some place makes the same of the same pixels up to there, whatever
  // training does to the rest. That prefix can be kept: its bytes, for the whole batch; 0 where nothing is frozen.
  size_t prefix_bytes() const;
  // As forward, and writes prefix_bytes() to `prefix` in passing.
  std::span<const float> forward_keeping(const float* pixels, int64_t rows, std::byte* prefix);
  // As the forward that wrote `prefix`, to the bit, from there on.
  // REQUIRES: frozen parameters have not changed since.
  std::span<const float> forward_from(const std::byte* prefix);

  // What the head read in the last forward, row-major (batch, Model::feature_count), valid until the next one.
  // REQUIRES: kLogitsAndFeatures. Else Error{kInternal}.
  std::span<const float> features() const;

  // REQUIRES: kTrain, after forward. diff_logits as the logits; `done` is called with each bucket as it
  // completes, in order, while the rest is still to come. It may change the bucket's parameters: nothing
  // to come reads them. Gradients (and Parameter::gradient, which is a view of them) are valid until the next
  // forward here, or the next backward of another Plan of the model.
  void backward(const float* diff_logits, const std::function<void(const Bucket&)>& done);
  const std::vector<Bucket>& buckets() const;  // empty in kEval

  // One row an op or reorder, in forward order, then what backward adds: name, implementation, layouts.
  struct Row {
    std::string name, kind, src, dst, implementation;
    Dims dst_dims;
    int64_t multiply_adds = 0;  // of the whole batch
    size_t dst_bytes = 0;
    bool reorder = false;  // put by the plan on an edge: a reorder or a copy; in backward also a sum of gradients
    // What one run must move at least, each tensor once: sources, parameters, results; and what its backward adds, 0
    // where there is none. A backward may have one product or two: gradients of the source, of the weight.
    size_t forward_bytes = 0, backward_bytes = 0;
    int64_t backward_multiply_adds = 0;
  };
  std::vector<Row> rows() const;

  // Runs `rounds` times and one more before, and says how long each step took: the medians. In kTrain with backward
  // from `diff_logits`, as the logits; no optimizer. The batch's statistics move the model's running ones, as in
  // training. REQUIRES: rounds >= 1; pixels and rows as forward has them.
  struct StepSeconds {
    double forward = 0, backward = 0;  // an op has both in training; a reorder has one of them
  };
  struct Profile {
    std::vector<StepSeconds> steps;  // one a row of rows()
    double copy_pixels = 0;          // the input into its place, before the first step
    StepSeconds whole;               // from end to end, measured in the same runs
  };
  Profile profile(const float* pixels, int64_t rows, int rounds, const float* diff_logits = nullptr);

 private:
  struct Impl;
  explicit Plan(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // plans beside it hold it too, for the copies of parameters
};

}  // namespace resflow
