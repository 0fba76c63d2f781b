// What a training run says.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/console.h"
#include "apps/run_parts.h"
#include "apps/training_run.h"
#include "apps/versions.h"

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
  const int64_t size = options_.image_size;
  fmt::print("data       {}, {} classes{} in {}\n",
             plural(static_cast<int64_t>(data_.train.samples.size()), "picture", "pictures"),
             data_.train.classes.size(), class_counts(data_.train), data_.train_root);
  if (validation_)
    fmt::print("validation {} in {}\n", plural(static_cast<int64_t>(data_.val.samples.size()), "picture", "pictures"),
               data_.val_root);
  else
    fmt::print("validation none: best.resflow is the model of the last epoch; --val DATA tells more\n");
  fmt::print("model      {}, {} parameters, {:.3f} G multiply-adds for a picture of {} x {}\n", options_.model,
             format_count(model_->parameter_count()),
             static_cast<double>(multiply_adds(model_->graph(), size, size)) / 1e9, size, size);
  for (const auto& [what, sentence] : initial_.facts) fmt::print("{:10} {}\n", what, sentence);
  if (!options_.freeze.empty()) fmt::print("frozen     {}\n", describe_frozen());
  fmt::print("optimizer  {}, lr {}{}{}, weight decay {}{}{}\n", options_.optimizer, options_.lr,
             options_.lr_backbone >= 0 ? fmt::format(" (backbone {})", options_.lr_backbone) : "",
             options_.momentum > 0
                 ? fmt::format(", {}momentum {}", options_.nesterov ? "Nesterov " : "", options_.momentum)
                 : "",
             options_.weight_decay, options_.no_decay_norm_bias ? " (not of batch norms and biases)" : "",
             options_.label_smoothing > 0 ? fmt::format(", label smoothing {}", options_.label_smoothing) : "");
  if (options_.schedule != "none" || options_.warmup_epochs > 0)
    fmt::print("schedule   {}{}\n", options_.schedule,
               options_.warmup_epochs > 0
                   ? fmt::format(", warm-up of {}", plural(options_.warmup_epochs, "epoch", "epochs"))
                   : "");
  fmt::print("augment    {}{}\n", describe(options_.augment),
             options_.sampler == "balanced" ? "; classes drawn alike, with replacement" : "");
  std::vector<std::string> updates;
  if (options_.accumulate > 1) updates.push_back(fmt::format("one every {} batches", options_.accumulate));
  if (options_.clip_norm > 0) updates.push_back(fmt::format("gradients clipped to a norm of {}", options_.clip_norm));
  if (ema_) updates.push_back(fmt::format("validation and best.resflow of the average, decay {}", options_.ema));
  if (!updates.empty()) fmt::print("updates    {}\n", fmt::join(updates, "; "));
  fmt::print("epochs     {} of {} with {} pictures, seed {}\n", options_.epochs, plural(batches_, "batch", "batches"),
             options_.batch, options_.seed);
  // Validation works in the activations of training; its copies of the parameters are its own.
  const PlanMemory memory = trainer_->memory();
  const size_t validation = validation_ ? validation_->memory().copies : 0;
  const size_t optimizer = trainer_->optimizer_bytes() + (ema_ ? ema_->bytes() : 0);
  fmt::print("memory     {} planned: activations {}, parameters {}, gradients {}, optimizer {}, validation {}\n",
             format_bytes(static_cast<double>(memory.total() + optimizer + validation)),
             format_bytes(static_cast<double>(memory.activations)),
             format_bytes(static_cast<double>(memory.parameters)), format_bytes(static_cast<double>(memory.gradients)),
             format_bytes(static_cast<double>(optimizer)), format_bytes(static_cast<double>(validation)));
  fmt::print("threads    {}, {} (oneDNN {}) on {}\n", options_.threads, isa_name(), onednn_version(), cpu_model());
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

void TrainingRun::print_epoch(const EpochRecord& record, bool is_best) const {
  std::string line =
      fmt::format("epoch {:>{}}/{}  train loss {:.4f} accuracy {:.4f}", record.epoch,
                  std::to_string(options_.epochs).size(), options_.epochs, record.train_loss, record.train_accuracy);
  if (validation_)
    line += fmt::format("  validation loss {:.4f} accuracy {:.4f}{}", record.val_loss, record.val_accuracy,
                        is_best ? " (best)" : "");
  fmt::print("{}  {:.1f} s\n", line, record.seconds);
  flush_output();
}

void TrainingRun::report_broken() const {
  if (lone_pictures_ > 0)
    fmt::print("left out   {} of one picture: batch norm needs two at --image-size {}\n",
               plural(lone_pictures_, "batch", "batches"), options_.image_size);
  if (broken_.empty()) return;
  fmt::print("skipped    {} that could not be read:\n",
             plural(static_cast<int64_t>(broken_.size()), "picture", "pictures"));
  for (const auto& [path, reason] : broken_) fmt::print("  {}: {}\n", path, reason);
}

}  // namespace resflow
