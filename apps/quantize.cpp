// resflow quantize: what scoring in 8 bits needs to know beside the weights, learnt from photographs.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/commands.h"
#include "apps/data/damaged_packs.h"
#include "apps/data/listing_remarks.h"
#include "apps/data/training_data.h"
#include "apps/data/unread_folders.h"
#include "apps/evaluate/evaluation.h"
#include "apps/host/console.h"
#include "apps/host/signals.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/machine/process_report.h"
#include "apps/machine/versions.h"
#include "apps/model/model_file.h"
#include "apps/options/common.h"
#include "apps/options/model_file_options.h"
#include "apps/options/selection_options.h"
#include "graph/model/trained_model.h"
#include "graph/plan/calibration.h"
#include "io/core/check_range.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/outputs.h"
#include "io/pictures/data_folders.h"
#include "pipeline/loader.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

struct QuantizeOptions {
  std::string model, data, out, json;
  ModelFileOptions file;
  int samples = 256, batch = 32, threads = 0;
  int64_t outage = kOutage;
  std::optional<double> max_drop;  // percentage points
  bool exif = false;
  AcceptanceOptions accept;
  Selection selection;
};

constexpr double kMaxDrop = 1;  // of accuracy, where the option is not given

void check(const QuantizeOptions& o) {
  check_range("--batch", o.batch, 1, 65536);
  check_range("--samples", o.samples, 1, 1e6);
  if (o.max_drop) check_range("--max-drop", *o.max_drop, 0, 100);
  std::error_code ignored;
  if (o.model == o.out || fs::equivalent(o.model, o.out, ignored))
    throw usage_error("{}: is the model to quantize; give the new file another name", o.out);
  check_outputs({{"--out", o.out}, {"--json", o.json}}, {o.model, o.data});
  o.accept.accept();
  check(o.selection);
}

// `count` of the samples, spread evenly over the list, so that each class folder has its share.
std::vector<Sample> spread(const std::vector<Sample>& all, size_t count) {
  if (all.size() <= count) return all;
  std::vector<Sample> some;
  some.reserve(count);
  for (size_t i = 0; i < count; ++i) some.push_back(all[i * all.size() / count]);
  return some;
}

struct Calibrated {
  Quantization quantization;
  std::string root;
  int64_t broken = 0, truncated = 0;
  bool stopped = false;
};

// As it will score: with truncated pictures where the model was trained with them.
Acceptance accept(const QuantizeOptions& o, const TrainedModel& trained) {
  Acceptance accept = o.accept.accept();
  accept.truncated = accept.truncated || trained.preprocessing.take_truncated;
  accept.scale_grey16 = accept.scale_grey16 || trained.preprocessing.scale_grey16;
  return accept;
}

Calibrated calibrate(const QuantizeOptions& o, const TrainedModel& trained, int threads, Listener& listener) {
  Calibrated calibrated{.quantization = {}, .root = data_parts(o.data).front().root};
  const Dataset sample = {
      .classes = trained.classes,
      .samples = spread(list_pictures(calibrated.root, o.selection), static_cast<size_t>(o.samples))};
  const auto total = static_cast<int64_t>(sample.samples.size());
  const int batch = static_cast<int>(std::min<int64_t>(o.batch, total));
  const int side = trained.preprocessing.crop;
  Calibrator calibrator(*trained.model, batch, side, side);
  Loader loader(sample, Recipe::eval(trained.preprocessing),
                {.batch = batch,
                 .threads = threads,
                 .shuffle = false,
                 .on_error = OnError::kSkip,
                 .exif = o.exif,
                 .accept = accept(o, trained),
                 .reading = {.outage = o.outage, .stop = [&listener] { return listener.stop(); }}});
  Progress progress(listener, {.label = "calibrating", .total = total});
  int64_t done = 0;
  const EpochReport report = loader.run(0, 0, [&](const Batch& pictures) {
    if (pictures.size > 0) calibrator.observe(pictures.pixels, pictures.size);
    done += pictures.size + static_cast<int64_t>(pictures.broken.size());
    progress.update(done);
    return !listener.stop();
  });
  calibrated.stopped = report.stopped && done < total;
  calibrated.broken = static_cast<int64_t>(report.broken.size());
  calibrated.truncated = report.truncated;
  if (report.images == 0 && !calibrated.stopped)
    throw data_error("{}: not one of {} could be read; first reason: {}", calibrated.root,
                     plural(total, "picture", "pictures"), report.broken.front().reason);
  if (!calibrated.stopped) calibrated.quantization = calibrator.result();
  return calibrated;
}

// The pictures with which f32 and int8 are compared: those of DATA/val or DATA. They have labels if there are folders
// of the model's classes, or a pack that has some of its classes.
struct ComparisonData {
  std::string root;
  std::vector<Sample> samples;
  bool labelled = false;
};

