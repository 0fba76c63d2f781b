#include "apps/train/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <optional>

#include "apps/data/normalization.h"
#include "apps/machine/same_machine.h"
#include "apps/machine/versions.h"
#include "apps/model/initial_weights.h"
#include "apps/train/saved_options.h"
#include "graph/model/model_zoo.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/images/decode.h"

namespace resflow {
namespace {

// So many pictures that could not be read are named in a checkpoint, which has to stay small.
constexpr size_t kMostNamedBroken = 1000;

// A network takes whole batches of the loader's; for features the size of a batch is a bound alone.
void check_batch(const TrainOptions& options, const TrainingData& data) {
  const auto pictures = static_cast<int64_t>(data.train.samples.size());
  if (options.mode != "features" && options.mode != "svm" && options.batch > pictures)
    throw usage_error("{} {} is more than the {} of {}: give {} {} or less", setting("batch"), options.batch,
                      plural(pictures, "picture", "pictures"), data.train_root, setting("batch"), pictures);
}

// 0: that of the weights.
int evaluation_size(const TrainOptions& o) { return o.val_size != 0 ? o.val_size : o.image_size; }

// Sizes that nobody gave are those that the weights were meant for.
void adopt_sizes(const InitialWeights& weights, TrainOptions& o) {
  const int evaluated_at = weights.preprocessing.crop;
  // Features of training pictures are computed as those of validation.
  const bool is_one = o.mode == "features" || o.mode == "svm";
  if (o.image_size == 0) o.image_size = is_one ? evaluated_at : weights.image_size;
  if (o.image_size != evaluated_at) o.val_size = evaluated_at;
}

std::vector<float> as_floats(const std::vector<double>& values) { return {values.begin(), values.end()}; }

// What the options say of how pictures are prepared goes before what the weights say. `measured` is of the data.
Preprocessing prepared(Preprocessing p, const TrainOptions& o, const std::optional<Normalization>& measured) {
  if (!o.interpolation.empty()) p.interpolation = o.interpolation;
  if (o.normalize == "imagenet") {
    p.mean = Preprocessing().mean;
    p.std = Preprocessing().std;
  }
  if (measured) {
    p.mean = as_floats({measured->mean.begin(), measured->mean.end()});
    p.std = as_floats({measured->std.begin(), measured->std.end()});
  }
  if (!o.mean.empty()) {
    p.mean = as_floats(o.mean);
    p.std = as_floats(o.std);
  }
  p.exif = o.exif;
  p.take_truncated = o.truncated == "take";
  p.scale_grey16 = o.grey16 == "scale";
  check_preprocessing(p);
  return p;
}

// What a run tells of it, where it is not as usual.
void tell_preparation(Run& run, const std::optional<Normalization>& measured) {
  const TrainOptions& o = run.options;
  const Preprocessing& p = run.preprocessing;
  if (o.weights.empty() && (o.val_size != 0 || o.crop_pct != 0))
    run.weights_facts.emplace_back("evaluation",
                                   fmt::format("short side to {}, centre {} x {}", p.resize, p.crop, p.crop));
  if (p.interpolation != Preprocessing().interpolation)
    run.weights_facts.emplace_back("resized", fmt::format("{}, as Pillow does it", p.interpolation));
  if (measured || !o.mean.empty() || !o.normalize.empty())
    run.weights_facts.emplace_back(
        "normalize",
        fmt::format(
            "mean {:.6f}, deviation {:.6f}{}", fmt::join(p.mean, " "), fmt::join(p.std, " "),
            measured ? fmt::format(", over all pixels of {}", plural(measured->pictures, "picture", "pictures")) : ""));
}

// Where the options ask for it.
std::optional<Normalization> measured_data(const TrainOptions& o, const TrainingData& data, Listener& listener) {
  if (o.normalize != "data") return std::nullopt;
  const LoaderOptions reading = {.threads = o.threads,
                                 .on_error = o.on_error == "stop" ? OnError::kStop : OnError::kSkip,
                                 .exif = o.exif,
                                 .decode = decode_mode(o.decode),
                                 .accept = acceptance(o.max_pixels, o.truncated, o.grey16),
                                 .reading = {.outage = o.outage, .stop = [&] { return listener.stop(); }}};
  std::optional<Normalization> measured = measure_normalization(data.train, data.train_root, reading, listener);
  if (!measured) throw StoppedBeforeTraining();
  return measured;
}

InitialWeights read_weights(const TrainOptions& options, const TrainingData& data, Listener& listener) {
  if (options.weights.empty()) return {};
  return load_initial_weights({.weights = options.weights,
                               .key = options.weights_key,
                               .prefix = options.weights_prefix,
                               .skip = options.weights_skip,
                               .architecture = options.given.contains("model") ? options.model : "",
                               .structure = options.structure,
                               .classes = data.train.classes,
                               .image_size = evaluation_size(options),
                               .crop_pct = options.crop_pct,
                               .seed = options.seed},
                              listener);
}

void make_model(Run& run) {
  run.compute = std::make_unique<Compute>(run.options.threads);
  run.model = std::make_unique<Model>(
      description_of(run.options.model, run.options.structure, static_cast<int64_t>(run.data->train.classes.size())),
      *run.compute);
}

// Of last.resflow, or, where that is damaged or gone, of the newest generation before it that is whole.
Checkpoint load_newest(const Run& run) {
  std::string why = fmt::format("{}: is not there", run.folder.last());
  std::exception_ptr first;
  for (const std::string& file : saved_states(run.folder.path())) {
    try {
      Checkpoint saved = load_checkpoint(file);
      if (file == run.folder.last()) return saved;
      run.folder.set_damaged_aside();
      run.listener->warn(fmt::format("{}; the run goes on from {}, which was saved before it", why, file));
      return saved;
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kData) throw;
      if (!first) why = e.marked();
      if (!first) first = std::current_exception();
    }
  }
  std::rethrow_exception(first);
}

void resume(Run& run) {
  const std::string file = run.folder.last();
  Checkpoint saved = load_newest(run);
  if (saved.optimizer_name.empty())
    throw usage_error("{}: {} holds a model without its optimizer, so no run can go on from it", setting("resume"),
                      file);
  check_same_data(saved.training.options, *run.data);
  check_batch(run.options, *run.data);
  make_model(run);
  const ModelDescription& description = run.model->description();
  if (!(saved.model == description) || saved.classes != run.data->train.classes)
    throw data_error("{}: is a {} of {} classes, the run wants a {} of {}: was the file replaced?", file,
                     to_text(saved.model), saved.model.num_classes, to_text(description), description.num_classes);
  run.model->load(saved.parameters);
  run.preprocessing = saved.preprocessing;
  run.provenance = std::move(saved.provenance);
  run.state = std::move(saved.training);
  run.optimizer = std::move(saved.optimizer);
  const bool strict = run.options.strict;
  check_same_machine(run.state.fingerprint, run_fingerprint(run.options.threads), strict, *run.listener);
  if (!run.state.files.empty() && run.state.files != files_state(*run.data))
    say_changed_pictures(fmt::format("pictures of {}", run.data->train_root), strict, *run.listener);
  run.broken.insert(run.state.broken.begin(), run.state.broken.end());
}

void start(Run& run, InitialWeights weights, const std::optional<Normalization>& measured) {
  make_model(run);
  if (run.options.weights.empty()) {
    const TrainOptions& o = run.options;
    run.model->initialise(o.seed);
    run.preprocessing = usual_preprocessing(run.model->description(), o.val_size != 0 ? o.val_size : o.image_size);
    if (o.crop_pct != 0) run.preprocessing.resize = resize_of_part(run.preprocessing.crop, o.crop_pct);
  } else {
    run.model->load(weights.values);
    run.preprocessing = weights.preprocessing;
    run.provenance = std::move(weights.provenance);
    run.weights_facts = std::move(weights.facts);
  }
  run.preprocessing = prepared(run.preprocessing, run.options, measured);
  tell_preparation(run, measured);
  run.provenance.emplace_back("made by", "resflow " + resflow_version());
  run.state.seed = run.options.seed;
}

RunFolder open_folder(const TrainOptions& options) {
  using Open = RunFolder::Open;
  return {options.out, options.resume ? Open::kResume : options.overwrite ? Open::kOverwrite : Open::kNew};
}

bool all_finite(std::span<const NamedArray> arrays) {
  return std::all_of(arrays.begin(), arrays.end(), [](const NamedArray& named) {
    if (named.array.dtype() != DType::kF32) return true;
    const auto values = named.array.values<float>();
    return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  });
}

}  // namespace

