#include "apps/train/training_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "apps/data/preview_grid.h"
#include "apps/host/console.h"
#include "apps/host/progress.h"
#include "apps/host/signals.h"
#include "apps/host/terminal_listener.h"
#include "apps/model/precision.h"
#include "apps/options/common.h"
#include "apps/train/lr_find.h"
#include "apps/train/run_parts.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/images/decode.h"
#include "pipeline/order.h"

namespace resflow {
namespace {

// While it lives, the model is its average, where there is one.
class Averaged {
 public:
  explicit Averaged(Ema* ema) : ema_(ema) {
    if (ema_ != nullptr) ema_->swap();
  }
  ~Averaged() {
    if (ema_ != nullptr) ema_->swap();
  }
  Averaged(const Averaged&) = delete;
  Averaged& operator=(const Averaged&) = delete;

 private:
  Ema* ema_;
};

}  // namespace

TrainingRun::TrainingRun(TrainOptions options, TrainingData data)
    : OpenedRun(std::move(options), std::move(data), Batches::kWhole) {
  make_trainer();
  print_setup();
}

TrainingRun::~TrainingRun() = default;

void TrainingRun::make_trainer() {
  freeze_parameters(*model_, options_);
  group_parameters(*model_, options_);
  const LossOptions loss = loss_options_of(options_, data_.train);
  TerminalListener listener;
  const Precision precision =
      resolve_training_precision({.name = options_.precision, .force = options_.force_precision}, listener);
  trainer_ = std::make_unique<Trainer>(*model_, options_.batch, options_.image_size, options_.optimizer_options(), loss,
                                       Layout::kAny, precision);
  if (options_.accumulate > 1) trainer_->allow_accumulation();
  if (options_.ema > 0) ema_ = std::make_unique<Ema>(*model_, options_.ema);
  const LoaderOptions loader = {.batch = options_.batch,
                                .threads = options_.threads,
                                .seed = options_.seed,
                                .on_error = on_error(),
                                .exif = options_.exif,
                                .decode = decode_mode(options_.decode)};
  LoaderOptions train_loader = loader;
  if (options_.sampler == "balanced") {
    train_loader.sampler = Sampler::kWeighted;
    train_loader.weights = balanced_weights(data_.train);
  }
  mix_ = mix_options(options_.augment);
  targets_.reserve(static_cast<size_t>(options_.batch) * data_.train.classes.size());
  loader_ = std::make_unique<Loader>(data_.train, train_recipe(options_.image_size, preprocessing_, options_.augment),
                                     train_loader);
  batches_ = loader_->batches_per_epoch();
  if (has_validation())
    validation_ = std::make_unique<Validation>(*model_, data_.val, preprocessing_, loader, loss, &trainer_->plan());
  if (!options_.resume) return;
  if (ema_) ema_->take(saved_optimizer_);
  trainer_->load(saved_optimizer_, state_.step);
  saved_optimizer_.clear();
}

ScheduleOptions TrainingRun::schedule() const {
  return options_.schedule_options((batches_ + options_.accumulate - 1) / options_.accumulate);
}

double TrainingRun::learning_rate_at(int64_t step) const { return learning_rate(schedule(), losses(), step); }

// `step` of the epoch under way.
void TrainingRun::follow_schedule(int64_t step) {
  const ScheduleOptions options = schedule();
  trainer_->set_lr(learning_rate_at(step));
  if (is_stepwise(options)) trainer_->set_momentum(cycled_momentum(options, state_.epoch * options.epoch_steps + step));
}

TrainingOutcome TrainingRun::run() {
  const StopSignals signals;
  if (!options_.resume) {
    if (options_.overwrite) folder_->clear();
    warn_of_low_disk();
    // Shows before hours of work that the folder takes checkpoints, and a run can be resumed from its start on.
    save_last();
    folder_->write_history(state_.history);
    folder_->write_config(train_config(options_));
  }
  if (options_.resume && state_.epoch >= options_.epochs)
    fmt::print("the run has its {} already; more with --epochs N\n", plural(state_.epoch, "epoch", "epochs"));

  if (state_.epoch < options_.epochs) board_ = std::make_unique<TensorBoardLog>(folder_->tensorboard(), state_.epoch);
  while (state_.epoch < options_.epochs && !stopped_early() && !stop_requested()) {
    follow_schedule(0);
    train_epoch();
    if (state_.next_batch < batches_) break;
    EpochRecord record = {.epoch = state_.epoch + 1, .val_loss = kNoValue, .val_accuracy = kNoValue};
    if (validation_ && !validate(record)) break;
    finish_epoch(record);
  }
  const bool early = state_.epoch < options_.epochs && state_.next_batch == 0 && stopped_early();
  if (early) print_early_stop();
  const bool finished = early || state_.epoch >= options_.epochs;
  if (!finished) {
    save_last();
    fmt::print("stopped at epoch {}, after batch {} of {}; saved in {}: go on with --resume\n", state_.epoch + 1,
               state_.next_batch, batches_, folder_->last());
  }
  report_broken();
  flush_output();
  return outcome(finished);
}

// All generations of last.resflow, best.resflow, and the one that is being written beside them.
void TrainingRun::warn_of_low_disk() const {
  size_t parameters = 0;
  for (const auto& parameter : model_->parameters()) parameters += parameter->value ? parameter->value.bytes() : 0;
  const size_t state = trainer_->optimizer_state_bytes() + (ema_ ? ema_->bytes() : 0);
  const auto wanted =
      static_cast<int64_t>((parameters + state) * (static_cast<size_t>(options_.keep) + 1) + parameters);
  const int64_t free = folder_->free_bytes();
  if (free >= 0 && free < wanted)
    warn(
        "{}: {} free on its disk, and the run's checkpoints take up to {}: make room, or give another --out or a "
        "smaller --keep",
        folder_->path(), format_bytes(static_cast<double>(free)), format_bytes(static_cast<double>(wanted)));
}

TrainingOutcome TrainingRun::outcome(bool finished) const {
  TrainingOutcome outcome = OpenedRun::outcome(finished);
  outcome.times = times_;
  const TrainerTimes& steps = trainer_->times();
  outcome.times.add("forward", steps.forward, steps.batches);
  outcome.times.add("backward", steps.backward, steps.batches);
  outcome.times.add("optimizer", steps.optimizer, steps.batches);
  return outcome;
}

bool TrainingRun::find_lr() {
  const StopSignals signals;
  const LrFindOptions options;
  std::vector<LrFindPoint> points;
  {
    ProgressLine progress(
        {.label = "learning rates", .unit = "steps", .total = options.steps, .terminal = is_terminal(stderr)});
    points = find_learning_rate(*trainer_, *loader_, options, [&](int64_t done) {
      progress.update(done);
      return !stop_requested();
    });
  }
  if (stop_requested()) return false;
  if (points.size() < 3)
    throw data_error("{}: {} could be trained on: too few to find a learning rate by", data_.train_root,
                     plural(static_cast<int64_t>(points.size()), "batch", "batches"));
  folder_->write_lr_find(points);
  print_lr_advice(points);
  return true;
}

void TrainingRun::train_epoch() {
  if (state_.next_batch >= batches_) return;  // resumed between the last batch and the validation
  const auto pictures = static_cast<int64_t>(data_.train.samples.size());
  const int64_t first = state_.next_batch * options_.batch;
  ProgressLine progress({.label = fmt::format("epoch {}/{}", state_.epoch + 1, options_.epochs),
                         .total = pictures,
                         .first = first,
                         .seconds_after = expected_seconds_after_epoch(),
                         .terminal = is_terminal(stderr)});
  const double before = state_.epoch_seconds;
  const double start = seconds_now();
  const EpochReport report =
      loader_->run(static_cast<uint64_t>(state_.epoch), state_.next_batch, [&](const Batch& batch) {
        if (state_.epoch == 0 && batch.number == 0 && batch.size > 0) log_preview(batch);
        const bool updates = train_batch(batch);
        state_.next_batch = batch.number + 1;
        state_.epoch_seconds = before + seconds_now() - start;
        const auto n = static_cast<double>(std::max<int64_t>(state_.epoch_samples, 1));
        progress.update(std::min(state_.next_batch * options_.batch, pictures),
                        fmt::format("loss {:.4f}  accuracy {:.4f}", state_.epoch_loss_sum / n,
                                    static_cast<double>(state_.epoch_correct) / n));
        // Between two updates there are gradients that no checkpoint keeps.
        if (!updates) return true;
        if (stop_requested()) return false;
        if (state_.next_batch < batches_ && saving_is_due()) save_last();
        return true;
      });
  note_broken(data_.train, report.broken);
  for (const Stage stage : kStages) times_.add(stage_name(stage), report.seconds[stage], report.images);
  times_.add("wait", report.wait_seconds, report.batches);
  if (state_.next_batch >= batches_ && state_.epoch_samples == 0) {
    report_broken();
    throw data_error("{}: not one of its {} could be trained on; first reason: {}", data_.train_root,
                     plural(pictures, "picture", "pictures"),
                     broken_.empty() ? "batches of one picture" : broken_.begin()->second);
  }
}

// What the first batch looks like, before its pictures are mixed.
void TrainingRun::log_preview(const Batch& batch) {
  constexpr int kPictures = 16;
  const Recipe recipe = Recipe::eval(preprocessing_);
  board_->picture("preview", draw_preview_grid(batch, data_.train, recipe.mean, recipe.std, {.limit = kPictures}), 1);
}

bool TrainingRun::saving_is_due() const {
  const int64_t before = state_.next_batch - std::min<int64_t>(options_.accumulate, state_.next_batch);
  return options_.save_every > 0 && state_.next_batch / options_.save_every > before / options_.save_every;
}

// True where the optimizer's turn has come: after each batch, or after the last one of those that are accumulated.
bool TrainingRun::train_batch(const Batch& batch) {
  const int64_t group = batch.number / options_.accumulate;
  const int64_t end = std::min(batches_, (group + 1) * options_.accumulate);
  const bool last = batch.number + 1 == end;
  if (is_stepwise(schedule())) follow_schedule(group);
  // Batch norm has no variance of one value a channel, which is what one picture of at most 32 x 32 leaves it.
  const bool lone = batch.size == 1 && options_.image_size <= 32;
  if (lone) ++lone_pictures_;
  if (batch.size > 0 && !lone) step(batch, 1 / static_cast<double>(end - group * options_.accumulate));
  if (last && options_.accumulate > 1) trainer_->update();
  if (ema_ && trainer_->steps() != state_.step) ema_->update();
  state_.step = trainer_->steps();
  return last;
}

// --mixup, --cutmix: changes the batch's pixels, and returns its targets; none where nothing is mixed.
std::span<const float> TrainingRun::mix(const Batch& batch) {
  if (!mix_.on()) return {};
  const size_t classes = data_.train.classes.size();
  targets_.resize(static_cast<size_t>(batch.size) * classes);
  const MixDraw draw = draw_mix(mix_, batch.image_size, state_.seed, static_cast<uint64_t>(state_.epoch),
                                static_cast<uint64_t>(batch.number));
  compute_->run([&] { mix_pixels(draw, batch.pixels, batch.size, batch.image_size); });
  mix_targets(draw, batch.labels, static_cast<int>(classes), targets_.data());
  return targets_;
}

void TrainingRun::step(const Batch& batch, double factor) {
  const std::span<const int32_t> labels(batch.labels.data(), static_cast<size_t>(batch.size));
  const std::span<const float> targets = mix(batch);
  const StepResult result = options_.accumulate > 1 ? trainer_->accumulate(batch.pixels, labels, targets, factor)
                                                    : trainer_->step(batch.pixels, labels, targets);
  if (!std::isfinite(result.loss))
    stop_diverged(fmt::format("the loss of epoch {}, batch {} is {}", state_.epoch + 1, batch.number + 1, result.loss));
  state_.epoch_loss_sum += result.loss * batch.size;
  state_.epoch_correct += result.correct;
  state_.epoch_samples += batch.size;
}

bool TrainingRun::validate(EpochRecord& record) {
  const auto pictures = static_cast<int64_t>(data_.val.samples.size());
  ProgressLine progress({.label = fmt::format("validation {}/{}", record.epoch, options_.epochs),
                         .total = pictures,
                         .terminal = is_terminal(stderr)});
  const Averaged averaged(ema_.get());
  const ValidationResult result = validation_->run([&](int64_t done) {
    progress.update(done);
    return !stop_requested();
  });
  if (result.stopped) return false;
  note_broken(data_.val, result.broken);
  if (result.sums.rows == 0)
    throw data_error("{}: not one of its {} could be read; first reason: {}", data_.val_root,
                     plural(pictures, "picture", "pictures"), result.broken.front().reason);
  record.val_loss = result.sums.loss();
  record.val_accuracy = result.sums.accuracy();
  record.seconds = result.seconds;
  return true;
}

void TrainingRun::finish_epoch(const EpochRecord& measured) {
  EpochRecord record = measured;
  const auto samples = static_cast<double>(state_.epoch_samples);
  record.train_loss = state_.epoch_loss_sum / samples;
  record.train_accuracy = static_cast<double>(state_.epoch_correct) / samples;
  record.learning_rate = learning_rate_at(schedule().epoch_steps - 1);
  record.seconds += state_.epoch_seconds;

  const bool is_best = !validation_ || record.val_accuracy > state_.best_val_accuracy;
  if (is_best && validation_) state_.best_val_accuracy = record.val_accuracy;
  board_->epoch(record, samples / state_.epoch_seconds);
  state_.history.push_back(record);
  state_.epoch = record.epoch;
  state_.next_batch = 0;
  state_.epoch_loss_sum = 0;
  state_.epoch_correct = 0;
  state_.epoch_samples = 0;
  state_.epoch_seconds = 0;

  // last.resflow comes last: were the run killed before it, the resumed one would write the other two again.
  if (is_best) save_best();
  folder_->write_history(state_.history);
  save_last();
  print_epoch(record, is_best, 1);
  flush_output();
}

Checkpoint TrainingRun::finite_checkpoint() const {
  Checkpoint c = checkpoint();
  // A step may leave values that are no numbers before a loss shows it: such a model replaces no good one.
  if (!all_finite(c.parameters))
    stop_diverged(fmt::format("after epoch {}, batch {} the model holds values that are no numbers", state_.epoch + 1,
                              state_.next_batch));
  return c;
}

void TrainingRun::save_last() {
  Checkpoint c = finite_checkpoint();
  c.optimizer_name = options_.optimizer;
  c.optimizer = trainer_->state();
  if (ema_)
    for (NamedArray& average : ema_->state()) c.optimizer.push_back(std::move(average));
  save_checkpoint(c, folder_->last(), options_.keep);
}

void TrainingRun::save_best() const {
  const Averaged averaged(ema_.get());
  save_checkpoint(finite_checkpoint(), folder_->best());
}

double TrainingRun::expected_seconds_after_epoch() const {
  if (state_.history.empty()) return 0;
  // The last epoch says what the others will take, its validation included.
  return state_.history.back().seconds * static_cast<double>(options_.epochs - state_.epoch - 1);
}

}  // namespace resflow
