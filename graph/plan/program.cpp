#include "graph/plan/program.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "graph/model/freeze.h"
#include "graph/plan/gradients.h"
#include "graph/plan/make_op.h"
#include "io/core/error.h"
#include "ops/primitive.h"

namespace resflow {
namespace {

// The value of a fused node, or the gradient with respect to it.
struct Value {
  Desc desc;
  BufferId buffer = kNoBuffer;
  float scale = 1;  // real values are this times the stored ones
};

using Type = dnnl::memory::data_type;

// Features are what the last node, the head, reads.
std::vector<FusedNode> fused_nodes(const Model& model, const ProgramOptions& options) {
  std::vector<FusedNode> fused = fuse(model.graph(), inference_nodes(model, options.training));
  if (options.features) fused.pop_back();
  return fused;
}

class Planner {
 public:
  Planner(const Model& model, const Compute& compute, const ProgramOptions& options)
      : model_(model), compute_(compute), options_(options), fused_(fused_nodes(model, options)) {}

  Program run() {
    find_readers();
    choose_storage();
    forward();
    if (options_.training) backward();
    keep_results();
    share_buffers();
    if (!options_.training) find_prefix();
    program_.buffers.place();
    return std::move(program_);
  }

 private:
  const Node& node(const FusedNode& fused) const { return model_.graph().nodes()[static_cast<size_t>(fused.first)]; }

  void find_readers() {
    last_reader_.resize(fused_.size(), -1);
    wants_gradient_.resize(fused_.size());
    for (size_t i = 0; i < fused_.size(); ++i) {
      wants_gradient_[i] = options_.training && is_trained(model_, fused_[i]);
      for (const int input : fused_[i].inputs) {
        last_reader_[static_cast<size_t>(input)] = static_cast<int>(i);
        if (wants_gradient_[static_cast<size_t>(input)]) wants_gradient_[i] = true;
      }
    }
  }

  // ---- precision

  void choose_storage() {
    storage_.resize(fused_.size());
    if (options_.precision == Precision::kInt8) read_ranges();
    // Each op of inference falls back to f32 where it must; in training all do, or edges would go to and fro.
    if (options_.training && !has_bf16_primitives(compute_)) return;
    for (size_t i = 0; i < fused_.size(); ++i) {
      const FusedNode& fused = fused_[i];
      if (!fused.inference && (options_.precision == Precision::kF32 || is_head(fused))) continue;
      if (keeps_storage(fused)) {
        storage_[i] = storage_[static_cast<size_t>(fused.inputs[0])];
      } else if (!fused.inference || is_quantized(model_.graph(), fused)) {
        storage_[i] = stored(fused);
      }
    }
  }

  void read_ranges() {
    if (!model_.quantization())
      throw usage_error("the model is not quantized, and int8 needs the ranges of its activations");
    for (const ActivationRange& range : model_.quantization()->activations) ranges_[range.name] = &range;
  }

  Storage stored(const FusedNode& fused) const {
    if (options_.precision == Precision::kF32) return {};
    if (options_.precision == Precision::kBf16) return {Type::bf16};
    const auto found = ranges_.find(node(fused).name);
    if (found == ranges_.end())
      throw data_error("its quantization has no range of the activation {}: quantize the model anew", node(fused).name);
    const ActivationRange& range = *found->second;
    return eight_bits(fused.relu ? std::max(range.low, 0.0F) : range.low, range.high);
  }

  // What follows the last convolutions: in f32 whatever the rest is in.
  bool is_head(const FusedNode& fused) const {
    return std::holds_alternative<GlobalAvgPoolNode>(node(fused).kind) ||
           std::holds_alternative<LinearNode>(node(fused).kind);
  }

  // In inference convolutions and max pooling take what there is, and the others know f32 alone.
  bool takes_any_storage(const FusedNode& fused) const {
    if (!fused.inference) return !is_head(fused);
    return fused.batch_norm >= 0 || keeps_storage(fused);
  }

  // What it makes are values that it has read.
  bool keeps_storage(const FusedNode& fused) const {
    return std::holds_alternative<MaxPoolNode>(node(fused).kind) ||
           std::holds_alternative<PadShortcutNode>(node(fused).kind);
  }

  // ---- forward

