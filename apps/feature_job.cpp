#include "apps/feature_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/console.h"
#include "apps/run_parts.h"
#include "apps/versions.h"
#include "graph/graph.h"
#include "io/error.h"

namespace resflow {

void gather(const FeatureRows& from, int64_t first, int64_t rows, std::vector<float>& to) {
  const auto columns = static_cast<size_t>(from.columns);
  to.resize(static_cast<size_t>(rows) * columns);
  for (int64_t i = 0; i < rows; ++i)
    std::copy_n(from.rows[static_cast<size_t>(first + i)], columns, to.data() + static_cast<size_t>(i) * columns);
}

FeatureJob::FeatureJob(TrainOptions options, TrainingData data) : options_(std::move(options)), data_(std::move(data)) {
  if (options_.resume && options_.overwrite) throw usage_error("--resume and --overwrite: one or the other");
  const auto how = options_.resume      ? RunFolder::Open::kResume
                   : options_.overwrite ? RunFolder::Open::kOverwrite
                                        : RunFolder::Open::kNew;
  if (!options_.resume) resolve(options_);
  if (!options_.resume) read_weights_option();
  folder_ = std::make_unique<RunFolder>(options_.out, how);
  open_model();
}

FeatureJob::~FeatureJob() = default;

TrainingOutcome FeatureJob::outcome(bool finished) const {
  return {.finished = finished,
          .last = folder_->last(),
          .best = folder_->best(),
          .history = folder_->history(),
          .records = state_.history,
          .configuration = state_.options,
          .threads = options_.threads};
}

void FeatureJob::read_weights_option() {
  initial_ = load_initial_weights({.weights = options_.weights,
                                   .skip = options_.weights_skip,
                                   .architecture = options_.given.contains("--model") ? options_.model : "",
                                   .classes = data_.train.classes,
                                   .image_size = options_.image_size,
                                   .seed = options_.seed});
  options_.model = initial_.description.architecture;
}

void FeatureJob::open_model() {
  Checkpoint saved;
  if (options_.resume) {
    saved = load_checkpoint(folder_->last());
    adopt_saved(options_, saved.training.options);
    resolve(options_);
    check_same_data(saved.training.options, data_);
  }
  if (options_.early_stop > 0 && !has_validation())
    throw usage_error("--early-stop goes by the validation's accuracy: give --val, or a folder val/ beside train/");

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
    preprocessing_ = saved.preprocessing;
    provenance_ = saved.provenance;
    state_ = std::move(saved.training);
    optimizer_ = std::move(saved.optimizer);
    const std::string fingerprint = run_fingerprint(options_.threads);
    if (state_.fingerprint != fingerprint)
      warn("this run began on {}; on {} it goes on as well, but not to the same bits", state_.fingerprint, fingerprint);
  } else {
    model_->load(initial_.values);
    initial_.values = {};
    preprocessing_ = initial_.preprocessing;
    provenance_ = initial_.provenance;
    provenance_.emplace_back("made by", "resflow " + resflow_version());
    state_.seed = options_.seed;
  }
  state_.fingerprint = run_fingerprint(options_.threads);
  state_.options = saved_options(options_, data_);
}

void FeatureJob::print_setup() const {
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
  for (const auto& [what, sentence] : initial_.facts) fmt::print("{:10} {}\n", what, sentence);
  const auto copies = static_cast<double>(options_.augment_copies + 1);
  const double rows =
      copies * static_cast<double>(data_.train.samples.size()) + static_cast<double>(data_.val.samples.size());
  fmt::print("frozen     all but the head: {} features a picture, {}{} in memory and on the disk\n",
             model_->feature_count(), format_bytes(rows * static_cast<double>(model_->feature_count()) * sizeof(float)),
             options_.augment_copies > 0
                 ? fmt::format(" with {}", plural(options_.augment_copies, "augmented copy", "augmented copies"))
                 : "");
}

bool FeatureJob::extract() {
  const FeatureFolder where = {.path = options_.feature_cache.empty() ? folder_->path() : options_.feature_cache,
                               .shared = !options_.feature_cache.empty()};
  FeatureExtractor extractor(*model_, where, options_.threads,
                             options_.on_error == "stop" ? OnError::kStop : OnError::kSkip);
  const Recipe eval = Recipe::eval(preprocessing_),
               augmented = train_recipe(options_.image_size, preprocessing_, options_.augment);
  FeatureSource source = {.name = "train", .dataset = &data_.train, .root = data_.train_root, .recipe = eval};
  if (!extract(extractor, source, data_.train, train_)) return false;
  train_.originals = static_cast<int64_t>(train_.rows.size());
  source.recipe = augmented;
  source.seed = options_.seed;
  for (int64_t copy = 0; copy < options_.augment_copies; ++copy) {
    source.name = fmt::format("train-copy-{}", copy + 1);
    source.epoch = static_cast<uint64_t>(copy);
    if (!extract(extractor, source, data_.train, train_)) return false;
  }
  if (!has_validation()) return true;
  source = {.name = "val", .dataset = &data_.val, .root = data_.val_root, .recipe = eval};
  if (!extract(extractor, source, data_.val, val_)) return false;
  val_.originals = static_cast<int64_t>(val_.rows.size());
  return true;
}

bool FeatureJob::extract(FeatureExtractor& extractor, const FeatureSource& source, const Dataset& dataset,
                         FeatureRows& to) {
  if (!extractor.extract(source)) return false;
  to.columns = model_->feature_count();
  to.values.push_back(extractor.take_values());
  const float* row = to.values.back().values<float>().data();
  size_t next_broken = 0;
  const std::vector<BrokenRow>& broken = extractor.broken();
  for (size_t i = 0; i < dataset.samples.size(); ++i, row += to.columns) {
    const Sample& sample = dataset.samples[i];
    if (next_broken < broken.size() && broken[next_broken].row == static_cast<int64_t>(i)) {
      broken_.emplace(sample.path, broken[next_broken++].reason);
      continue;
    }
    to.rows.push_back(row);
    to.labels.push_back(sample.label);
    to.pictures.push_back(static_cast<int64_t>(i));
  }
  if (to.rows.empty()) {
    report_broken();
    throw data_error("{}: not one of its {} could be read; first reason: {}", source.root,
                     plural(static_cast<int64_t>(dataset.samples.size()), "picture", "pictures"),
                     broken.front().reason);
  }
  return true;
}

Checkpoint FeatureJob::checkpoint() const {
  Checkpoint c;
  c.model = model_->description();
  c.classes = data_.train.classes;
  c.preprocessing = preprocessing_;
  c.parameters = model_->state();
  c.training = state_;
  c.provenance = provenance_;
  return c;
}

void FeatureJob::report_broken() const {
  if (broken_.empty()) return;
  fmt::print("skipped    {} that could not be read:\n",
             plural(static_cast<int64_t>(broken_.size()), "picture", "pictures"));
  for (const auto& [path, reason] : broken_) fmt::print("  {}: {}\n", path, reason);
}

}  // namespace resflow
