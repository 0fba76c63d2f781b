#include "apps/train/network.h"
#include "apps/machine/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/data/preview_grid.h"
#include "apps/model/precision.h"
#include "apps/train/lines.h"
#include "apps/train/loop.h"
#include "apps/train/lr_find.h"
#include "apps/train/settings.h"
#include "apps/train/validation.h"
#include "graph/train/ema.h"
#include "graph/train/trainer.h"
#include "graph/train/update_group.h"
#include "io/core/error.h"
#include "io/core/stopwatch.h"
#include "io/core/wording.h"
#include "io/images/decode.h"
#include "pipeline/order.h"
#include "pipeline/pixels/mix.h"

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

class NetworkMode : public TrainingMode {
 public:
  explicit NetworkMode(Run& run);

  void begin() override { warn_of_low_disk(); }
  std::optional<Epoch> train_epoch() override;
  Checkpoint best() override;
  Checkpoint last() override;
  std::string epoch_line(const EpochRecord& record, bool is_best) const override {
    return resflow::epoch_line(run_, record, is_best, 1);
  }
  std::string stopped_line() const override { return stopped_in_epoch_line(run_, batches_); }
  void say_skipped() const override;
  bool last_can_be_best() const override { return true; }
  bool can_be_saved() const override { return at_update_; }

  void say_setup() const;
  void add_times();  // the trainer's, to the run's
  Trainer& trainer() { return *trainer_; }
  Loader& loader() { return *loader_; }

 private:
  ScheduleOptions schedule() const;
  double learning_rate_at(int64_t step) const;  // of the epoch under way
  void follow_schedule(int64_t step);
  void train_batches();
  bool train_batch(const Batch& batch);
  void step(const Batch& batch, double factor);
  std::span<const float> mix(const Batch& batch);
  bool validate(EpochRecord& record);
  void log_preview(const Batch& batch);
  bool saving_is_due() const;
  void warn_of_low_disk() const;
  double expected_seconds_after_epoch() const;
  std::string cursor() const;

  // Where batches wait for their update: the run stands where it stood before them, because no checkpoint keeps their
  // gradients.
  void back_to_update();

  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<UpdateGroup> group_;  // where an update takes several batches
  std::unique_ptr<Ema> ema_;            // where there is to be an average
  std::unique_ptr<Loader> loader_;
  std::unique_ptr<Validation> validation_;  // where there is validation data
  MixOptions mix_;
  std::vector<float> targets_;   // of a mixed batch
  int64_t batches_ = 0;          // of an epoch
  bool norms_need_two_ = false;  // pictures: a batch norm has no variance of one value a channel
  int64_t lone_pictures_ = 0;    // batches of one picture that could not be trained on
  bool at_update_ = true;        // the model is as its last update left it, and no gradients wait for the next
};

// The parameters are in use already; for each of them there is a number more, or several, in the optimizer.
void warn_where_memory_is_short(const Run& run, size_t activations) {
  const TrainOptions& o = run.options;
  const bool adam = o.optimizer == "adam" || o.optimizer == "adamw" || o.optimizer == "lamb";
  const int64_t copies = (adam                       ? 2
                          : o.optimizer == "rmsprop" ? 1
                                                     : 0) +
                         (o.momentum > 0 ? 1 : 0) + (o.accumulate > 1 ? 1 : 0) + (o.ema > 0 ? 1 : 0);
  const auto parameters = run.model->parameter_count() * static_cast<int64_t>(sizeof(float));
  const auto side = static_cast<int64_t>(o.image_size), batch = static_cast<int64_t>(activations);
  // The loader has several batches of pixels under way.
  const int64_t pixels = LoaderOptions().slots * o.batch * 3 * side * side * static_cast<int64_t>(sizeof(float));
  warn_of_low_memory(
      {.fixed = copies * parameters, .batch = batch + pixels, .shown = batch + (copies + 1) * parameters}, o.batch,
      *run.listener);
}

bool has_norm_of_one_pixel(const Graph& graph, int64_t image_size) {
  const std::vector<Dims> shapes = graph.shapes(image_size, image_size);
  for (size_t i = 0; i < shapes.size(); ++i)
    if (std::holds_alternative<BatchNormNode>(graph.nodes()[i].kind) && shapes[i][1] * shapes[i][2] == 1) return true;
  return false;
}

