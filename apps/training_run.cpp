#include "apps/training_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "apps/console.h"
#include "apps/progress.h"
#include "apps/run_parts.h"
#include "apps/signals.h"
#include "apps/versions.h"
#include "graph/freeze.h"
#include "io/error.h"

namespace resflow {
namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

TrainingRun::TrainingRun(TrainOptions options) : options_(std::move(options)) {
  if (options_.resume && options_.overwrite) throw usage_error("--resume and --overwrite: one or the other");
  const auto how = options_.resume      ? RunFolder::Open::kResume
                   : options_.overwrite ? RunFolder::Open::kOverwrite
                                        : RunFolder::Open::kNew;
  if (!options_.resume) resolve(options_);  // what cannot be is said before anything is read or made
  data_ = load_training_data(options_.data, options_.val);
  if (!options_.resume) {
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

  freeze_parameters();
  group_parameters();
  const LossOptions loss = loss_options();
  trainer_ =
      std::make_unique<Trainer>(*model_, options_.batch, options_.image_size, options_.optimizer_options(), loss);
  const LoaderOptions loader = {.batch = options_.batch,
                                .threads = options_.threads,
                                .seed = options_.seed,
                                .on_error = options_.on_error == "stop" ? OnError::kStop : OnError::kSkip};
  loader_ = std::make_unique<Loader>(data_.train, train_recipe(options_.image_size, preprocessing_), loader);
  batches_ = loader_->batches_per_epoch();
  if (options_.early_stop > 0 && data_.val.samples.empty())
    throw usage_error("--early-stop goes by the validation's accuracy: give --val, or a folder val/ beside train/");
  if (!data_.val.samples.empty())
    validation_ = std::make_unique<Validation>(*model_, data_.val, preprocessing_, loader, loss, &trainer_->plan());

  state_.seed = options_.seed;
  if (options_.resume) {
    trainer_->load(saved.optimizer, saved.training.step);
    state_ = std::move(saved.training);
    const std::string fingerprint = run_fingerprint(options_.threads);
    if (state_.fingerprint != fingerprint)
      warn("this run began on {}; on {} it goes on as well, but not to the same bits", state_.fingerprint, fingerprint);
  }
  state_.fingerprint = run_fingerprint(options_.threads);
  state_.options = saved_options(options_, data_);
}

void TrainingRun::freeze_parameters() {
  if (options_.freeze.empty()) return;
  try {
    freeze(*model_, options_.freeze, options_.freeze_bn == "eval" ? FreezeBatchNorm::kEval : FreezeBatchNorm::kTrain);
  } catch (const Error& e) {
    throw usage_error("--freeze: {}", e.what());
  }
}

// Which of them decay, and how fast they learn beside --lr.
void TrainingRun::group_parameters() {
  for (const auto& parameter : model_->parameters()) {
    if (!parameter->learnt) continue;
    if (options_.no_decay_norm_bias) parameter->decay = parameter->value.dims().size() > 1;
    if (options_.lr_backbone >= 0 && !parameter->name.starts_with("fc."))
      parameter->lr_scale = options_.lr_backbone / options_.lr;
  }
}

LossOptions TrainingRun::loss_options() const { return loss_options_of(options_, data_.train); }

double TrainingRun::epoch_lr() const {
  std::vector<double> losses;
  for (const EpochRecord& record : state_.history) losses.push_back(validation_ ? record.val_loss : record.train_loss);
  return learning_rate(options_.schedule_options(), losses);
}

bool TrainingRun::stopped_early() const {
  if (options_.early_stop == 0) return false;
  const auto best =
      std::max_element(state_.history.begin(), state_.history.end(),
                       [](const EpochRecord& a, const EpochRecord& b) { return a.val_accuracy < b.val_accuracy; });
  return std::distance(best, state_.history.end()) > options_.early_stop;
}

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
  fmt::print("epochs     {} of {} with {} pictures, seed {}\n", options_.epochs, plural(batches_, "batch", "batches"),
             options_.batch, options_.seed);
  // Validation works in the activations of training; its copies of the parameters are its own.
  const PlanMemory memory = trainer_->memory();
  const size_t validation = validation_ ? validation_->memory().copies : 0;
  fmt::print("memory     {} planned: activations {}, parameters {}, gradients {}, optimizer {}, validation {}\n",
             format_bytes(static_cast<double>(memory.total() + trainer_->optimizer_bytes() + validation)),
             format_bytes(static_cast<double>(memory.activations)),
             format_bytes(static_cast<double>(memory.parameters)), format_bytes(static_cast<double>(memory.gradients)),
             format_bytes(static_cast<double>(trainer_->optimizer_bytes())),
             format_bytes(static_cast<double>(validation)));
  fmt::print("threads    {}, {} (oneDNN {}) on {}\n", options_.threads, isa_name(), onednn_version(), cpu_model());
  fmt::print("folder     {}\n", folder_->path());
  if (options_.resume)
    fmt::print("resumed    at epoch {}, batch {} of {}\n", state_.epoch + 1, state_.next_batch + 1, batches_);
  flush_output();
}

TrainingOutcome TrainingRun::run() {
  const StopSignals signals;
  if (!options_.resume) {
    if (options_.overwrite) folder_->clear();
    // Shows before hours of work that the folder takes checkpoints, and a run can be resumed from its start on.
    save_last();
    folder_->write_history(state_.history);
  }
  if (options_.resume && state_.epoch >= options_.epochs)
    fmt::print("the run has its {} already; more with --epochs N\n", plural(state_.epoch, "epoch", "epochs"));

  while (state_.epoch < options_.epochs && !stopped_early() && !stop_requested()) {
    trainer_->set_lr(epoch_lr());
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
  return {finished, folder_->last(), folder_->best(), folder_->history(), state_.history};
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
        train_batch(batch);
        state_.next_batch = batch.number + 1;
        state_.epoch_seconds = before + seconds_now() - start;
        const auto n = static_cast<double>(std::max<int64_t>(state_.epoch_samples, 1));
        progress.update(std::min(state_.next_batch * options_.batch, pictures),
                        fmt::format("loss {:.4f}  accuracy {:.4f}", state_.epoch_loss_sum / n,
                                    static_cast<double>(state_.epoch_correct) / n));
        if (stop_requested()) return false;
        if (options_.save_every > 0 && state_.next_batch < batches_ && state_.next_batch % options_.save_every == 0)
          save_last();
        return true;
      });
  note_broken(data_.train, report.broken);
  if (state_.next_batch >= batches_ && state_.epoch_samples == 0) {
    report_broken();
    throw data_error("{}: not one of its {} could be trained on; first reason: {}", data_.train_root,
                     plural(pictures, "picture", "pictures"),
                     broken_.empty() ? "batches of one picture" : broken_.begin()->second);
  }
}

