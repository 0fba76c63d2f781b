#include "graph/plan.h"

#include <algorithm>
#include <cstring>

#include "graph/arena.h"
#include "graph/layout_name.h"
#include "graph/program.h"
#include "io/error.h"

namespace resflow {
namespace {

const PlanOptions& checked(const PlanOptions& options) {
  if (options.batch < 1) throw usage_error("batch is {}: wanted at least 1", options.batch);
  if (std::min(options.height, options.width) < kMinImageSize)
    throw usage_error("images of {}x{}: wanted at least {} pixels a side", options.height, options.width,
                      kMinImageSize);
  if (options.output != Output::kLogits && options.mode != Mode::kEval)
    throw internal_error("a plan for training ends in logits, not in features");
  if (options.precision != Precision::kF32 && options.mode != Mode::kEval)
    throw internal_error("a plan for training computes in f32, not in {}", precision_name(options.precision));
  return options;
}

Program program_of(Model& model, const PlanOptions& options, bool borrows) {
  return make_program(model, {.batch = options.batch,
                              .height = options.height,
                              .width = options.width,
                              .training = options.mode == Mode::kTrain,
                              .layout = options.layout,
                              .keep_transformed = !borrows,
                              .features = options.output == Output::kFeatures,
                              .keep_features = options.output == Output::kLogitsAndFeatures,
                              .precision = options.precision});
}

}  // namespace

struct Plan::Impl {
  Impl(Model& the_model, const PlanOptions& the_options, const Impl* lender)
      : model(the_model), options(checked(the_options)) {
    model.compute().run([&] {
      program = program_of(model, options, lender != nullptr);
      take_arena(lender);
      take_gradients();
      bind();
    });
    // Of a training plan the frozen ones alone: those that its ops may hold folded copies of.
    for (const auto& parameter : model.parameters())
      if (!training() || parameter->frozen) watched.push_back(parameter.get());
    seen_versions.resize(watched.size());
    parameters_changed();  // bind() has made the folded copies of these
  }

  bool training() const { return options.mode == Mode::kTrain; }

  // Before bind: ops take the addresses there.
  void take_gradients() {
    if (training())
      gradients = std::make_unique<Gradients>(program.buckets, at(program.bucket_buffers), model.compute());
  }

  void take_arena(const Impl* lender) {
    if (lender != nullptr && lender->arena->bytes() >= program.buffers.bytes()) {
      arena = lender->arena;
    } else {
      arena = std::make_shared<Arena>(program.buffers.bytes(), model.compute());
    }
  }

  void* at(BufferId buffer) const {
    return buffer == kNoBuffer ? nullptr : arena->data() + program.buffers.offset_of(buffer);
  }
  std::vector<void*> at(const std::vector<BufferId>& buffers) const {
    std::vector<void*> places;
    places.reserve(buffers.size());
    for (const BufferId buffer : buffers) places.push_back(at(buffer));
    return places;
  }

  void bind() {
    for (const PlannedOp& planned : program.ops)
      planned.op->bind({.src = at(planned.src),
                        .dst = at(planned.dst),
                        .diff_src = at(planned.diff_src),
                        .diff_dst = at(planned.diff_dst),
                        .workspace = at(planned.workspace),
                        .scratch = at(planned.scratch)});
    for (PlannedMove& planned : program.moves) planned.move.bind(at(planned.from), at(planned.to), at(planned.scratch));
  }

  template <class OnBucket>
  void run(const std::vector<Step>& steps, const OnBucket& on_bucket) {
    for (const Step& step : steps) {
      switch (step.kind) {
        case Step::Kind::kForward:
          program.ops[step.index].op->forward();
          break;
        case Step::Kind::kBackward:
          program.ops[step.index].op->backward();
          break;
        case Step::Kind::kMove:
          program.moves[step.index].move.run();
          break;
        case Step::Kind::kBucket:
          on_bucket(gradients->buckets()[step.index]);
          break;
      }
    }
  }

  void run_observed(const Observer& observer) {
    if (training() || options.precision != Precision::kF32)
      throw internal_error("only a plan for evaluation in f32 can be observed");
    observer(program.input, plain_desc({options.batch, 3, options.height, options.width}),
             static_cast<const float*>(at(program.pixels)));
    for (const Step& step : program.forward) {
      run({step}, [](const Bucket& /*bucket*/) {});
      if (step.kind != Step::Kind::kForward) continue;
      const PlannedOp& planned = program.ops[step.index];
      observer(planned.node, planned.op->requirements().dst, static_cast<const float*>(at(planned.dst)));
    }
  }

