// What a Plan says of itself: its rows, and how long each of them takes.
#include <algorithm>
#include <cstring>

#include "graph/plan/layout_name.h"
#include "graph/plan/plan_impl.h"
#include "io/core/error.h"
#include "io/core/median.h"
#include "io/core/stopwatch.h"

namespace resflow {
namespace {

size_t value_bytes(const Model& model, const std::string& name) {
  return static_cast<size_t>(element_count(model.parameter(name).value.dims())) * sizeof(float);
}

// Of the parameters that an op reads.
size_t parameter_bytes(const Model& model, const FusedNode& fused) {
  const std::vector<Node>& nodes = model.graph().nodes();
  const Node& node = nodes[static_cast<size_t>(fused.first)];
  if (std::holds_alternative<ConvNode>(node.kind)) {
    const size_t bias =
        fused.batch_norm < 0 ? 0 : value_bytes(model, nodes[static_cast<size_t>(fused.batch_norm)].name + ".bias");
    return value_bytes(model, node.name + ".weight") + bias;
  }
  if (has_weight_and_bias(node.kind))
    return value_bytes(model, node.name + ".weight") + value_bytes(model, node.name + ".bias");
  return 0;
}

size_t bytes_of(const std::vector<Desc>& descs) {
  size_t bytes = 0;
  for (const Desc& desc : descs) bytes += desc.get_size();
  return bytes;
}

// What backward of the op moves and multiplies.
void add_backward(const PlannedOp& planned, Plan::Row& row, size_t parameters) {
  const Requirements& wants = planned.op->requirements();
  const bool learns = !planned.op->parameters().empty(), passes_on = !wants.diff_src.empty();
  row.backward_bytes =
      wants.diff_dst.get_size() + bytes_of(wants.diff_src) + (learns ? parameters : 0) + (passes_on ? parameters : 0);
  if (wants.backward_reads_src) row.backward_bytes += wants.src[0].get_size();
  if (wants.backward_reads_dst) row.backward_bytes += wants.dst.get_size();
  row.backward_multiply_adds = row.multiply_adds * ((learns ? 1 : 0) + (passes_on ? 1 : 0));
}

}  // namespace

std::vector<Plan::Row> Plan::rows() const {
  const Program& program = impl_->program;
  const std::vector<Node>& nodes = impl_->model.graph().nodes();
  std::vector<bool> backward_runs(program.ops.size());
  for (const Step& step : program.backward)
    if (step.kind == Step::Kind::kBackward) backward_runs[step.index] = true;
  std::vector<Row> rows;
  const auto add = [&](const std::vector<Step>& steps, bool backward) {
    for (const Step& step : steps) {
      if (step.kind == Step::Kind::kForward) {
        const PlannedOp& planned = program.ops[step.index];
        const Requirements& wants = planned.op->requirements();
        const Node& node = nodes[static_cast<size_t>(planned.node.first)];
        std::string kind = kind_name(node.kind);
        if (planned.node.batch_norm >= 0) kind += " + batch_norm";
        if (planned.node.residual) kind += " + add";
        if (planned.node.relu) kind += " + relu";
        rows.push_back({.name = node.name,
                        .kind = kind,
                        .src = layout_name(wants.src[0]),
                        .dst = layout_name(wants.dst),
                        .implementation = planned.op->implementation(),
                        .dst_dims = wants.dst.get_dims(),
                        .multiply_adds = planned.op->multiply_adds(),
                        .dst_bytes = wants.dst.get_size()});
        const size_t parameters = parameter_bytes(impl_->model, planned.node);
        rows.back().forward_bytes = bytes_of(wants.src) + parameters + wants.dst.get_size();
        if (backward_runs[step.index]) add_backward(planned, rows.back(), parameters);
      } else if (step.kind == Step::Kind::kMove) {
        const PlannedMove& planned = program.moves[step.index];
        const bool sum = planned.move.kind() == Move::Kind::kAccumulate;
        const bool copy = planned.move.from() == planned.move.to();
        rows.push_back({.name = planned.name,
                        .kind = std::string(backward ? "backward " : "") + (sum    ? "sum"
                                                                            : copy ? "copy"
                                                                                   : "reorder"),
                        .src = layout_name(planned.move.from()),
                        .dst = layout_name(planned.move.to()),
                        .implementation = planned.move.implementation(),
                        .dst_dims = planned.move.to().get_dims(),
                        .dst_bytes = planned.move.to().get_size(),
                        .reorder = true});
        const size_t bytes = planned.move.from().get_size() + planned.move.to().get_size() * (sum ? 2 : 1);
        (backward ? rows.back().backward_bytes : rows.back().forward_bytes) = bytes;
      }
    }
  };
  add(program.forward, false);
  add(program.backward, true);
  return rows;
}

Plan::Profile Plan::profile(const float* pixels, int64_t rows, int rounds, const float* diff_logits) {
  Impl& plan = *impl_;
  if (rounds < 1) throw internal_error("a profile of {} rounds", rounds);
  forward(pixels, rows);  // checks `rows`, and warms up

  // Places of rows(): first of all forward's steps, then what backward has beside the ops.
  const Program& program = plan.program;
  std::vector<size_t> row_of_op(program.ops.size());
  size_t count = program.forward.size();
  for (size_t i = 0; i < program.forward.size(); ++i)
    if (program.forward[i].kind == Step::Kind::kForward) row_of_op[program.forward[i].index] = i;
  std::vector<size_t> backward_rows;  // of each step; kNone: a bucket
  backward_rows.reserve(program.backward.size());
  constexpr size_t kNone = ~size_t{0};
  for (const Step& step : program.backward)
    backward_rows.push_back(step.kind == Step::Kind::kBackward ? row_of_op[step.index]
                            : step.kind == Step::Kind::kMove   ? count++
                                                               : kNone);

  const auto samples = static_cast<size_t>(rounds);
  std::vector<std::vector<double>> forward_times(count, std::vector<double>(samples));
  std::vector<std::vector<double>> backward_times = forward_times;
  std::vector<double> copies(samples), wholes(samples), backward_wholes(samples);
  plan.compute.run([&] {
    for (size_t round = 0; round < samples; ++round) {
      const Stopwatch whole;
      program.input_pixels.write(pixels, rows, plan.at(program.pixels));
      copies[round] = whole.seconds();
      for (size_t i = 0; i < program.forward.size(); ++i) {
        const Stopwatch step;
        plan.run(std::span(&program.forward[i], 1));
        forward_times[i][round] = step.seconds();
      }
      wholes[round] = whole.seconds();
      if (!plan.training() || diff_logits == nullptr) continue;
      plan.gradients->activate();
      std::memcpy(plan.at(program.diff_logits), diff_logits, plan.output_count() * sizeof(float));
      const Stopwatch backward;
      for (size_t i = 0; i < program.backward.size(); ++i) {
        const Stopwatch step;
        plan.run(std::span(&program.backward[i], 1));
        if (backward_rows[i] != kNone) backward_times[backward_rows[i]][round] = step.seconds();
      }
      backward_wholes[round] = backward.seconds();
    }
  });

  Profile profile;
  for (size_t i = 0; i < count; ++i) profile.steps.push_back({median(forward_times[i]), median(backward_times[i])});
  profile.copy_pixels = median(copies);
  profile.whole = {median(wholes), median(backward_wholes)};
  return profile;
}

}  // namespace resflow