NetworkMode::NetworkMode(Run& run) : TrainingMode(run) {
  const TrainOptions& o = run.options;
  norms_need_two_ = has_norm_of_one_pixel(run.model->graph(), o.image_size);
  freeze_parameters(*run.model, o);
  group_parameters(*run.model, o);
  const LossOptions loss = loss_options_of(o, run.data->train);
  const Precision precision =
      resolve_training_precision({.name = o.precision, .force = o.force_precision}, *run.listener);
  trainer_ =
      std::make_unique<Trainer>(*run.model, o.batch, o.image_size, o.optimizer_options(), loss, Layout::kAny, precision,
                                [&](size_t activations) { warn_where_memory_is_short(run, activations); });
  if (o.accumulate > 1) {
    trainer_->allow_accumulation();
    group_ = std::make_unique<UpdateGroup>(*run.model, run.state);
  }
  if (o.ema > 0) ema_ = std::make_unique<Ema>(*run.model, o.ema);
  const LoaderOptions loader = {.batch = o.batch,
                                .threads = o.threads,
                                .seed = o.seed,
                                .on_error = on_error(run),
                                .exif = o.exif,
                                .decode = decode_mode(o.decode),
                                .accept = acceptance(o.max_pixels, o.truncated, o.grey16),
                                .reading = reading_options(run)};
  LoaderOptions train_loader = loader;
  if (o.sampler == "balanced") {
    train_loader.sampler = Sampler::kWeighted;
    train_loader.weights = balanced_weights(run.data->train);
  }
  mix_ = mix_options(o.augment);
  targets_.reserve(static_cast<size_t>(o.batch) * run.data->train.classes.size());
  loader_ =
      std::make_unique<Loader>(run.data->train, train_recipe(o.image_size, run.preprocessing, o.augment), train_loader);
  batches_ = loader_->batches_per_epoch();
  if (has_validation(run))
    validation_ =
        std::make_unique<Validation>(*run.model, run.data->val, run.preprocessing, loader, loss, &trainer_->plan());
  if (!o.resume) return;
  if (ema_) ema_->take(run.optimizer);
  trainer_->load(run.optimizer, run.state.step);
  run.optimizer.clear();
}

ScheduleOptions NetworkMode::schedule() const {
  const TrainOptions& o = run_.options;
  return o.schedule_options((batches_ + o.accumulate - 1) / o.accumulate);
}

double NetworkMode::learning_rate_at(int64_t step) const { return learning_rate(schedule(), losses(run_), step); }

// `step` of the epoch under way.
void NetworkMode::follow_schedule(int64_t step) {
  const ScheduleOptions options = schedule();
  trainer_->set_lr(learning_rate_at(step));
  if (is_stepwise(options))
    trainer_->set_momentum(cycled_momentum(options, run_.state.epoch * options.epoch_steps + step));
}

std::optional<Epoch> NetworkMode::train_epoch() {
  const TrainingState& state = run_.state;
  follow_schedule(0);
  train_batches();
  if (state.next_batch < batches_) return std::nullopt;
  EpochRecord record = {.epoch = state.epoch + 1, .val_loss = kNoValue, .val_accuracy = kNoValue};
  record.left_out = state.epoch_left_out;
  if (validation_ && !validate(record)) return std::nullopt;
  const auto samples = static_cast<double>(state.epoch_samples);
  record.train_loss = state.epoch_loss_sum / samples;
  record.train_accuracy = static_cast<double>(state.epoch_correct) / samples;
  record.learning_rate = learning_rate_at(schedule().epoch_steps - 1);
  record.seconds += state.epoch_seconds;
  return Epoch{.record = record, .images_per_second = samples / state.epoch_seconds};
}

