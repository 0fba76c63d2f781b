#include "graph/trainer.h"

#include <functional>
#include <map>

#include "io/error.h"
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
       const LossOptions& the_loss, Layout layout)
      : model(the_model),
        options{.batch = batch, .height = image_size, .width = image_size, .mode = Mode::kTrain, .layout = layout},
        loss_options(the_loss) {
    check(optimizer_options);  // before the work of planning
    full = &sized.try_emplace(batch, model, options, nullptr, loss_options).first->second;
    optimizer = std::make_unique<Optimizer>(optimizer_options, full->plan.buckets(), model.compute());
    // Made once: to make one a step would be an allocation a step.
    apply = [this](const Bucket& bucket) {
      optimizer->apply(static_cast<size_t>(&bucket - running->plan.buckets().data()), bucket);
    };
  }

  Sized& sized_for(int64_t rows) {
    if (const auto found = sized.find(rows); found != sized.end()) return found->second;
    PlanOptions smaller = options;
    smaller.batch = rows;
    return sized.try_emplace(rows, model, smaller, &full->plan, loss_options).first->second;
  }

  Model& model;
  PlanOptions options;
  LossOptions loss_options;
  std::map<int64_t, Sized> sized;  // by rows
  Sized* full = nullptr;
  const Sized* running = nullptr;
  std::unique_ptr<Optimizer> optimizer;
  std::function<void(const Bucket&)> apply;
};

Trainer::Trainer(Model& model, int64_t batch, int64_t image_size, const OptimizerOptions& optimizer,
                 const LossOptions& loss, Layout layout)
    : impl_(std::make_unique<Impl>(model, batch, image_size, optimizer, loss, layout)) {}
Trainer::~Trainer() = default;

StepResult Trainer::step(const float* pixels, std::span<const int32_t> labels) {
  Impl& trainer = *impl_;
  const auto rows = static_cast<int64_t>(labels.size());
  if (rows < 1 || rows > trainer.options.batch)
    throw internal_error("a step of {} images in a trainer for {}", rows, trainer.options.batch);
  // The loss would say so as well, but only after forward has moved BN's running statistics.
  for (const int32_t label : labels)
    if (label < 0 || label >= trainer.model.description().num_classes)
      throw data_error("label {} is outside [0, {})", label, trainer.model.description().num_classes);

  Sized& sized = trainer.sized_for(rows);
  const std::span<const float> logits = sized.plan.forward(pixels, rows);
  const LossResult result = sized.loss.run(logits.data(), labels, sized.diff_logits.data());
  trainer.optimizer->begin_step();
  trainer.running = &sized;
  sized.plan.backward(sized.diff_logits.data(), trainer.apply);
  return {.loss = result.loss, .correct = result.correct};
}

void Trainer::set_lr(double lr) { impl_->optimizer->set_lr(lr); }
int64_t Trainer::steps() const { return impl_->optimizer->steps(); }
const Plan& Trainer::plan() const { return impl_->full->plan; }
PlanMemory Trainer::memory() const { return impl_->full->plan.memory(); }
size_t Trainer::optimizer_bytes() const { return impl_->optimizer->bytes(); }
std::vector<NamedArray> Trainer::state() const { return impl_->optimizer->state(); }
void Trainer::load(const std::vector<NamedArray>& state, int64_t steps) { impl_->optimizer->load(state, steps); }

}  // namespace resflow