void TrainingRun::train_batch(const Batch& batch) {
  if (batch.size == 0) return;
  // Batch norm has no variance of one value a channel, which is what one picture of at most 32 x 32 leaves it.
  if (batch.size == 1 && options_.image_size <= 32) {
    ++lone_pictures_;
    return;
  }
  const StepResult result = trainer_->step(batch.pixels, {batch.labels.data(), static_cast<size_t>(batch.size)});
  if (!std::isfinite(result.loss))
    stop_diverged(fmt::format("the loss of epoch {}, batch {} is {}", state_.epoch + 1, batch.number + 1, result.loss));
  state_.step = trainer_->steps();
  state_.epoch_loss_sum += result.loss * batch.size;
  state_.epoch_correct += result.correct;
  state_.epoch_samples += batch.size;
}

bool TrainingRun::validate(EpochRecord& record) {
  const auto pictures = static_cast<int64_t>(data_.val.samples.size());
  Progress progress({.label = fmt::format("validation {}/{}", record.epoch, options_.epochs),
                     .total = pictures,
                     .terminal = is_terminal(stderr)});
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
  record.learning_rate = epoch_lr();
  record.seconds += state_.epoch_seconds;

  const bool is_best = !validation_ || record.val_accuracy > state_.best_val_accuracy;
  if (is_best && validation_) state_.best_val_accuracy = record.val_accuracy;
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
  save_checkpoint(c, folder_->last(), options_.keep);
}

void TrainingRun::save_best() const { save_checkpoint(checkpoint(), folder_->best()); }

void TrainingRun::note_broken(const Dataset& dataset, const std::vector<Batch::Broken>& broken) {
  for (const auto& b : broken) broken_.emplace(dataset.samples[static_cast<size_t>(b.sample)].path, b.reason);
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