ComparisonData comparison_data(const QuantizeOptions& o, const std::vector<std::string>& classes, Listener& listener) {
  ComparisonData data{.root = evaluation_root(o.data, classes), .samples = {}};
  data.labelled = has_class_of(data.root, classes);
  if (data.labelled) {
    Dataset dataset = list_image_folder(data.root, o.selection);
    remark_on_listing(dataset, data.root, listener);
    note_idle_patterns(o.selection, dataset.left_out.patterns, listener);
    warn_of_unread_folders(dataset, listener);
    match_classes(dataset, classes, data.root, o.model, listener, {.owner = "the model", .purpose = "compare"});
    data.samples = std::move(dataset.samples);
  } else {
    PassedOver left_out;
    data.samples = list_pictures(data.root, o.selection, &left_out);
    say_passed_over(left_out, listener);
    note_idle_patterns(o.selection, left_out.patterns, listener);
  }
  warn_of_damaged_packs(data.samples, listener);
  return data;
}

struct Answers {
  std::vector<int> classes;  // one a sample; -1 where there is none
  bool stopped = false;
};

Answers answers(const QuantizeOptions& o, const TrainedModel& trained, const ComparisonData& data, Precision precision,
                int threads, Listener& listener) {
  Answers answers;
  Progress progress(listener, {.label = "scoring in " + precision_name(precision),
                               .total = static_cast<int64_t>(data.samples.size())});
  const PredictSummary summary = predict_samples(
      trained, data.samples,
      {.batch = o.batch,
       .threads = threads,
       .precision = precision,
       .exif = o.exif,
       .accept = o.accept.accept(),
       .reading = {.outage = o.outage}},
      listener, [&](const ScoredPicture& p) {
        const auto best = std::max_element(p.probabilities.begin(), p.probabilities.end());
        answers.classes.push_back(p.probabilities.empty() ? -1 : static_cast<int>(best - p.probabilities.begin()));
        progress.update(static_cast<int64_t>(answers.classes.size()));
      });
  answers.stopped = summary.stopped;
  return answers;
}

struct Comparison {
  int64_t pictures = 0, broken = 0;
  int64_t right_f32 = 0, right_int8 = 0, same = 0;

  double percent(int64_t count) const { return 100 * static_cast<double>(count) / static_cast<double>(pictures); }
  double drop() const { return percent(right_f32) - percent(right_int8); }
};

Comparison compare(const ComparisonData& data, const Answers& f32, const Answers& int8) {
  Comparison c;
  for (size_t i = 0; i < data.samples.size(); ++i) {
    if (f32.classes[i] < 0 || int8.classes[i] < 0) {
      ++c.broken;
      continue;
    }
    ++c.pictures;
    c.same += f32.classes[i] == int8.classes[i] ? 1 : 0;
    c.right_f32 += f32.classes[i] == data.samples[i].label ? 1 : 0;
    c.right_int8 += int8.classes[i] == data.samples[i].label ? 1 : 0;
  }
  if (c.pictures == 0) throw data_error("{}: not one of its pictures could be read", data.root);
  return c;
}

void print(const QuantizeOptions& o, const Calibrated& calibrated, const ComparisonData& data, const Comparison& c) {
  print_out("calibrated on {} of {}\n", plural(calibrated.quantization.pictures, "picture", "pictures"),
            calibrated.root);
  if (data.labelled) {
    print_out("f32        {:.2f} % of {} in {} right\n", c.percent(c.right_f32),
              plural(c.pictures, "picture", "pictures"), data.root);
    print_out("int8       {:.2f} % right, {:+.2f} points; the class of f32 for {:.2f} %\n", c.percent(c.right_int8),
              0.0 - c.drop(), c.percent(c.same));
  } else {
    print_out("int8       the class of f32 for {:.2f} % of {} in {}\n", c.percent(c.same),
              plural(c.pictures, "picture", "pictures"), data.root);
    if (!o.max_drop)
      print_out("           {} has no folders of the model's classes, so accuracy is not known\n", data.root);
  }
  if (calibrated.truncated > 0)
    print_out("truncated  {} of those that calibrate, taken as far as there are pixels\n",
              plural(calibrated.truncated, "picture", "pictures"));
  if (c.broken + calibrated.broken > 0)
    print_out("left out   {} that could not be read\n",
              plural(std::max(c.broken, calibrated.broken), "picture", "pictures"));
}

// Throws Error{kData} where int8 costs too much accuracy. Without labels accuracy may fall by as much as answers
// differ, which is compared with the limit only if one was asked for.
void require_accuracy(const QuantizeOptions& o, const ComparisonData& data, const Comparison& c) {
  const double limit = o.max_drop.value_or(kMaxDrop);
  if (data.labelled && c.drop() > limit)
    throw data_error(
        "{}: not written: in int8 {} is right for {:.2f} points less of {} than in f32, --max-drop is {}; more "
        "--samples may help",
        o.out, o.model, c.drop(), plural(c.pictures, "picture", "pictures"), limit);
  if (!data.labelled && o.max_drop && 100 - c.percent(c.same) > limit)
    throw data_error(
        "{}: not written: without labels accuracy may fall by the {:.2f} % of {} whose class int8 changes, --max-drop "
        "is {}",
        o.out, 100 - c.percent(c.same), plural(c.pictures, "picture", "pictures"), limit);
}

