#include "apps/training_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "apps/console.h"
#include "apps/lr_find.h"
#include "apps/preview_grid.h"
#include "apps/progress.h"
#include "apps/run_parts.h"
#include "apps/signals.h"
#include "apps/versions.h"
#include "io/error.h"
#include "pipeline/order.h"

namespace resflow {
namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

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
    : options_(std::move(options)), data_(std::move(data)) {
  if (options_.resume && options_.overwrite) throw usage_error("--resume and --overwrite: one or the other");
  const auto how = options_.resume      ? RunFolder::Open::kResume
                   : options_.overwrite ? RunFolder::Open::kOverwrite
                                        : RunFolder::Open::kNew;
  if (!options_.resume) {
    resolve(options_);
    check_batch();
    read_weights_option();
  }
  folder_ = std::make_unique<RunFolder>(options_.out, how);
  open_model();
  print_setup();
}

TrainingRun::~TrainingRun() = default;

void TrainingRun::check_batch() const {
  const auto pictures = static_cast<int64_t>(data_.train.samples.size());
  if (options_.batch > pictures)
    throw usage_error("--batch {} is more than the {} of {}: give --batch {} or less", options_.batch,
                      plural(pictures, "picture", "pictures"), data_.train_root, pictures);
}

void TrainingRun::read_weights_option() {
  if (options_.weights.empty()) return;
  initial_ = load_initial_weights({.weights = options_.weights,
                                   .skip = options_.weights_skip,
                                   .architecture = options_.given.contains("--model") ? options_.model : "",
                                   .classes = data_.train.classes,
                                   .image_size = options_.image_size,
                                   .seed = options_.seed});
  options_.model = initial_.description.architecture;
}

void TrainingRun::open_model() {
  Checkpoint saved;
  if (options_.resume) {
    saved = load_checkpoint(folder_->last());
    if (saved.optimizer_name.empty())
      throw usage_error("--resume: {} holds a model without its optimizer, so no run can go on from it",
                        folder_->last());
    adopt_saved(options_, saved.training.options);
    resolve(options_);
    check_same_data(saved.training.options, data_);
    check_batch();
  }

  thread_limit_ = std::make_unique<ThreadLimit>(options_.threads);
  compute_ = std::make_unique<Compute>(options_.threads);
  const ModelDescription description = {.architecture = options_.model,
                                        .num_classes = static_cast<int64_t>(data_.train.classes.size())};
  model_ = std::make_unique<Model>(description, *compute_);
  if (options_.resume) {
    if (!(saved.model == description) || saved.classes != data_.train.classes)
      throw data_error("{}: is a {} of {} classes, the run wants a {} of {}: was the file replaced?", folder_->last(),
                       saved.model.architecture, saved.model.num_classes, description.architecture,
                       description.num_classes);
    model_->load(saved.parameters);
    saved.parameters.clear();  // a second copy of everything is not kept through the planning
    preprocessing_ = saved.preprocessing;
    provenance_ = saved.provenance;
  } else {
    if (options_.weights.empty()) {
      model_->initialise(options_.seed);
      preprocessing_ = eval_preprocessing(options_.image_size);
    } else {
      model_->load(initial_.values);
      initial_.values = {};
      preprocessing_ = initial_.preprocessing;
      provenance_ = initial_.provenance;
    }
    provenance_.emplace_back("made by", "resflow " + resflow_version());
  }

  freeze_parameters(*model_, options_);
  group_parameters(*model_, options_);
  const LossOptions loss = loss_options_of(options_, data_.train);
  trainer_ =
      std::make_unique<Trainer>(*model_, options_.batch, options_.image_size, options_.optimizer_options(), loss);
  if (options_.accumulate > 1) trainer_->allow_accumulation();
  if (options_.ema > 0) ema_ = std::make_unique<Ema>(*model_, options_.ema);
  const LoaderOptions loader = {.batch = options_.batch,
                                .threads = options_.threads,
                                .seed = options_.seed,
                                .on_error = options_.on_error == "stop" ? OnError::kStop : OnError::kSkip,
                                .exif = options_.exif};
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
  if (options_.early_stop > 0 && data_.val.samples.empty())
    throw usage_error("--early-stop goes by the validation's accuracy: give --val, or a folder val/ beside train/");
  if (!data_.val.samples.empty())
    validation_ = std::make_unique<Validation>(*model_, data_.val, preprocessing_, loader, loss, &trainer_->plan());

  state_.seed = options_.seed;
  if (options_.resume) {
    if (ema_) ema_->take(saved.optimizer);
    trainer_->load(saved.optimizer, saved.training.step);
    state_ = std::move(saved.training);
    const std::string fingerprint = run_fingerprint(options_.threads);
    if (state_.fingerprint != fingerprint)
      warn("this run began on {}; on {} it goes on as well, but not to the same bits", state_.fingerprint, fingerprint);
  }
  state_.fingerprint = run_fingerprint(options_.threads);
  state_.options = saved_options(options_, data_);
}

ScheduleOptions TrainingRun::schedule() const {
  return options_.schedule_options((batches_ + options_.accumulate - 1) / options_.accumulate);
}

double TrainingRun::learning_rate_at(int64_t step) const {
  std::vector<double> losses;
  for (const EpochRecord& record : state_.history) losses.push_back(validation_ ? record.val_loss : record.train_loss);
  return learning_rate(schedule(), losses, step);
}

// `step` of the epoch under way.
void TrainingRun::follow_schedule(int64_t step) {
  const ScheduleOptions options = schedule();
  trainer_->set_lr(learning_rate_at(step));
  if (is_stepwise(options)) trainer_->set_momentum(cycled_momentum(options, state_.epoch * options.epoch_steps + step));
}

bool TrainingRun::stopped_early() const {
  if (options_.early_stop == 0) return false;
  const auto best =
      std::max_element(state_.history.begin(), state_.history.end(),
                       [](const EpochRecord& a, const EpochRecord& b) { return a.val_accuracy < b.val_accuracy; });
  return std::distance(best, state_.history.end()) > options_.early_stop;
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
  if (early)
    fmt::print("stopped    after epoch {}: no better validation accuracy in {} (--early-stop)\n", state_.epoch,
               plural(options_.early_stop, "epoch", "epochs"));
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
  TrainingOutcome outcome = {.finished = finished,
                             .last = folder_->last(),
                             .best = folder_->best(),
                             .history = folder_->history(),
                             .records = state_.history,
                             .configuration = state_.options,
                             .times = times_,
                             .threads = options_.threads,
                             .exif = options_.exif};
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
    Progress progress(
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
  Progress progress({.label = fmt::format("epoch {}/{}", state_.epoch + 1, options_.epochs),
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
  times_.add("read", report.read_seconds, report.images);
  times_.add("decode", report.decode_seconds, report.images);
  times_.add("transform", report.transform_seconds, report.images);
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
  Progress progress({.label = fmt::format("validation {}/{}", record.epoch, options_.epochs),
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
  print_epoch(record, is_best);
}

Checkpoint TrainingRun::checkpoint() const {
  Checkpoint c;
  c.model = model_->description();
  c.classes = data_.train.classes;
  c.preprocessing = preprocessing_;
  c.parameters = model_->state();
  // A step may leave values that are no numbers before a loss shows it: such a model replaces no good one.
  if (!all_finite(c.parameters))
    stop_diverged(fmt::format("after epoch {}, batch {} the model holds values that are no numbers", state_.epoch + 1,
                              state_.next_batch));
  c.training = state_;
  c.provenance = provenance_;
  return c;
}

void TrainingRun::save_last() {
  Checkpoint c = checkpoint();
  c.optimizer_name = options_.optimizer;
  c.optimizer = trainer_->state();
  if (ema_)
    for (NamedArray& average : ema_->state()) c.optimizer.push_back(std::move(average));
  save_checkpoint(c, folder_->last(), options_.keep);
}

void TrainingRun::save_best() const {
  const Averaged averaged(ema_.get());
  save_checkpoint(checkpoint(), folder_->best());
}

void TrainingRun::note_broken(const Dataset& dataset, const std::vector<Batch::Broken>& broken) {
  for (const auto& b : broken) broken_.emplace(dataset.samples[static_cast<size_t>(b.sample)].path, b.reason);
}

double TrainingRun::expected_seconds_after_epoch() const {
  if (state_.history.empty()) return 0;
  // The last epoch says what the others will take, its validation included.
  return state_.history.back().seconds * static_cast<double>(options_.epochs - state_.epoch - 1);
}

void TrainingRun::stop_diverged(const std::string& what) const {
  throw usage_error("{}: training has diverged; try a lower --lr (it is {}); {} holds the run as it was saved before",
                    what, options_.lr, folder_->last());
}

}  // namespace resflow
