#include "graph/plan/plan.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>
#include <utility>

#include "graph/plan/arena.h"
#include "graph/plan/layout_name.h"
#include "graph/plan/program.h"
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
  if (std::holds_alternative<BatchNormNode>(node.kind) || std::holds_alternative<LinearNode>(node.kind))
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

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

struct Plan::Impl {
  Impl(Model& the_model, const Compute& the_compute, const PlanOptions& the_options, const Impl* arena_lender,
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

  bool training() const { return options.mode == Mode::kTrain; }

  // Before bind: ops take the addresses there.
  void take_gradients() {
    if (training()) gradients = std::make_unique<Gradients>(program.buckets, at(program.bucket_buffers), compute);
  }

  void take_arena(const Impl* lender) {
    if (lender != nullptr && lender->arena->bytes() >= program.buffers.bytes()) {
      arena = lender->arena;
    } else {
      arena = std::make_shared<Arena>(program.buffers.bytes(), compute);
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
  void run(std::span<const Step> steps, const OnBucket& on_bucket) const {
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

  void run(std::span<const Step> steps) const {
    run(steps, [](const Bucket& /*bucket*/) {});
  }

  template <class Work>
  std::span<const float> run_forward(const Work& work) {
    follow_parameters();
    compute.run(work);
    return {static_cast<const float*>(at(program.output)), output_count()};
  }

  void write_pixels(const float* pixels, int64_t rows) {
    if (rows < 1 || rows > options.batch || (training() && rows != options.batch))
      throw internal_error("forward of {} rows in a plan for {}", rows, options.batch);
    program.input_pixels.write(pixels, rows, at(program.pixels));
  }

  std::span<const Step> prefix_steps() const { return std::span(program.forward).first(program.prefix_steps); }
  std::span<const Step> other_steps() const { return std::span(program.forward).subspan(program.prefix_steps); }

  void run_observed(const Observer& observer) {
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

  // Copies of parameters that have changed, a lender's first. Several plans may come at once for the same lender's.
  void follow_parameters() {
    if (copies_of) copies_of->follow_parameters();
    const std::lock_guard lock(following);
    if (parameters_changed()) refresh();
  }

  void refresh() {
    compute.run([&] {
      for (const PlannedOp& planned : program.ops) planned.op->refresh();
    });
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

  size_t copy_bytes() const {
    size_t bytes = 0;
    for (const PlannedOp& planned : program.ops) bytes += planned.op->copy_bytes();
    return bytes;
  }

  size_t output_count() const {
    const auto& head = std::get<LinearNode>(model.graph().nodes().back().kind);
    return static_cast<size_t>(options.batch * (options.output == Output::kFeatures ? head.in : head.out));
  }

  Model& model;
  const Compute& compute;
  PlanOptions options;
  std::shared_ptr<Impl> copies_of;  // whose copies of parameters the ops may have borrowed
  Program program;
  std::unique_ptr<Gradients> gradients;  // kTrain
  std::shared_ptr<Arena> arena;
  std::vector<const Parameter*> watched;  // folded copies follow these
  std::vector<uint64_t> seen_versions;
  std::mutex following;
};

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
  using Clock = std::chrono::steady_clock;
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
  const auto since = [](Clock::time_point from) { return std::chrono::duration<double>(Clock::now() - from).count(); };
  plan.compute.run([&] {
    for (size_t round = 0; round < samples; ++round) {
      const auto start = Clock::now();
      program.input_pixels.write(pixels, rows, plan.at(program.pixels));
      copies[round] = since(start);
      for (size_t i = 0; i < program.forward.size(); ++i) {
        const auto from = Clock::now();
        plan.run(std::span(&program.forward[i], 1));
        forward_times[i][round] = since(from);
      }
      wholes[round] = since(start);
      if (!plan.training() || diff_logits == nullptr) continue;
      plan.gradients->activate();
      std::memcpy(plan.at(program.diff_logits), diff_logits, plan.output_count() * sizeof(float));
      const auto middle = Clock::now();
      for (size_t i = 0; i < program.backward.size(); ++i) {
        const auto from = Clock::now();
        plan.run(std::span(&program.backward[i], 1));
        if (backward_rows[i] != kNone) backward_times[backward_rows[i]][round] = since(from);
      }
      backward_wholes[round] = since(middle);
    }
  });

  Profile profile;
  for (size_t i = 0; i < count; ++i) profile.steps.push_back({median(forward_times[i]), median(backward_times[i])});
  profile.copy_pixels = median(copies);
  profile.whole = {median(wholes), median(backward_wholes)};
  return profile;
}

}  // namespace resflow