nlohmann::ordered_json report(const Calibrated& calibrated, const ComparisonData& data, const Comparison& c) {
  nlohmann::ordered_json json = {{"precision", "int8"},
                                 {"calibration",
                                  {{"data", calibrated.root},
                                   {"pictures", calibrated.quantization.pictures},
                                   {"activations", calibrated.quantization.activations.size()}}},
                                 {"data", data.root},
                                 {"pictures", c.pictures},
                                 {"failed", c.broken},
                                 {"agreement", c.percent(c.same) / 100},
                                 {"accuracy_f32", nullptr},
                                 {"accuracy_int8", nullptr}};
  if (data.labelled) {
    json["accuracy_f32"] = c.percent(c.right_f32) / 100;
    json["accuracy_int8"] = c.percent(c.right_int8) / 100;
  }
  return json;
}

int stopped() { return say_stopped("; nothing is written"); }

int quantize(const QuantizeOptions& o, int threads) {
  obey_stop_signals();
  check(o);
  const ThreadLimit limit(threads);
  const Compute compute(threads);
  TerminalListener listener;
  ModelFile file = load_model_file(o.model, o.file, listener);
  say_notes(file.notes, listener);
  Checkpoint written = file.checkpoint;
  const TrainedModel trained = make_trained_model(std::move(file.checkpoint), file.facts.path, compute);
  const ComparisonData data = comparison_data(o, trained.classes, listener);

  const Calibrated calibrated = calibrate(o, trained, threads, listener);
  if (calibrated.stopped) return stopped();
  if (const std::string obstacle = precision_obstacle(Precision::kInt8); !obstacle.empty())
    listener.warn(obstacle + ", so int8 is no faster here than f32, or slower");
  trained.model->set_quantization(calibrated.quantization);
  const Answers f32 = answers(o, trained, data, Precision::kF32, threads, listener);
  if (f32.stopped) return stopped();
  const Answers int8 = answers(o, trained, data, Precision::kInt8, threads, listener);
  if (int8.stopped) return stopped();

  const Comparison comparison = compare(data, f32, int8);
  print(o, calibrated, data, comparison);
  require_accuracy(o, data, comparison);
  written.quantization = calibrated.quantization;
  written.provenance.emplace_back(
      "quantized",
      fmt::format("int8, {} of {}; resflow {}", plural(calibrated.quantization.pictures, "picture", "pictures"),
                  fs::path(calibrated.root).lexically_normal().string(), resflow_version()));
  write_each({[&] { save_checkpoint(written, o.out); },
              [&] {
                if (o.json.empty()) return;
                nlohmann::ordered_json json = report(calibrated, data, comparison);
                json.update(process_report());
                write_json(o.json, json);
              }});
  print_out("wrote      {}\n", o.out);
  return 0;
}

}  // namespace

Action add_quantize(CLI::App& command) {
  auto options = std::make_shared<QuantizeOptions>();
  add_model_file_argument(command, options->model);
  command
      .add_option("DATA", options->data,
                  "folder of photographs like those to score, or a pack; a folder may hold train/ and val/")
      ->required();
  command.add_option("--out", options->out, "the checkpoint to write: MODEL with the ranges of its activations")
      ->required();
  command
      .add_option("--samples", options->samples,
                  "photographs to learn the ranges from, spread evenly over DATA, or over its train/")
      ->capture_default_str();
  command.add_option("--max-drop", options->max_drop,
                     "percentage points that accuracy may fall; beyond it nothing is written [1]");
  add_json_option(command, options->json, "the figures");
  command.add_option("--batch", options->batch, "pictures computed at once")->capture_default_str();
  add_outage_option(command, options->outage);
  add_exif_option(command, options->exif);
  add_acceptance_options(command, options->accept);
  add_selection_options(command, options->selection);
  add_model_file_options(command, options->file);
  add_preprocessing_options(command, options->file);
  add_threads_option(command, options->threads);
  command.footer(
      "Compares f32 and int8 on all of DATA, or of its val/. If that has folders of the model's classes, accuracies "
      "are\n"
      "compared; else it counts how often both say the same class, and if --max-drop is given, it limits how often\n"
      "they do not.\n"
      "The file keeps its weights in f32: it trains, converts and scores as before, and in 8 bits with --precision "
      "int8.\n\n"
      "Example:\n"
      "  resflow quantize run/best.resflow photos --out run/best-int8.resflow\n"
      "  resflow score run/best-int8.resflow holiday-photos --precision int8");
  return [options, &command] { return quantize(*options, resolve_threads(command, options->threads)); };
}

}  // namespace resflow
