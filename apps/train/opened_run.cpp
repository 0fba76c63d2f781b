#include "apps/train/opened_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "apps/host/console.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/machine/versions.h"
#include "apps/options/common.h"
#include "apps/train/run_parts.h"
#include "graph/model/graph.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/images/decode.h"
#include "pipeline/recipe.h"

namespace resflow {

OpenedRun::OpenedRun(TrainOptions options, TrainingData data, Batches batches)
    : options_(std::move(options)), data_(std::move(data)) {
  if (options_.resume && options_.overwrite) throw usage_error("--resume and --overwrite: one or the other");
  const auto how = options_.resume      ? RunFolder::Open::kResume
                   : options_.overwrite ? RunFolder::Open::kOverwrite
                                        : RunFolder::Open::kNew;
  if (!options_.resume) {
    resolve(options_);
    check_batch(batches);
    read_weights_option();
  }
  folder_ = std::make_unique<RunFolder>(options_.out, how);
  if (options_.resume) {
    resume(batches);
  } else {
    start();
  }
  if (options_.early_stop > 0 && !has_validation())
    throw usage_error("--early-stop goes by the validation's accuracy: give --val, or a folder val/ beside train/");
  state_.fingerprint = run_fingerprint(options_.threads);
  state_.options = saved_options(options_, data_);
}

OpenedRun::~OpenedRun() = default;

double OpenedRun::seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void OpenedRun::check_batch(Batches batches) const {
  const auto pictures = static_cast<int64_t>(data_.train.samples.size());
  if (batches == Batches::kWhole && options_.batch > pictures)
    throw usage_error("--batch {} is more than the {} of {}: give --batch {} or less", options_.batch,
                      plural(pictures, "picture", "pictures"), data_.train_root, pictures);
}

void OpenedRun::read_weights_option() {
  if (options_.weights.empty()) return;
  TerminalListener listener;
  initial_ = load_initial_weights({.weights = options_.weights,
                                   .skip = options_.weights_skip,
                                   .architecture = options_.given.contains("--model") ? options_.model : "",
                                   .classes = data_.train.classes,
                                   .image_size = options_.image_size,
                                   .seed = options_.seed},
                                  listener);
  options_.model = initial_.description.architecture;
}

void OpenedRun::make_model() {
  thread_limit_ = std::make_unique<ThreadLimit>(options_.threads);
  compute_ = std::make_unique<Compute>(options_.threads);
  model_ = std::make_unique<Model>(
      ModelDescription{.architecture = options_.model, .num_classes = static_cast<int64_t>(data_.train.classes.size())},
      *compute_);
}

void OpenedRun::resume(Batches batches) {
  Checkpoint saved = load_checkpoint(folder_->last());
  if (saved.optimizer_name.empty())
    throw usage_error("--resume: {} holds a model without its optimizer, so no run can go on from it", folder_->last());
  adopt_saved(options_, saved.training.options);
  resolve(options_);
  check_same_data(saved.training.options, data_);
  check_batch(batches);
  make_model();
  const ModelDescription& description = model_->description();
  if (!(saved.model == description) || saved.classes != data_.train.classes)
    throw data_error("{}: is a {} of {} classes, the run wants a {} of {}: was the file replaced?", folder_->last(),
                     saved.model.architecture, saved.model.num_classes, description.architecture,
                     description.num_classes);
  model_->load(saved.parameters);
  preprocessing_ = saved.preprocessing;
  provenance_ = std::move(saved.provenance);
  state_ = std::move(saved.training);
  saved_optimizer_ = std::move(saved.optimizer);
  const std::string fingerprint = run_fingerprint(options_.threads);
  if (state_.fingerprint != fingerprint)
    warn("this run began on {}; on {} it goes on as well, but not to the same bits", state_.fingerprint, fingerprint);
}

void OpenedRun::start() {
  make_model();
  if (options_.weights.empty()) {
    model_->initialise(options_.seed);
    preprocessing_ = eval_preprocessing(options_.image_size);
  } else {
    model_->load(initial_.values);
    initial_.values = {};
    preprocessing_ = initial_.preprocessing;
    provenance_ = initial_.provenance;
  }
  preprocessing_.exif = options_.exif;
  provenance_.emplace_back("made by", "resflow " + resflow_version());
  state_.seed = options_.seed;
}

Checkpoint OpenedRun::checkpoint() const {
  Checkpoint c;
  c.model = model_->description();
  c.classes = data_.train.classes;
  c.preprocessing = preprocessing_;
  c.parameters = model_->state();
  c.training = state_;
  c.provenance = provenance_;
  return c;
}

TrainingOutcome OpenedRun::outcome(bool finished) const {
  return {.finished = finished,
          .last = folder_->last(),
          .best = folder_->best(),
          .history = folder_->history(),
          .records = state_.history,
          .configuration = state_.options,
          .threads = options_.threads,
          .decode = decode_mode(options_.decode)};
}

bool OpenedRun::stopped_early() const {
  if (options_.early_stop == 0) return false;
  const auto best =
      std::max_element(state_.history.begin(), state_.history.end(),
                       [](const EpochRecord& a, const EpochRecord& b) { return a.val_accuracy < b.val_accuracy; });
  return std::distance(best, state_.history.end()) > options_.early_stop;
}

std::vector<double> OpenedRun::losses() const {
  std::vector<double> losses;
  losses.reserve(state_.history.size());
  for (const EpochRecord& record : state_.history)
    losses.push_back(has_validation() ? record.val_loss : record.train_loss);
  return losses;
}

void OpenedRun::print_data() const {
  const int64_t size = options_.image_size;
  fmt::print("data       {}, {} classes{} in {}\n",
             plural(static_cast<int64_t>(data_.train.samples.size()), "picture", "pictures"),
             data_.train.classes.size(), class_counts(data_.train), data_.train_root);
  if (has_validation())
    fmt::print("validation {} in {}\n", plural(static_cast<int64_t>(data_.val.samples.size()), "picture", "pictures"),
               data_.val_root);
  else
    fmt::print("validation none: best.resflow is the last model; --val DATA tells more\n");
  fmt::print("model      {}, {} parameters, {:.3f} G multiply-adds for a picture of {} x {}\n", options_.model,
             format_count(model_->parameter_count()),
             static_cast<double>(multiply_adds(model_->graph(), size, size)) / 1e9, size, size);
  for (const auto& [what, sentence] : initial_.facts) fmt::print("{:10} {}\n", what, with_option_names(sentence));
}

void OpenedRun::print_optimizer() const {
  const TrainOptions& o = options_;
  fmt::print("optimizer  {}, lr {}{}{}, weight decay {}{}{}\n", o.optimizer, o.lr,
             o.lr_backbone >= 0 ? fmt::format(" (backbone {})", o.lr_backbone) : "",
             o.momentum > 0 ? fmt::format(", {}momentum {}", o.nesterov ? "Nesterov " : "", o.momentum) : "",
             o.weight_decay, o.no_decay_norm_bias ? " (not of batch norms and biases)" : "",
             o.label_smoothing > 0 ? fmt::format(", label smoothing {}", o.label_smoothing) : "");
  if (o.schedule != "none" || o.warmup_epochs > 0)
    fmt::print("schedule   {}{}\n", o.schedule,
               o.warmup_epochs > 0 ? fmt::format(", warm-up of {}", plural(o.warmup_epochs, "epoch", "epochs")) : "");
}

void OpenedRun::print_epoch(const EpochRecord& record, bool is_best, int second_digits) const {
  std::string line =
      fmt::format("epoch {:>{}}/{}  train loss {:.4f} accuracy {:.4f}", record.epoch,
                  std::to_string(options_.epochs).size(), options_.epochs, record.train_loss, record.train_accuracy);
  if (has_validation())
    line += fmt::format("  validation loss {:.4f} accuracy {:.4f}{}", record.val_loss, record.val_accuracy,
                        is_best ? " (best)" : "");
  fmt::print("{}  {:.{}f} s\n", line, record.seconds, second_digits);
}

void OpenedRun::print_early_stop() const {
  fmt::print("stopped    after epoch {}: no better validation accuracy in {} (--early-stop)\n", state_.epoch,
             plural(options_.early_stop, "epoch", "epochs"));
}

void OpenedRun::note_broken(const Dataset& dataset, std::span<const BrokenPicture> broken) {
  for (const auto& b : broken) broken_.emplace(dataset.samples[static_cast<size_t>(b.sample)].path, b.reason);
}

void OpenedRun::print_broken() const {
  if (broken_.empty()) return;
  fmt::print("skipped    {} that could not be read:\n",
             plural(static_cast<int64_t>(broken_.size()), "picture", "pictures"));
  for (const auto& [path, reason] : broken_) fmt::print("  {}: {}\n", path, reason);
}

void OpenedRun::stop_diverged(const std::string& what) const {
  throw usage_error("{}: training has diverged; try a lower --lr (it is {}); {} holds the run as it was saved before",
                    what, options_.lr, folder_->last());
}

}  // namespace resflow