  void forward() {
    values_.resize(fused_.size());
    reordered_.resize(fused_.size());
    op_of_.resize(fused_.size());
    for (size_t i = 0; i < fused_.size(); ++i) {
      if (const auto* input = std::get_if<InputNode>(&node(fused_[i]).kind)) {
        // Its first reader says how it is to be written.
        values_[i].desc = plain_desc({options_.batch, input->channels, options_.height, options_.width});
        program_.input = fused_[i];
        pixels_step_ = step_++;
      } else {
        forward(i);
      }
    }
    Value& output = values_.back();
    const Desc row_major = plain_desc(output.desc.get_dims());
    output = {row_major, as(fused_.size() - 1, {row_major}, options_.features ? "features" : "logits")};
    program_.output = output.buffer;
    if (options_.keep_features) {
      const auto head_input = static_cast<size_t>(fused_.back().inputs.front());
      program_.features = as(head_input, {plain_desc(values_[head_input].desc.get_dims())}, "features");
    }
  }

  void forward(size_t i) {
    PlannedOp planned{.node = fused_[i]};
    std::vector<Desc> srcs;
    std::vector<Storage> storage;
    bool need_diff_src = false;
    for (const int input : planned.node.inputs) {
      const Desc& made = values_[static_cast<size_t>(input)].desc;
      srcs.push_back(takes_any_storage(planned.node) ? made : with_type(made, Type::f32));
      storage.push_back(storage_[static_cast<size_t>(input)]);
      need_diff_src = need_diff_src || wants_gradient_[static_cast<size_t>(input)];
    }
    const OpContext context = {
        .compute = compute_,
        .training = !planned.node.inference,
        .need_diff_src = need_diff_src,
        .layout = options_.layout,
        .keep_transformed = options_.keep_transformed,
        .lender = options_.lender == nullptr ? nullptr : options_.lender->ops[program_.ops.size()].op.get(),
        .src_storage = storage,
        .dst_storage = storage_[i]};
    check_variance(planned, srcs[0]);
    planned.op = make_op(context, model_, planned.node, srcs);
    const Requirements& wants = planned.op->requirements();
    const std::string& name = node(planned.node).name;
    for (size_t k = 0; k < srcs.size(); ++k)
      planned.src.push_back(
          as(static_cast<size_t>(planned.node.inputs[k]), {wants.src[k], kNoBuffer, wanted_scale(planned, k)}, name));

    if (wants.dst_is_last_src) {
      planned.dst = planned.src.back() = own_residual(i, planned, name);
    } else {
      planned.dst = buffers().add(wants.dst.get_size());
    }
    if (wants.workspace_bytes > 0) planned.workspace = buffers().add(wants.workspace_bytes);
    if (wants.scratch_bytes > 0) planned.scratch = buffers().add_scratch(wants.scratch_bytes);
    for (const BufferId src : planned.src) buffers().use(src, step_);
    buffers().use(planned.dst, step_);
    buffers().use(planned.workspace, step_);
    buffers().use(planned.scratch, step_);
    values_[i] = {wants.dst, planned.dst, wants.keeps_scale ? wanted_scale(planned, 0) : wants.dst_scale};
    op_of_[i] = program_.ops.size();
    program_.forward.push_back({Step::Kind::kForward, program_.ops.size()});
    program_.ops.push_back(std::move(planned));
    ++step_;
  }

  void check_variance(const PlannedOp& planned, const Desc& src) const {
    if (!std::holds_alternative<BatchNormNode>(node(planned.node).kind)) return;
    const bool of_batch = !model_.parameter(node(planned.node).name + ".running_mean").frozen;
    if (planned.node.inference || !of_batch) return;
    const Dims dims = src.get_dims();
    if (element_count(dims) == dims[1])
      throw usage_error("{}: batch norm has one value a channel here, wanted more; train with larger batches or images",
                        node(planned.node).name);
  }

  // The buffer of value i in the layout `wanted`; a reorder is made once for all readers.
  BufferId as(size_t i, const Value& wanted, const std::string& reader) {
    if (values_[i].buffer == kNoBuffer) write_input_as(i, wanted);
    const auto is_wanted = [&](const Value& value) { return value.desc == wanted.desc && value.scale == wanted.scale; };
    if (is_wanted(values_[i])) return values_[i].buffer;
    for (const Value& copy : reordered_[i])
      if (is_wanted(copy)) return copy.buffer;
    reordered_[i].push_back(move(program_.forward, Move::Kind::kAssign, values_[i], wanted, reader));
    return reordered_[i].back().buffer;
  }