// Those of the epoch that are left, until the listener asks to stop.
void NetworkMode::train_batches() {
  TrainingState& state = run_.state;
  const TrainOptions& o = run_.options;
  const Dataset& data = run_.data->train;
  if (state.next_batch >= batches_) return;  // resumed between the last batch and the validation
  const auto pictures = static_cast<int64_t>(data.samples.size());
  EpochReport report;
  try {
    Progress progress(*run_.listener, {.label = fmt::format("epoch {}/{}", state.epoch + 1, o.epochs),
                                       .total = pictures,
                                       .first = state.next_batch * o.batch,
                                       .seconds_after = expected_seconds_after_epoch()});
    const double before = state.epoch_seconds;
    const Stopwatch watch;
    report = loader_->run(static_cast<uint64_t>(state.epoch), state.next_batch, [&](const Batch& batch) {
      if (state.epoch == 0 && batch.number == 0 && batch.size > 0) log_preview(batch);
      if (group_ && batch.number % o.accumulate == 0) group_->begin();
      note_broken(run_, data, batch.broken, state.epoch_left_out);
      at_update_ = false;
      const bool updated = train_batch(batch);
      state.next_batch = batch.number + 1;
      at_update_ = updated;
      state.epoch_seconds = before + watch.seconds();
      const auto n = static_cast<double>(std::max<int64_t>(state.epoch_samples, 1));
      progress.update(std::min(state.next_batch * o.batch, pictures),
                      fmt::format("loss {:.4f}  accuracy {:.4f}", state.epoch_loss_sum / n,
                                  static_cast<double>(state.epoch_correct) / n));
      if (run_.listener->stop()) return false;
      if (updated && state.next_batch < batches_ && saving_is_due()) save_last(run_, *this);
      return true;
    });
  } catch (const Outage&) {
    back_to_update();
    throw;
  }
  if (report.stopped) back_to_update();
  run_.truncated = std::max(run_.truncated, report.truncated);
  for (const Stage stage : kStages) run_.times.add(stage_name(stage), report.seconds[stage], report.images);
  run_.times.add("wait", report.wait_seconds, report.batches);
  if (state.next_batch >= batches_ && state.epoch_samples == 0) {
    say_skipped();
    throw data_error("{}: not one of its {} could be trained on; first reason: {}", run_.data->train_root,
                     plural(pictures, "picture", "pictures"),
                     run_.broken.empty() ? "batches of one picture" : run_.broken.begin()->second);
  }
}

// One batch of pictures: forward, loss, backward, and the optimizer's step. True where the optimizer's turn has come:
// after each batch, or after the last one of those whose gradients are accumulated.
bool NetworkMode::train_batch(const Batch& batch) {
  const TrainOptions& o = run_.options;
  const int64_t group = batch.number / o.accumulate;
  const int64_t end = std::min(batches_, (group + 1) * o.accumulate);
  const bool last = batch.number + 1 == end;
  if (is_stepwise(schedule())) follow_schedule(group);
  const bool lone = batch.size == 1 && norms_need_two_;
  if (lone) ++lone_pictures_;
  if (batch.size > 0 && !lone) step(batch, 1 / static_cast<double>(end - group * o.accumulate));
  if (last && o.accumulate > 1) trainer_->update();
  if (ema_ && trainer_->steps() != run_.state.step) ema_->update();
  run_.state.step = trainer_->steps();
  return last;
}

void NetworkMode::back_to_update() {
  if (at_update_ || !group_) return;
  group_->take_back();
  at_update_ = true;
}

void NetworkMode::step(const Batch& batch, double factor) {
  TrainingState& state = run_.state;
  const std::span<const int32_t> labels(batch.labels.data(), static_cast<size_t>(batch.size));
  const std::span<const float> targets = mix(batch);
  const StepResult result = run_.options.accumulate > 1 ? trainer_->accumulate(batch.pixels, labels, targets, factor)
                                                        : trainer_->step(batch.pixels, labels, targets);
  if (!std::isfinite(result.loss))
    stop_diverged(run_,
                  fmt::format("the loss of epoch {}, batch {} is {}", state.epoch + 1, batch.number + 1, result.loss));
  state.epoch_loss_sum += result.loss * batch.size;
  state.epoch_correct += result.correct;
  state.epoch_samples += batch.size;
}

// Mixup and cutmix: changes the batch's pixels, and returns its targets; none where nothing is mixed.
std::span<const float> NetworkMode::mix(const Batch& batch) {
  if (!mix_.on()) return {};
  const size_t classes = run_.data->train.classes.size();
  targets_.resize(static_cast<size_t>(batch.size) * classes);
  const MixDraw draw = draw_mix(mix_, batch.image_size, run_.state.seed, static_cast<uint64_t>(run_.state.epoch),
                                static_cast<uint64_t>(batch.number));
  run_.compute->run([&] { mix_pixels(draw, batch.pixels, batch.size, batch.image_size); });
  mix_targets(draw, batch.labels, static_cast<int>(classes), targets_.data());
  return targets_;
}

// False where the listener asked to stop.
bool NetworkMode::validate(EpochRecord& record) {
  const Dataset& data = run_.data->val;
  const auto pictures = static_cast<int64_t>(data.samples.size());
  ValidationResult result;
  {
    Progress progress(*run_.listener,
                      {.label = fmt::format("validation {}/{}", record.epoch, run_.options.epochs), .total = pictures});
    const Averaged averaged(ema_.get());
    result = validation_->run([&](int64_t done) {
      progress.update(done);
      return !run_.listener->stop();
    });
  }
  if (result.stopped) return false;
  note_broken(run_, data, result.broken, record.left_out);
  if (result.sums.rows == 0)
    throw data_error("{}: not one of its {} could be read; first reason: {}", run_.data->val_root,
                     plural(pictures, "picture", "pictures"), result.broken.front().reason);
  record.val_loss = result.sums.loss();
  record.val_accuracy = result.sums.accuracy();
  record.seconds = result.seconds;
  return true;
}

