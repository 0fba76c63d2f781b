#include "graph/plan/plan.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "graph/plan/plan_impl.h"
#include "io/core/error.h"

namespace resflow {
namespace {

PlanOptions checked(const PlanOptions& options) {
  if (options.batch < 1) throw usage_error("batch is {}: wanted at least 1", options.batch);
  if (std::min(options.height, options.width) < kMinImageSize)
    throw usage_error("images of {}x{}: wanted at least {} pixels a side", options.height, options.width,
                      kMinImageSize);
  if (options.output != Output::kLogits && options.mode != Mode::kEval)
    throw internal_error("a plan for training ends in logits, not in features");
  if (options.precision == Precision::kInt8 && options.mode != Mode::kEval)
    throw internal_error("a plan for training computes in f32 or bf16, not in int8");
  return options;
}

Program program_of(Model& model, const Compute& compute, const PlanOptions& options, bool borrows_arena,
                   const Program* lender = nullptr) {
  return make_program(model, compute,
                      {.batch = options.batch,
                       .height = options.height,
                       .width = options.width,
                       .training = options.mode == Mode::kTrain,
                       .layout = options.layout,
                       .keep_transformed = !borrows_arena,
                       .features = options.output == Output::kFeatures,
                       .keep_features = options.output == Output::kLogitsAndFeatures,
                       .precision = options.precision,
                       .lender = lender});
}

}  // namespace

Plan::Impl::Impl(Model& the_model, const Compute& the_compute, const PlanOptions& the_options, const Impl* arena_lender,
                 std::shared_ptr<Impl> copies_lender)
    : model(the_model), compute(the_compute), options(checked(the_options)), copies_of(std::move(copies_lender)) {
  compute.run([&] {
    program = program_of(model, compute, options, arena_lender != nullptr, copies_of ? &copies_of->program : nullptr);
    take_arena(arena_lender);
    take_gradients();
    bind();
  });
  // Of a training plan the frozen ones alone: those that its ops may hold folded copies of.
  for (const auto& parameter : model.parameters())
    if (!training() || parameter->frozen) watched.push_back(parameter.get());
  seen_versions.resize(watched.size());
  parameters_changed();  // bind() has made the folded copies of these
}

void Plan::Impl::take_arena(const Impl* lender) {
  if (lender != nullptr && lender->arena->bytes() >= program.buffers.bytes()) {
    arena = lender->arena;
  } else {
    if (options.planned && lender == nullptr && !copies_of) options.planned(program.buffers.bytes());
    arena = std::make_shared<Arena>(program.buffers.bytes(), compute);
  }
}

void Plan::Impl::bind() {
  for (const PlannedOp& planned : program.ops)
    planned.op->bind({.src = at(planned.src),
                      .dst = at(planned.dst),
                      .diff_src = at(planned.diff_src),
                      .diff_dst = at(planned.diff_dst),
                      .workspace = at(planned.workspace),
                      .scratch = at(planned.scratch)});
  for (PlannedMove& planned : program.moves) planned.move.bind(at(planned.from), at(planned.to), at(planned.scratch));
}

void Plan::Impl::write_pixels(const float* pixels, int64_t rows) {
  if (rows < 1 || rows > options.batch || (training() && rows != options.batch))
    throw internal_error("forward of {} rows in a plan for {}", rows, options.batch);
  program.input_pixels.write(pixels, rows, at(program.pixels));
}

void Plan::Impl::run_observed(const Observer& observer) {
  if (training() || options.precision != Precision::kF32)
    throw internal_error("only a plan for evaluation in f32 can be observed");
  observer(program.input, plain_desc({options.batch, 3, options.height, options.width}),
           static_cast<const float*>(at(program.pixels)));
  for (const Step& step : program.forward) {
    run(std::span(&step, 1));
    if (step.kind != Step::Kind::kForward) continue;
    const PlannedOp& planned = program.ops[step.index];
    observer(planned.node, planned.op->requirements().dst, static_cast<const float*>(at(planned.dst)));
  }
}

void Plan::Impl::follow_parameters() {
  if (copies_of) copies_of->follow_parameters();
  const std::lock_guard lock(following);
  if (parameters_changed()) refresh();
}

void Plan::Impl::refresh() {
  compute.run([&] {
    for (const PlannedOp& planned : program.ops) planned.op->refresh();
  });
}

bool Plan::Impl::parameters_changed() {
  bool changed = false;
  for (size_t i = 0; i < seen_versions.size(); ++i) {
    const uint64_t version = watched[i]->version;
    changed = changed || version != seen_versions[i];
    seen_versions[i] = version;
  }
  return changed;
}

size_t Plan::Impl::copy_bytes() const {
  size_t bytes = 0;
  for (const PlannedOp& planned : program.ops) bytes += planned.op->copy_bytes();
  return bytes;
}

size_t Plan::Impl::output_count() const {
  const auto& head = std::get<LinearNode>(model.graph().nodes().back().kind);
  return static_cast<size_t>(options.batch * (options.output == Output::kFeatures ? head.in : head.out));
}

Plan::Plan(Model& model, const PlanOptions& options, const Plan* lender)
    : impl_(std::make_shared<Impl>(model, model.compute(), options, lender == nullptr ? nullptr : lender->impl_.get(),
                                   nullptr)) {}
Plan::Plan(Model& model, const PlanOptions& options, const Compute& compute)
    : impl_(std::make_shared<Impl>(model, compute, options, nullptr, nullptr)) {}
Plan::Plan(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

// Who borrows copies of parameters keeps the ops that refresh them, and has no use for what they compute in.
Plan::~Plan() { impl_->arena.reset(); }

std::unique_ptr<Plan> Plan::beside(const Plan& other, const Compute& compute) {
  if (other.impl_->training()) throw internal_error("a plan beside one that trains");
  auto impl = std::make_shared<Impl>(other.impl_->model, compute, other.impl_->options, nullptr, other.impl_);
  return std::unique_ptr<Plan>(new Plan(std::move(impl)));
}

bool Plan::fits(Model& model, const PlanOptions& options, const Plan& lender) {
  return model.compute().run([&] {
    return program_of(model, model.compute(), checked(options), true).buffers.bytes() <= lender.impl_->arena->bytes();
  });
}

const PlanOptions& Plan::options() const { return impl_->options; }

PlanMemory Plan::memory() const {
  PlanMemory memory;
  if (impl_->gradients) memory.gradients = impl_->gradients->bytes();
  memory.activations = impl_->arena->bytes() - memory.gradients;
  for (const auto& parameter : impl_->model.parameters()) memory.parameters += parameter->value.bytes();
  memory.copies = impl_->copy_bytes();
  // A lender that has gone is there for its copies alone, and nobody else counts them.
  for (const Impl* plan = impl_->copies_of.get(); plan != nullptr && !plan->arena; plan = plan->copies_of.get())
    memory.copies += plan->copy_bytes();
  return memory;
}

std::span<const float> Plan::forward(const float* pixels, int64_t rows) { return forward(pixels, rows, nullptr); }

std::span<const float> Plan::forward(const float* pixels, int64_t rows, const Observer& observer) {
  Impl& plan = *impl_;
  return plan.run_forward([&] {
    plan.write_pixels(pixels, rows);
    if (observer)
      plan.run_observed(observer);
    else
      plan.run(plan.program.forward);
  });
}

size_t Plan::prefix_bytes() const {
  const Program& program = impl_->program;
  return program.prefix == kNoBuffer ? 0 : program.buffers.bytes_of(program.prefix);
}

std::span<const float> Plan::forward_keeping(const float* pixels, int64_t rows, std::byte* prefix) {
  Impl& plan = *impl_;
  return plan.run_forward([&] {
    plan.write_pixels(pixels, rows);
    plan.run(plan.prefix_steps());
    std::memcpy(prefix, plan.at(plan.program.prefix), prefix_bytes());
    plan.run(plan.other_steps());
  });
}

std::span<const float> Plan::forward_from(const std::byte* prefix) {
  Impl& plan = *impl_;
  return plan.run_forward([&] {
    std::memcpy(plan.at(plan.program.prefix), prefix, prefix_bytes());
    plan.run(plan.other_steps());
  });
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
  plan.compute.run([&] {
    plan.gradients->activate();
    std::memcpy(plan.at(plan.program.diff_logits), diff_logits, plan.output_count() * sizeof(float));
    plan.run(plan.program.backward, done);
  });
}

const std::vector<Bucket>& Plan::buckets() const {
  static const std::vector<Bucket> none;
  return impl_->gradients ? impl_->gradients->buckets() : none;
}

}  // namespace resflow