  // Notes the versions there are now; true where one has changed.
  bool parameters_changed() {
    bool changed = false;
    for (size_t i = 0; i < seen_versions.size(); ++i) {
      const uint64_t version = watched[i]->version;
      changed = changed || version != seen_versions[i];
      seen_versions[i] = version;
    }
    return changed;
  }

  size_t output_count() const {
    const auto& head = std::get<LinearNode>(model.graph().nodes().back().kind);
    return static_cast<size_t>(options.batch * (options.output == Output::kFeatures ? head.in : head.out));
  }

  Model& model;
  PlanOptions options;
  Program program;
  std::unique_ptr<Gradients> gradients;  // kTrain
  std::shared_ptr<Arena> arena;
  std::vector<const Parameter*> watched;  // folded copies follow these
  std::vector<uint64_t> seen_versions;
};

Plan::Plan(Model& model, const PlanOptions& options, const Plan* lender)
    : impl_(std::make_unique<Impl>(model, options, lender == nullptr ? nullptr : lender->impl_.get())) {}
Plan::~Plan() = default;

bool Plan::fits(Model& model, const PlanOptions& options, const Plan& lender) {
  return model.compute().run(
      [&] { return program_of(model, checked(options), true).buffers.bytes() <= lender.impl_->arena->bytes(); });
}

const PlanOptions& Plan::options() const { return impl_->options; }

PlanMemory Plan::memory() const {
  PlanMemory memory;
  if (impl_->gradients) memory.gradients = impl_->gradients->bytes();
  memory.activations = impl_->arena->bytes() - memory.gradients;
  for (const auto& parameter : impl_->model.parameters()) memory.parameters += parameter->value.bytes();
  for (const PlannedOp& planned : impl_->program.ops) memory.copies += planned.op->copy_bytes();
  return memory;
}

std::span<const float> Plan::forward(const float* pixels, int64_t rows) { return forward(pixels, rows, nullptr); }

std::span<const float> Plan::forward(const float* pixels, int64_t rows, const Observer& observer) {
  Impl& plan = *impl_;
  if (rows < 1 || rows > plan.options.batch || (plan.training() && rows != plan.options.batch))
    throw internal_error("forward of {} rows in a plan for {}", rows, plan.options.batch);
  plan.model.compute().run([&] {
    if (plan.parameters_changed()) refresh();
    plan.program.input_pixels.write(pixels, rows, plan.at(plan.program.pixels));
    if (observer)
      plan.run_observed(observer);
    else
      plan.run(plan.program.forward, [](const Bucket& /*bucket*/) {});
  });
  return {static_cast<const float*>(plan.at(plan.program.output)), plan.output_count()};
}

std::span<const float> Plan::features() const {
  if (impl_->options.output != Output::kLogitsAndFeatures)
    throw internal_error("a plan that keeps no features beside its output is asked for them");
  return {static_cast<const float*>(impl_->at(impl_->program.features)),
          static_cast<size_t>(impl_->options.batch * impl_->model.feature_count())};
}

void Plan::backward(const float* diff_logits, const std::function<void(const Bucket&)>& done) {
  Impl& plan = *impl_;
  if (!plan.training()) throw internal_error("backward in a plan for evaluation");
  plan.model.compute().run([&] {
    plan.gradients->activate();
    std::memcpy(plan.at(plan.program.diff_logits), diff_logits, plan.output_count() * sizeof(float));
    plan.run(plan.program.backward, done);
  });
}

const std::vector<Bucket>& Plan::buckets() const {
  static const std::vector<Bucket> none;
  return impl_->gradients ? impl_->gradients->buckets() : none;
}

void Plan::refresh() {
  impl_->model.compute().run([&] {
    for (const PlannedOp& planned : impl_->program.ops) planned.op->refresh();
  });
}

std::vector<Plan::Row> Plan::rows() const {
  const Program& program = impl_->program;
  const std::vector<Node>& nodes = impl_->model.graph().nodes();
  std::vector<Row> rows;
  const auto add = [&](const std::vector<Step>& steps, const char* prefix) {
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
      } else if (step.kind == Step::Kind::kMove) {
        const PlannedMove& planned = program.moves[step.index];
        const bool sum = planned.move.kind() == Move::Kind::kAccumulate;
        const bool copy = planned.move.from() == planned.move.to();
        rows.push_back({.name = planned.name,
                        .kind = std::string(prefix) + (sum    ? "sum"
                                                       : copy ? "copy"
                                                              : "reorder"),
                        .src = layout_name(planned.move.from()),
                        .dst = layout_name(planned.move.to()),
                        .implementation = planned.move.implementation(),
                        .dst_dims = planned.move.to().get_dims(),
                        .dst_bytes = planned.move.to().get_size(),
                        .reorder = true});
      }
    }
  };
  add(program.forward, "");
  add(program.backward, "backward ");
  return rows;
}

}  // namespace resflow