Run open_run(const TrainOptions& given, std::shared_ptr<const TrainingData> data, Listener& listener) {
  TrainOptions options = given;
  InitialWeights weights;
  std::optional<Normalization> measured;
  if (!options.resume) {  // what cannot be is said before a folder is made
    check_batch(options, *data);
    weights = read_weights(options, *data, listener);
    if (!options.weights.empty()) {
      options.model = weights.description.architecture;
      options.structure = structure_of(weights.description);
      adopt_sizes(weights, options);
    }
    measured = measured_data(options, *data, listener);
  }
  Run run = {.options = options, .data = std::move(data), .listener = &listener, .folder = open_folder(options)};
  if (!run.folder.lock()->is_real())
    listener.note(
        fmt::format("{}: its file system has no locks: resflow.lock in it keeps other runs away, and stays "
                    "where this one is killed",
                    run.folder.path()));
  if (options.resume)
    resume(run);
  else
    start(run, std::move(weights), measured);
  if (options.early_stop > 0 && !has_validation(run))
    throw usage_error("{} goes by the validation's accuracy: give {}, or a folder val/ beside train/",
                      setting("early_stop"), setting("val"));
  run.state.fingerprint = run_fingerprint(options.threads);
  run.state.files = files_state(*run.data);
  run.state.options = saved_options(options, *run.data);
  return run;
}