  void write_input_as(size_t i, const Value& wanted) {
    Value& input = values_[i];
    if (Pixels::can_write(wanted.desc)) input = wanted;
    input.buffer = program_.pixels = buffers().add(input.desc.get_size());
    program_.input_pixels = Pixels(input.desc, input.scale);
    buffers().use(program_.pixels, pixels_step_);
  }

  float wanted_scale(const PlannedOp& planned, size_t k) const {
    const Requirements& wants = planned.op->requirements();
    if (wants.keeps_scale) return values_[static_cast<size_t>(planned.node.inputs[k])].scale;
    return wants.src_scales.empty() ? 1 : wants.src_scales[k];
  }

  // The residual's buffer becomes dst: a copy of it where somebody reads the residual later.
  BufferId own_residual(size_t i, const PlannedOp& planned, const std::string& name) {
    const auto residual = static_cast<size_t>(planned.node.inputs.back());
    const bool read_by_conv = planned.src.front() == planned.src.back();
    if (last_reader_[residual] == static_cast<int>(i) && !read_by_conv) return planned.src.back();
    const Desc& desc = planned.op->requirements().src.back();
    return move(program_.forward, Move::Kind::kAssign, {desc, planned.src.back()}, {desc}, name).buffer;
  }

  // ---- backward

  void backward() {
    gradients_.resize(fused_.size());
    const size_t last = fused_.size() - 1;
    program_.diff_logits = buffers().add(values_[last].desc.get_size());
    buffers().use(program_.diff_logits, step_++);
    gradients_[last] = Value{values_[last].desc, program_.diff_logits};
    for (size_t i = fused_.size(); i-- > 0;)
      if (wants_gradient_[i]) backward(i);
    if (!open_bucket_.empty()) close_bucket();
  }

  void backward(size_t i) {
    PlannedOp& planned = program_.ops[op_of_[i]];
    const Requirements& wants = planned.op->requirements();
    const std::string& name = node(planned.node).name;
    Value diff_dst = *gradients_[i];
    if (diff_dst.desc != wants.diff_dst)
      diff_dst = move(program_.backward, Move::Kind::kAssign, diff_dst, {wants.diff_dst}, name);
    planned.diff_dst = diff_dst.buffer;
    for (const Desc& desc : wants.diff_src) planned.diff_src.push_back(buffers().add(desc.get_size()));

    buffers().use(planned.diff_dst, step_);
    for (const BufferId diff_src : planned.diff_src) buffers().use(diff_src, step_);
    if (wants.backward_reads_src) buffers().use(planned.src[0], step_);
    if (wants.backward_reads_dst) buffers().use(planned.dst, step_);
    buffers().use(planned.workspace, step_);
    buffers().use(planned.scratch, step_);
    program_.backward.push_back({Step::Kind::kBackward, op_of_[i]});
    ++step_;

    collect(planned.op->parameters());
    for (size_t k = 0; k < planned.diff_src.size(); ++k)
      contribute(static_cast<size_t>(planned.node.inputs[k]), {wants.diff_src[k], planned.diff_src[k]});
  }

  // Adds a reader's gradient to that of value i: the first one is taken as it is, each other costs one pass.
  void contribute(size_t i, const Value& gradient) {
    if (!wants_gradient_[i]) return;
    std::optional<Value>& sum = gradients_[i];
    if (!sum) {
      sum = gradient;
      return;
    }
    // Summed in the layout that the producer wants where one of the two has it: no reorder after.
    const Desc& wanted = program_.ops[op_of_[i]].op->requirements().diff_dst;
    const bool into_new = sum->desc != wanted && gradient.desc == wanted;
    const Value& from = into_new ? *sum : gradient;
    const Value to = into_new ? gradient : *sum;
    emit(program_.backward, Move::Kind::kAccumulate, from, to, node(fused_[i]).name);
    sum = to;
  }

  // The parameters of the step just made go into the open bucket.
  void collect(const std::vector<Parameter*>& parameters) {
    if (open_bucket_.empty()) open_since_ = step_ - 1;
    open_bucket_.insert(open_bucket_.end(), parameters.begin(), parameters.end());
    if (bucket_bytes(open_bucket_) >= kBucketBytes) close_bucket();
  }