// What the first batch looks like, before its pictures are mixed.
void NetworkMode::log_preview(const Batch& batch) {
  constexpr int kPictures = 16;
  const Recipe recipe = Recipe::eval(run_.preprocessing);
  log_to_board(run_, [&](TensorBoardLog& board) {
    board.picture("preview", draw_preview_grid(batch, run_.data->train, recipe.mean, recipe.std, {.limit = kPictures}),
                  1);
  });
}

bool NetworkMode::saving_is_due() const {
  const TrainOptions& o = run_.options;
  const int64_t now = run_.state.next_batch, before = now - std::min<int64_t>(o.accumulate, now);
  return o.save_every > 0 && now / o.save_every > before / o.save_every;
}

// All generations of last.resflow, best.resflow, and the one that is being written beside them.
void NetworkMode::warn_of_low_disk() const {
  size_t parameters = 0;
  for (const auto& parameter : run_.model->parameters()) parameters += parameter->value ? parameter->value.bytes() : 0;
  const size_t state = trainer_->optimizer_state_bytes() + (ema_ ? ema_->bytes() : 0);
  const auto wanted =
      static_cast<int64_t>((parameters + state) * (static_cast<size_t>(run_.options.keep) + 1) + parameters);
  const int64_t free = run_.folder.free_bytes();
  if (free >= 0 && free < wanted) run_.listener->warn(low_disk_sentence(run_, free, wanted));
}

std::string NetworkMode::cursor() const {
  return fmt::format("after epoch {}, batch {}", run_.state.epoch + 1, run_.state.next_batch);
}

Checkpoint NetworkMode::best() {
  const Averaged averaged(ema_.get());
  return finite_checkpoint(run_, cursor());
}

Checkpoint NetworkMode::last() {
  Checkpoint c = finite_checkpoint(run_, cursor());
  c.optimizer_name = run_.options.optimizer;
  c.optimizer = trainer_->state();
  if (ema_)
    for (NamedArray& average : ema_->state()) c.optimizer.push_back(std::move(average));
  return c;
}

double NetworkMode::expected_seconds_after_epoch() const {
  const TrainingState& state = run_.state;
  if (state.history.empty()) return 0;
  // The last epoch says what the others will take, its validation included.
  return state.history.back().seconds * static_cast<double>(run_.options.epochs - state.epoch - 1);
}

void NetworkMode::say_skipped() const {
  if (lone_pictures_ > 0) run_.listener->say(lone_pictures_line(run_, lone_pictures_));
  TrainingMode::say_skipped();
}

void NetworkMode::say_setup() const {
  const PlanMemory plan = trainer_->memory();
  // Validation works in the activations of training; the rest of its memory is its own.
  const NetworkMemory memory = {.plan = plan,
                                .optimizer = trainer_->optimizer_bytes() + (ema_ ? ema_->bytes() : 0),
                                .validation = validation_ ? validation_->bytes() : 0};
  say(*run_.listener, network_lines(run_, batches_, memory));
}

void NetworkMode::add_times() {
  const TrainerTimes& steps = trainer_->times();
  run_.times.add("forward", steps.forward, steps.batches);
  run_.times.add("backward", steps.backward, steps.batches);
  run_.times.add("optimizer", steps.optimizer, steps.batches);
}

}  // namespace

TrainingOutcome train_network(Run& run) {
  NetworkMode mode(run);
  mode.say_setup();
  TrainingOutcome outcome = train_epochs(run, mode, run.options.epochs);
  mode.add_times();
  outcome.times = run.times;
  return outcome;
}

bool find_lr(Run& run) {
  NetworkMode mode(run);
  mode.say_setup();
  const LrFindOptions options;
  std::vector<LrFindPoint> points;
  {
    Progress progress(*run.listener, {.label = "learning rates", .unit = "steps", .total = options.steps});
    points = find_learning_rate(mode.trainer(), mode.loader(), options, [&](int64_t done) {
      progress.update(done);
      return !run.listener->stop();
    });
  }
  if (run.listener->stop()) return false;
  if (points.size() < 3)
    throw data_error("{}: {} could be trained on: too few to find a learning rate by", run.data->train_root,
                     plural(points.size(), "batch", "batches"));
  run.folder.write_lr_find(points);
  say(*run.listener, lr_advice_lines(run, points));
  return true;
}

}  // namespace resflow
