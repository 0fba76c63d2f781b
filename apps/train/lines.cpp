#include "apps/train/lines.h"
#include "graph/head/svm.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/machine/versions.h"
#include "graph/model/graph.h"
#include "graph/model/model_zoo.h"
#include "io/core/setting.h"
#include "io/core/wording.h"
#include "ops/compute.h"

namespace resflow {
namespace {

std::string pictures_of(const Dataset& dataset) { return plural(dataset.samples.size(), "picture", "pictures"); }

std::string bytes(size_t n) { return format_bytes(static_cast<double>(n)); }

// " (ants 124, bees 121)" for a few classes, nothing for many.
std::string listed_classes(const Dataset& dataset) {
  constexpr size_t kFew = 8;
  if (dataset.classes.size() > kFew) return {};
  const std::vector<int64_t> counts = class_sizes(dataset);
  Lines parts;
  parts.reserve(counts.size());
  for (size_t i = 0; i < counts.size(); ++i) parts.push_back(fmt::format("{} {}", dataset.classes[i], counts[i]));
  return fmt::format(" ({})", fmt::join(parts, ", "));
}

// Data, validation, model, where the weights come from.
Lines data_lines(const Run& run) {
  const int64_t size = run.options.image_size;
  const Dataset& train = run.data->train;
  Lines lines;
  lines.push_back(fmt::format("data       {}, {} classes{} in {}", pictures_of(train), train.classes.size(),
                              listed_classes(train), run.data->train_root));
  lines.push_back(
      has_validation(run)
          ? fmt::format("validation {} in {}", pictures_of(run.data->val), run.data->val_root)
          : fmt::format("validation none: best.resflow is the last model; {} DATA tells more", setting("val")));
  lines.push_back(fmt::format("model      {}, {} parameters, {:.3f} G multiply-adds for a picture of {} x {}",
                              to_text(run.model->description()), format_count(run.model->parameter_count()),
                              static_cast<double>(multiply_adds(run.model->graph(), size, size)) / 1e9, size, size));
  for (const auto& [what, sentence] : run.weights_facts) lines.push_back(fmt::format("{:10} {}", what, sentence));
  return lines;
}

// The optimizer, and the schedule where there is one.
void add_optimizer(const TrainOptions& o, Lines& lines) {
  lines.push_back(fmt::format(
      "optimizer  {}, lr {}{}{}{}, weight decay {}{}{}", o.optimizer, o.base_lr(),
      o.scale_lr > 0 ? fmt::format(" ({} for {} pictures)", o.lr, o.scale_lr) : "",
      o.lr_backbone >= 0 ? fmt::format(" (backbone {})", o.lr_backbone * o.base_lr() / o.lr) : "",
      o.momentum > 0 ? fmt::format(", {}momentum {}", o.nesterov ? "Nesterov " : "", o.momentum) : "", o.weight_decay,
      o.no_decay_norm_bias || o.optimizer == "lars" || o.optimizer == "lamb" ? " (not of batch norms and biases)" : "",
      o.label_smoothing > 0 ? fmt::format(", label smoothing {}", o.label_smoothing) : ""));
  if (o.schedule != "none" || o.warmup_epochs > 0)
    lines.push_back(fmt::format(
        "schedule   {}{}", o.schedule,
        o.warmup_epochs > 0 ? fmt::format(", warm-up of {}", plural(o.warmup_epochs, "epoch", "epochs")) : ""));
}

// "12,345 of 67,890 parameters (18.2 %)" and what the frozen batch norms do.
std::string frozen_line(const Run& run) {
  int64_t frozen = 0;
  for (const auto& parameter : run.model->parameters())
    if (parameter->learnt && parameter->frozen) frozen += element_count(parameter->value.dims());
  const int64_t all = run.model->parameter_count();
  return fmt::format("frozen     {} of {} parameters ({:.1f} %): {}; their batch norms use {}", format_count(frozen),
                     format_count(all), 100 * static_cast<double>(frozen) / static_cast<double>(all),
                     fmt::join(run.options.freeze, ", "),
                     run.options.freeze_bn == "eval" ? "their running statistics" : "the batch's statistics");
}

// What the two modes that train on features say of them.
Lines feature_data_lines(const Run& run) {
  Lines lines = data_lines(run);
  const int64_t copies = run.options.augment_copies, columns = run.model->feature_count();
  const double rows = static_cast<double>(copies + 1) * static_cast<double>(run.data->train.samples.size()) +
                      static_cast<double>(run.data->val.samples.size());
  lines.push_back(
      fmt::format("frozen     all but the head: {} features a picture, {}{} in memory and on the disk", columns,
                  format_bytes(rows * static_cast<double>(columns) * sizeof(float)),
                  copies > 0 ? fmt::format(" with {}", plural(copies, "augmented copy", "augmented copies")) : ""));
  return lines;
}

}  // namespace

void say(Listener& listener, const Lines& lines) {
  for (const std::string& line : lines) listener.say(line);
}

Lines network_lines(const Run& run, int64_t batches, const NetworkMemory& memory) {
  const TrainOptions& o = run.options;
  Lines lines = data_lines(run);
  if (!o.freeze.empty()) lines.push_back(frozen_line(run));
  add_optimizer(o, lines);
  lines.push_back(fmt::format("augment    {}{}", describe(o.augment),
                              o.sampler == "balanced" ? "; classes drawn alike, with replacement" : ""));
  Lines updates;
  if (o.accumulate > 1) updates.push_back(fmt::format("one every {} batches", o.accumulate));
  if (o.clip_norm > 0) updates.push_back(fmt::format("gradients clipped to a norm of {}", o.clip_norm));
  if (o.ema > 0) updates.push_back(fmt::format("validation and best.resflow of the average, decay {}", o.ema));
  if (!updates.empty()) lines.push_back(fmt::format("updates    {}", fmt::join(updates, "; ")));
  lines.push_back(fmt::format("epochs     {} of {} with {} pictures, seed {}", o.epochs,
                              plural(batches, "batch", "batches"), o.batch, o.seed));
  lines.push_back(fmt::format(
      "memory     {} planned: activations {}, parameters {}, gradients {}, optimizer {}, validation {}",
      bytes(memory.plan.total() + memory.optimizer + memory.validation), bytes(memory.plan.activations),
      bytes(memory.plan.parameters), bytes(memory.plan.gradients), bytes(memory.optimizer), bytes(memory.validation)));
  if (o.precision != "f32") lines.push_back(fmt::format("precision  {}; validation f32", o.precision));
  lines.push_back(
      fmt::format("threads    {}, {} (oneDNN {}) on {}", o.threads, onednn_isa_name(), onednn_version(), cpu_model()));
  lines.push_back(fmt::format("folder     {}", run.folder.path()));
  if (o.resume)
    lines.push_back(
        fmt::format("resumed    at epoch {}, batch {} of {}", run.state.epoch + 1, run.state.next_batch + 1, batches));
  return lines;
}

Lines features_lines(const Run& run) {
  const TrainOptions& o = run.options;
  Lines lines = feature_data_lines(run);
  add_optimizer(o, lines);
  lines.push_back(fmt::format("epochs     {} with {} pictures a step, seed {}", o.epochs, o.batch, o.seed));
  lines.push_back(fmt::format("folder     {}", run.folder.path()));
  if (o.resume) lines.push_back(fmt::format("resumed    at epoch {}", run.state.epoch + 1));
  return lines;
}

Lines svm_lines(const Run& run) {
  const TrainOptions& o = run.options;
  Lines lines = feature_data_lines(run);
  lines.push_back(fmt::format(
      "svm        one-vs-rest, liblinear, {}; {} for {}, seed {}; {} more in memory",
      o.svm_c > 0 ? fmt::format("C {}", o.svm_c) : fmt::format("C of {}", fmt::join(svm_costs(), ", ")),
      plural(o.svm_folds, "fold", "folds"), o.svm_c > 0 ? "Platt scaling" : "it and for Platt scaling", o.seed,
      format_bytes(
          static_cast<double>(svm_bytes((o.augment_copies + 1) * static_cast<int64_t>(run.data->train.samples.size()),
                                        run.model->feature_count())))));
  lines.push_back(fmt::format("folder     {}", run.folder.path()));
  return lines;
}

std::string epoch_line(const Run& run, const EpochRecord& record, bool is_best, int second_digits) {
  const int64_t epochs = run.options.epochs;
  std::string line = fmt::format("epoch {:>{}}/{}  train loss {:.4f} accuracy {:.4f}", record.epoch,
                                 std::to_string(epochs).size(), epochs, record.train_loss, record.train_accuracy);
  if (has_validation(run))
    line += fmt::format("  validation loss {:.4f} accuracy {:.4f}{}", record.val_loss, record.val_accuracy,
                        is_best ? " (best)" : "");
  const LeftOut& left_out = record.left_out;
  std::string without;
  if (left_out != LeftOut())
    without = fmt::format("  ({} left out: {} unreadable, {} broken)",
                          plural(left_out.unreadable + left_out.broken, "picture", "pictures"), left_out.unreadable,
                          left_out.broken);
  return fmt::format("{}  {:.{}f} s{}", line, record.seconds, second_digits, without);
}

std::string svm_line(const Run& run, const EpochRecord& record) {
  std::string line =
      fmt::format("svm        train loss {:.4f} accuracy {:.4f}", record.train_loss, record.train_accuracy);
  if (has_validation(run))
    line += fmt::format("  validation loss {:.4f} accuracy {:.4f}", record.val_loss, record.val_accuracy);
  return fmt::format("{}  {:.1f} s", line, record.seconds);
}

Lines svm_tried_lines(const SvmResult& result) {
  Lines lines;
  for (const auto& [c, accuracy] : result.tried)
    lines.push_back(fmt::format("C {:<8} accuracy {:.4f} of held-out pictures{}", c, accuracy,
                                result.tried.size() > 1 && c == result.c ? " (best)" : ""));
  return lines;
}

std::string epochs_done_line(const Run& run) {
  return fmt::format("the run has its {} already; more with {} N", plural(run.state.epoch, "epoch", "epochs"),
                     setting("epochs"));
}

std::string early_stop_line(const Run& run) {
  return fmt::format("stopped    after epoch {}: no better validation accuracy in {} ({})", run.state.epoch,
                     plural(run.options.early_stop, "epoch", "epochs"), setting("early_stop"));
}

std::string stopped_in_epoch_line(const Run& run, int64_t batches) {
  return fmt::format("stopped at epoch {}, after batch {} of {}; saved in {}: go on with {}", run.state.epoch + 1,
                     run.state.next_batch, batches, run.folder.last(), setting("resume"));
}

std::string stopped_after_epoch_line(const Run& run) {
  return fmt::format("stopped after epoch {} of {}; saved in {}: go on with {}", run.state.epoch, run.options.epochs,
                     run.folder.last(), setting("resume"));
}

Lines truncated_lines(const Run& run) {
  if (run.truncated == 0) return {};
  return {fmt::format("truncated  {} in an epoch, taken as far as there are pixels",
                      plural(run.truncated, "picture", "pictures"))};
}

Lines broken_lines(const Run& run) {
  if (run.broken.empty()) return {};
  const int64_t all = broken_count(run), named = std::ssize(run.broken);
  Lines lines = {fmt::format("skipped    {} that could not be read:", plural(all, "picture", "pictures"))};
  for (const auto& [path, reason] : run.broken) lines.push_back(fmt::format("  {}: {}", path, reason));
  if (all > named) lines.push_back(fmt::format("  and {} more before the run was resumed", format_count(all - named)));
  return lines;
}

std::string lone_pictures_line(const Run& run, int64_t batches) {
  return fmt::format("left out   {} of one picture: batch norm needs two at {} {}", plural(batches, "batch", "batches"),
                     setting("image_size"), run.options.image_size);
}

std::string low_disk_sentence(const Run& run, int64_t free_bytes, int64_t wanted_bytes) {
  return fmt::format(
      "{}: {} free on its disk, and the run's checkpoints take up to {}: make room, or give another {} or a smaller {}",
      run.folder.path(), format_bytes(static_cast<double>(free_bytes)), format_bytes(static_cast<double>(wanted_bytes)),
      setting("out"), setting("keep"));
}

Lines lr_advice_lines(const Run& run, const std::vector<LrFindPoint>& points) {
  const LrAdvice advice = advise(points);
  Lines lines;
  lines.push_back(fmt::format("tried      {} from {:.2g} to {:.2g}, a step each",
                              plural(points.size(), "learning rate", "learning rates"), points.front().lr,
                              points.back().lr));
  lines.push_back(advice.steepest > 0
                      ? fmt::format("steepest   {:.2g}: the loss falls fastest here, so {} {:.1g} is a good start",
                                    advice.steepest, setting("lr"), advice.steepest)
                      : fmt::format("steepest   none: the loss never fell; a larger {} shows more", setting("batch")));
  lines.push_back(fmt::format("lowest     {:.2g}: a tenth of it, {:.1g}, is the cautious upper end",
                              advice.lowest_tenth * 10, advice.lowest_tenth));
  lines.push_back(fmt::format("written    {} and {}", run.folder.lr_find_csv(), run.folder.lr_find_plot()));
  return lines;
}

}  // namespace resflow