  void close_bucket() {
    program_.bucket_buffers.push_back(buffers().add(bucket_bytes(open_bucket_)));
    buffers().use(program_.bucket_buffers.back(), open_since_);
    program_.backward.push_back({Step::Kind::kBucket, program_.buckets.size()});
    program_.buckets.push_back(std::exchange(open_bucket_, {}));
  }

  // ---- both

  Value move(std::vector<Step>& steps, Move::Kind kind, const Value& from, const Value& to, const std::string& name) {
    Value moved = {to.desc, buffers().add(to.desc.get_size()), to.scale};
    emit(steps, kind, from, moved, name);
    return moved;
  }

  void emit(std::vector<Step>& steps, Move::Kind kind, const Value& from, const Value& to, const std::string& name) {
    PlannedMove planned{.name = name,
                        .move = Move(kind, from.desc, to.desc, compute_, from.scale / to.scale),
                        .from = from.buffer,
                        .to = to.buffer};
    if (planned.move.scratch_bytes() > 0) planned.scratch = buffers().add_scratch(planned.move.scratch_bytes());
    buffers().use(planned.from, step_);
    buffers().use(planned.to, step_);
    buffers().use(planned.scratch, step_);
    steps.push_back({Step::Kind::kMove, program_.moves.size()});
    program_.moves.push_back(std::move(planned));
    ++step_;
  }

  // The output and the parameters' gradients are valid until the next forward.
  void keep_results() {
    buffers().use(program_.output, step_);
    buffers().use(program_.features, step_);
    for (const BufferId bucket : program_.bucket_buffers) buffers().use(bucket, step_);
  }

  // Ops that may run in place do, where nobody reads the overwritten buffer after them.
  void share_buffers() {
    for (const PlannedOp& planned : program_.ops) {
      const Requirements& wants = planned.op->requirements();
      if (wants.forward_in_place && planned.src[0] != program_.pixels &&
          buffers().last_use(planned.src[0]) == buffers().first_use(planned.dst))
        buffers().merge(planned.src[0], planned.dst);
      if (wants.backward_in_place && planned.diff_dst != kNoBuffer && !planned.diff_src.empty() &&
          buffers().last_use(planned.diff_dst) == buffers().first_use(planned.diff_src[0]))
        buffers().merge(planned.diff_dst, planned.diff_src[0]);
    }
  }

  void find_prefix() {
    // What would be inference in training too is what depends on nothing that training changes.
    const std::vector<bool> frozen = inference_nodes(model_, true);
    for (size_t k = 0; k < program_.forward.size(); ++k) {
      const Step& step = program_.forward[k];
      if (step.kind != Step::Kind::kForward) continue;
      const PlannedOp& planned = program_.ops[step.index];
      if (!frozen[static_cast<size_t>(planned.node.last)]) return;
      const std::vector<BufferId> live = buffers().live_after(pixels_step_ + 1 + static_cast<int>(k));
      if (live.size() != 1) continue;
      program_.prefix_steps = k + 1;
      program_.prefix = live.front();
    }
  }

  BufferTable& buffers() { return program_.buffers; }

  const Model& model_;
  const Compute& compute_;
  const ProgramOptions& options_;
  const std::vector<FusedNode> fused_;
  Program program_;
  int step_ = 0;
  int pixels_step_ = 0;
  // One of each fused node.
  std::vector<int> last_reader_;
  std::vector<bool> wants_gradient_;
  std::vector<Storage> storage_;
  std::vector<Value> values_;
  std::vector<std::vector<Value>> reordered_;
  std::vector<size_t> op_of_;
  std::vector<std::optional<Value>> gradients_;
  std::unordered_map<std::string_view, const ActivationRange*> ranges_;
  std::vector<Parameter*> open_bucket_;
  int open_since_ = 0;
};

}  // namespace

bool is_quantized(const Graph& graph, const FusedNode& node) {
  return node.batch_norm >= 0 || std::holds_alternative<InputNode>(graph.nodes()[static_cast<size_t>(node.first)].kind);
}

Program make_program(const Model& model, const Compute& compute, const ProgramOptions& options) {
  // A convolution that no batch norm is folded into knows f32 alone in inference.
  if (!options.training && options.precision != Precision::kF32 && has_nodes<GroupNormNode>(model.graph()))
    throw usage_error("{}: a network with group norm is scored in f32, not in {}", model.description().architecture,
                      precision_name(options.precision));
  return Planner(model, compute, options).run();
}

}  // namespace resflow
