// What a training run says.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/host/console.h"
#include "apps/machine/versions.h"
#include "apps/train/run_parts.h"
#include "apps/train/training_run.h"
#include "io/core/wording.h"
#include "ops/compute.h"

namespace resflow {
// "12,345 of 67,890 parameters (18.2 %)" and what the frozen batch norms do.
std::string TrainingRun::describe_frozen() const {
  int64_t frozen = 0;
  for (const auto& parameter : model_->parameters())
    if (parameter->learnt && parameter->frozen) frozen += element_count(parameter->value.dims());
  const int64_t all = model_->parameter_count();
  return fmt::format("{} of {} parameters ({:.1f} %): {}; their batch norms use {}", format_count(frozen),
                     format_count(all), 100 * static_cast<double>(frozen) / static_cast<double>(all),
                     fmt::join(options_.freeze, ", "),
                     options_.freeze_bn == "eval" ? "their running statistics" : "the batch's statistics");
}

void TrainingRun::print_setup() const {
  print_data();
  if (!options_.freeze.empty()) fmt::print("frozen     {}\n", describe_frozen());
  print_optimizer();
  fmt::print("augment    {}{}\n", describe(options_.augment),
             options_.sampler == "balanced" ? "; classes drawn alike, with replacement" : "");
  std::vector<std::string> updates;
  if (options_.accumulate > 1) updates.push_back(fmt::format("one every {} batches", options_.accumulate));
  if (options_.clip_norm > 0) updates.push_back(fmt::format("gradients clipped to a norm of {}", options_.clip_norm));
  if (ema_) updates.push_back(fmt::format("validation and best.resflow of the average, decay {}", options_.ema));
  if (!updates.empty()) fmt::print("updates    {}\n", fmt::join(updates, "; "));
  fmt::print("epochs     {} of {} with {} pictures, seed {}\n", options_.epochs, plural(batches_, "batch", "batches"),
             options_.batch, options_.seed);
  // Validation works in the activations of training; the rest of its memory is its own.
  const PlanMemory memory = trainer_->memory();
  const size_t validation = validation_ ? validation_->bytes() : 0;
  const size_t optimizer = trainer_->optimizer_bytes() + (ema_ ? ema_->bytes() : 0);
  fmt::print("memory     {} planned: activations {}, parameters {}, gradients {}, optimizer {}, validation {}\n",
             format_bytes(static_cast<double>(memory.total() + optimizer + validation)),
             format_bytes(static_cast<double>(memory.activations)),
             format_bytes(static_cast<double>(memory.parameters)), format_bytes(static_cast<double>(memory.gradients)),
             format_bytes(static_cast<double>(optimizer)), format_bytes(static_cast<double>(validation)));
  if (options_.precision != "f32") fmt::print("precision  {}; validation f32\n", options_.precision);
  fmt::print("threads    {}, {} (oneDNN {}) on {}\n", options_.threads, onednn_isa_name(), onednn_version(),
             cpu_model());
  fmt::print("folder     {}\n", folder_->path());
  if (options_.resume)
    fmt::print("resumed    at epoch {}, batch {} of {}\n", state_.epoch + 1, state_.next_batch + 1, batches_);
  flush_output();
}

void TrainingRun::print_lr_advice(const std::vector<LrFindPoint>& points) const {
  const LrAdvice advice = advise(points);
  fmt::print("tried      {} from {:.2g} to {:.2g}, a step each\n",
             plural(static_cast<int64_t>(points.size()), "learning rate", "learning rates"), points.front().lr,
             points.back().lr);
  if (advice.steepest > 0)
    fmt::print("steepest   {:.2g}: the loss falls fastest here, so --lr {:.1g} is a good start\n", advice.steepest,
               advice.steepest);
  else
    fmt::print("steepest   none: the loss never fell; a larger --batch shows more\n");
  fmt::print("lowest     {:.2g}: a tenth of it, {:.1g}, is the cautious upper end\n", advice.lowest_tenth * 10,
             advice.lowest_tenth);
  fmt::print("written    {} and {}\n", folder_->lr_find_csv(), folder_->lr_find_plot());
  flush_output();
}

void TrainingRun::report_broken() const {
  if (lone_pictures_ > 0)
    fmt::print("left out   {} of one picture: batch norm needs two at --image-size {}\n",
               plural(lone_pictures_, "batch", "batches"), options_.image_size);
  print_broken();
}

}  // namespace resflow
