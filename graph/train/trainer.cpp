#include "graph/train/trainer.h"

#include <functional>
#include <map>

#include "graph/train/gradient_sum.h"
#include "io/core/error.h"
#include "io/core/stopwatch.h"
#include "ops/softmax_loss.h"

namespace resflow {
namespace {

// A plan for one number of rows, with the loss of its logits.
struct Sized {
  Sized(Model& model, const PlanOptions& options, const Plan* lender, const LossOptions& loss_options)
      : plan(model, options, lender),
        loss(model.compute(), options.batch, model.description().num_classes,
             {.label_smoothing = loss_options.label_smoothing, .class_weights = loss_options.class_weights}),
        diff_logits(static_cast<size_t>(options.batch * model.description().num_classes)) {}

  Plan plan;
  SoftmaxLoss loss;
  std::vector<float> diff_logits;
};

}  // namespace

struct Trainer::Impl {
  Impl(Model& the_model, int64_t batch, int64_t image_size, const OptimizerOptions& optimizer_options,
       const LossOptions& the_loss, Layout layout, Precision precision, std::function<void(size_t)> planned)
      : model(the_model),
        options{.batch = batch,
                .height = image_size,
                .width = image_size,
                .mode = Mode::kTrain,
                .layout = layout,
                .precision = precision,
                .planned = std::move(planned)},
        loss_options(the_loss),
        clips(optimizer_options.clip_norm > 0) {
    resflow::check(optimizer_options);  // before the work of planning
    full = &sized.try_emplace(batch, model, options, nullptr, loss_options).first->second;
    optimizer = std::make_unique<Optimizer>(optimizer_options, full->plan.buckets(), model.compute());
    // Made once: to make one a step would be an allocation a step.
    apply = [this](const Bucket& bucket) {
      const Stopwatch watch;
      optimizer->apply(index_of(bucket), bucket);
      times.optimizer += watch.seconds();
    };
    add = [this](const Bucket& bucket) { sum->add(index_of(bucket), bucket, factor); };
  }

  size_t index_of(const Bucket& bucket) const { return static_cast<size_t>(&bucket - running->plan.buckets().data()); }

  Sized& sized_for(int64_t rows) {
    if (const auto found = sized.find(rows); found != sized.end()) return found->second;
    PlanOptions smaller = options;
    smaller.batch = rows;
    return sized.try_emplace(rows, model, smaller, &full->plan, loss_options).first->second;
  }

  // What cannot be a batch is refused before anything is changed: the loss would find a wrong label only after forward
  // has moved BN's running statistics.
  void check(std::span<const int32_t> labels, std::span<const float> targets) const {
    const auto rows = static_cast<int64_t>(labels.size());
    const int64_t classes = model.description().num_classes;
    if (rows < 1 || rows > options.batch)
      throw internal_error("a step of {} images in a trainer for {}", rows, options.batch);
    if (!targets.empty() && static_cast<int64_t>(targets.size()) != rows * classes)
      throw internal_error("{} targets for {} images of {} classes", targets.size(), rows, classes);
    for (const int32_t label : labels)
      if (label < 0 || label >= classes) throw data_error("label {} is outside [0, {})", label, classes);
  }

  // Forward, loss and backward, which gives `done` each bucket.
  StepResult run(const float* pixels, std::span<const int32_t> labels, std::span<const float> targets,
                 const std::function<void(const Bucket&)>& done) {
    const auto rows = static_cast<int64_t>(labels.size());
    running = &sized_for(rows);
    Stopwatch watch;
    const std::span<const float> logits = running->plan.forward(pixels, rows);
    float* const diff = running->diff_logits.data();
    const LossResult result = targets.empty() ? running->loss.run(logits.data(), labels, diff)
                                              : running->loss.run(logits.data(), targets.data(), rows, diff);
    times.forward += watch.lap();
    const double optimized = times.optimizer;
    running->plan.backward(diff, done);
    ++times.batches;
    times.backward += watch.seconds() - (times.optimizer - optimized);
    return {.loss = result.loss, .correct = result.correct};
  }

  // The whole update at once.
  void update(const std::vector<Bucket>& buckets) {
    const Stopwatch watch;
    optimizer->begin_step();
    if (clips) optimizer->clip(buckets);
    for (size_t i = 0; i < buckets.size(); ++i) optimizer->apply(i, buckets[i]);
    times.optimizer += watch.seconds();
  }

  Model& model;
  PlanOptions options;
  LossOptions loss_options;
  bool clips;
  std::map<int64_t, Sized> sized;  // by rows
  Sized* full = nullptr;
  Sized* running = nullptr;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<GradientSum> sum;  // where gradients are accumulated
  double factor = 1;                 // of the batch that is being added
  TrainerTimes times;
  std::function<void(const Bucket&)> apply, add;
};

Trainer::Trainer(Model& model, int64_t batch, int64_t image_size, const OptimizerOptions& optimizer,
                 const LossOptions& loss, Layout layout, Precision precision, std::function<void(size_t bytes)> planned)
    : impl_(std::make_unique<Impl>(model, batch, image_size, optimizer, loss, layout, precision, std::move(planned))) {}
Trainer::~Trainer() = default;

StepResult Trainer::step(const float* pixels, std::span<const int32_t> labels, std::span<const float> targets) {
  Impl& trainer = *impl_;
  trainer.check(labels, targets);
  if (trainer.clips) {
    static const std::function<void(const Bucket&)> wait = [](const Bucket& /*bucket*/) {};
    const StepResult result = trainer.run(pixels, labels, targets, wait);
    trainer.update(trainer.running->plan.buckets());
    return result;
  }
  trainer.optimizer->begin_step();
  return trainer.run(pixels, labels, targets, trainer.apply);
}

void Trainer::allow_accumulation() {
  Impl& trainer = *impl_;
  if (!trainer.sum) trainer.sum = std::make_unique<GradientSum>(trainer.full->plan.buckets(), trainer.model.compute());
}

StepResult Trainer::accumulate(const float* pixels, std::span<const int32_t> labels, std::span<const float> targets,
                               double factor) {
  if (!impl_->sum) throw internal_error("accumulation of gradients without its memory");
  impl_->check(labels, targets);
  impl_->factor = factor;
  const StepResult result = impl_->run(pixels, labels, targets, impl_->add);
  impl_->sum->finish_batch();
  return result;
}

void Trainer::update() {
  if (!impl_->sum || impl_->sum->empty()) return;
  impl_->update(impl_->sum->buckets());
  impl_->sum->clear();
}

void Trainer::set_lr(double lr) { impl_->optimizer->set_lr(lr); }
void Trainer::set_momentum(double momentum) { impl_->optimizer->set_momentum(momentum); }
int64_t Trainer::steps() const { return impl_->optimizer->steps(); }
const Plan& Trainer::plan() const { return impl_->full->plan; }
PlanMemory Trainer::memory() const { return impl_->full->plan.memory(); }
size_t Trainer::optimizer_state_bytes() const { return impl_->optimizer->bytes(); }
size_t Trainer::optimizer_bytes() const { return impl_->optimizer->bytes() + (impl_->sum ? impl_->sum->bytes() : 0); }
const TrainerTimes& Trainer::times() const { return impl_->times; }
std::vector<NamedArray> Trainer::state() const { return impl_->optimizer->state(); }
void Trainer::load(const std::vector<NamedArray>& state, int64_t steps) { impl_->optimizer->load(state, steps); }

}  // namespace resflow