bool has_validation(const Run& run) { return !run.data->val.samples.empty(); }

OnError on_error(const Run& run) { return run.options.on_error == "stop" ? OnError::kStop : OnError::kSkip; }

std::vector<double> losses(const Run& run) {
  std::vector<double> all;
  all.reserve(run.state.history.size());
  for (const EpochRecord& record : run.state.history)
    all.push_back(has_validation(run) ? record.val_loss : record.train_loss);
  return all;
}

int64_t broken_count(const Run& run) {
  return std::max(run.state.broken_count, static_cast<int64_t>(run.broken.size()));
}

Checkpoint checkpoint(const Run& run) {
  Checkpoint c;
  c.model = run.model->description();
  c.classes = run.data->train.classes;
  c.preprocessing = run.preprocessing;
  c.parameters = run.model->state();
  c.training = run.state;
  c.training.broken_count = broken_count(run);
  c.training.broken.clear();
  for (const auto& [path, reason] : run.broken) {
    if (c.training.broken.size() == kMostNamedBroken) break;
    c.training.broken.emplace_back(path, reason);
  }
  c.provenance = run.provenance;
  return c;
}

Checkpoint finite_checkpoint(const Run& run, const std::string& when) {
  Checkpoint c = checkpoint(run);
  if (!all_finite(c.parameters)) stop_diverged(run, fmt::format("{} the model holds values that are no numbers", when));
  return c;
}

bool try_auxiliary(Run& run, const std::string& what, const std::function<void()>& act) {
  try {
    act();
    return true;
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kInternal) throw;
    if (run.gone_without.insert(what).second)
      run.listener->warn(fmt::format("{}: {}; the run goes on without it", what, e.marked()));
    return false;
  }
}

void log_to_board(Run& run, const std::function<void(TensorBoardLog&)>& log) {
  if (!run.board) return;
  if (!try_auxiliary(run, "TensorBoard", [&] { log(*run.board); })) run.board = nullptr;
}

void stop_diverged(const Run& run, const std::string& what) {
  throw usage_error("{}: training has diverged; try a lower {} (it is {}); {} holds the run as it was saved before",
                    what, setting("lr"), run.options.lr, run.folder.last());
}

void note_broken(Run& run, const Dataset& dataset, std::span<const BrokenPicture> broken, LeftOut& count) {
  constexpr size_t kNamed = 3;
  for (const BrokenPicture& b : broken) {
    ++(b.unread ? count.unreadable : count.broken);
    const std::string& path = dataset.samples[static_cast<size_t>(b.sample)].path;
    if (!run.broken.emplace(path, b.reason).second || run.broken.size() > kNamed) continue;
    run.listener->warn(
        fmt::format("{}: {}: left out{}", path, b.reason,
                    run.broken.size() == kNamed ? "; others that are will be counted, and named at the end" : ""));
  }
}

ReadingOptions reading_options(const Run& run) {
  return {.outage = run.options.outage, .stop = [listener = run.listener] { return listener->stop(); }};
}

TrainingOutcome outcome_of(const Run& run, bool finished) {
  return {.finished = finished,
          .last = run.folder.last(),
          .best = run.folder.best(),
          .history = run.folder.history(),
          .records = run.state.history,
          .configuration = run.state.options,
          .times = run.times,
          .threads = run.options.threads,
          .decode = decode_mode(run.options.decode),
          .lock = run.folder.lock()};
}

}  // namespace resflow
