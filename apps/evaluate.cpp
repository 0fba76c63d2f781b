// resflow evaluate: how good a model is on labelled photographs, and where it is wrong.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/data/damaged_packs.h"
#include "apps/data/listing_remarks.h"
#include "apps/data/training_data.h"
#include "apps/data/unread_folders.h"
#include "apps/evaluate/evaluation.h"
#include "apps/evaluate/metrics_json.h"
#include "apps/evaluate/metrics_report.h"
#include "apps/host/console.h"
#include "apps/host/pinning.h"
#include "apps/host/signals.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/machine/memory.h"
#include "apps/machine/process_report.h"
#include "apps/machine/versions.h"
#include "apps/model/class_names.h"
#include "apps/model/model_file.h"
#include "apps/model/precision.h"
#include "apps/options/common.h"
#include "apps/options/model_file_options.h"
#include "apps/options/precision_options.h"
#include "apps/options/selection_options.h"
#include "apps/report/page.h"
#include "apps/report/run_report.h"
#include "io/core/check_range.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/file.h"
#include "io/files/outputs.h"
#include "io/images/decode.h"
#include "io/pictures/data_folders.h"

namespace resflow {
namespace {

struct EvaluateOptions {
  std::string model, data;
  ModelFileOptions file;
  std::string tta;  // empty, "flip", "ten-crop"
  std::string out, csv, json;
  int batch = 32, threads = 0;
  int64_t outage = kOutage;
  bool exif = false, pin = false;
  PrecisionOptions precision;
  std::string decode = "exact";
  AcceptanceOptions accept;
  Selection selection;

  Views views() const { return tta.empty() ? Views::kOne : tta == "flip" ? Views::kFlip : Views::kTenCrop; }
};

struct LabelledData {
  std::string root;
  Dataset dataset;  // with the model's classes
};

LabelledData load_labelled(const EvaluateOptions& o, const std::vector<std::string>& classes, Listener& listener) {
  LabelledData data{.root = evaluation_root(o.data, classes), .dataset = {}};
  const bool names_parts = has_class_of(data.root, classes);
  if (!names_parts)
    refuse_mistaken_parts(data.root, {.command = fmt::format("resflow evaluate {}", o.model), .measures = true});
  data.dataset = list_image_folder(data.root, o.selection);
  remark_on_listing(data.dataset, data.root, listener);
  note_idle_patterns(o.selection, data.dataset.left_out.patterns, listener);
  warn_of_damaged_packs(data.dataset.samples, listener);
  warn_of_unread_folders(data.dataset, listener);
  if (!data.dataset.empty_classes.empty())
    warn("{}: no picture in {}", data.root, fmt::join(data.dataset.empty_classes, ", "));
  match_classes(data.dataset, classes, data.root, o.model, listener,
                {.owner = "the model", .purpose = "evaluate", .other_names = other_class_names(classes)});
  return data;
}

// What the report says of the model and of how it was evaluated.
NameValues configuration(const EvaluateOptions& o, const Checkpoint& c, const std::string& root, int threads) {
  NameValues all = {{"model file", o.model},
                    {"model", c.model.architecture},
                    {"classes", std::to_string(c.classes.size())},
                    {"data", root},
                    {"resize, crop", fmt::format("short side to {}, centre {} x {}", c.preprocessing.resize,
                                                 c.preprocessing.crop, c.preprocessing.crop)},
                    {"--tta", o.tta.empty() ? "none" : o.tta},
                    {"--precision", o.precision.name},
                    {"--decode", o.decode},
                    {"--batch", std::to_string(o.batch)},
                    {"--threads", std::to_string(threads)}};
  all.insert(all.end(), c.provenance.begin(), c.provenance.end());
  for (const auto& [name, value] : c.training.options) all.emplace_back("training: " + name, value);
  return all;
}

void write_files(const EvaluateOptions& o, const Evaluation& evaluation, const Metrics& metrics, HtmlReport report,
                 const std::string& root) {
  std::vector<std::function<void()>> writes;
  if (!o.csv.empty()) writes.emplace_back([&] { write_predictions_csv(evaluation, o.csv); });
  const auto write_figures = [&] {
    nlohmann::ordered_json json = metrics_json(metrics, evaluation.classes);
    json["failed"] = evaluation.broken.size();
    json["seconds"] = evaluation.seconds;
    json["tta"] = o.tta.empty() ? "none" : o.tta;
    json["precision"] = o.precision.name;
    json.update(process_report());
    write_json(o.json, json);
  };
  if (!o.json.empty()) writes.emplace_back(write_figures);
  const auto write_page = [&] {
    report.evaluation = reported_evaluation(evaluation, root, o.views());
    report.times = evaluation.times;
    report.versions = report_versions();
    write_html_report(report, o.out);
  };
  if (!o.out.empty()) writes.emplace_back(write_page);
  write_each(writes);
}

int run_evaluation(const EvaluateOptions& o, int threads) {
  obey_stop_signals();
  check_range("--batch", o.batch, 1, 65536);
  check_outputs({{"--out", o.out}, {"--csv", o.csv}, {"--json", o.json}}, {o.model, o.data});
  const Precision precision = checked_precision(o.precision);
  const DecodeMode decode = decode_mode(o.decode);
  check(o.selection);
  const ThreadLimit limit(threads);
  const Compute compute(threads);
  TerminalListener listener;
  ModelFile file = load_model_file(o.model, o.file, listener);
  say_notes(file.notes, listener);
  const LabelledData data = load_labelled(o, file.checkpoint.classes, listener);
  const auto pictures = static_cast<int64_t>(data.dataset.samples.size());

  HtmlReport report;
  report.title = fmt::format("{} on {}", file.checkpoint.model.architecture, data.root);
  report.history = file.checkpoint.training.history;
  report.best_epoch = best_epoch(report.history);
  report.configuration = configuration(o, file.checkpoint, data.root, threads);
  const TrainedModel trained = make_trained_model(std::move(file.checkpoint), file.facts.path, compute);
  require_quantized_file(trained, precision, o.model);
  warn_of_obstacle(precision, listener);

  const Evaluation evaluation =
      evaluate(trained, data.dataset.samples,
               {.batch = o.batch,
                .threads = threads,
                .views = o.views(),
                .precision = precision,
                .exif = o.exif,
                .decode = decode,
                .accept = o.accept.accept(),
                .reading = {.outage = o.outage},
                .planned =
                    [&](int64_t bytes, int batch) {
                      warn_of_low_memory(scoring_memory(trained.model->parameter_count(), bytes), batch, listener);
                    }},
               listener);
  const auto answered = static_cast<int64_t>(evaluation.answers.size());
  const auto broken = static_cast<int64_t>(evaluation.broken.size());
  if (evaluation.stopped) {
    return say_stopped(
        fmt::format(" after {} of {}; nothing is written", answered + broken, plural(pictures, "picture", "pictures")));
  }
  if (answered == 0)
    throw data_error("{}: not one of its {} could be evaluated; first reason: {}", data.root,
                     plural(pictures, "picture", "pictures"), evaluation.broken.front().reason);

  const Metrics metrics = evaluation.metrics();
  print_out("evaluated  {} of {} in {:.1f} s, {:.1f} img/s{}\n", plural(answered, "picture", "pictures"), data.root,
            evaluation.seconds, static_cast<double>(answered) / evaluation.seconds,
            o.tta.empty() ? "" : fmt::format(" (--tta {})", o.tta));
  if (evaluation.truncated > 0)
    print_out("truncated  {}, taken as far as there are pixels\n", plural(evaluation.truncated, "picture", "pictures"));
  print_text(metrics_text(metrics, evaluation.classes));
  if (broken > 0) {
    print_out("\nleft out   {} that could not be read:\n", plural(broken, "picture", "pictures"));
    for (const BrokenPicture& b : evaluation.broken) print_out("  {}: {}\n", b.name, b.reason);
  }
  write_files(o, evaluation, metrics, std::move(report), data.root);
  for (const std::string& path : {o.out, o.csv, o.json})
    if (!path.empty()) print_out("wrote      {}\n", path);
  return 0;
}

}  // namespace

Action add_evaluate(CLI::App& command) {
  auto options = std::make_shared<EvaluateOptions>();
  add_model_file_argument(command, options->model);
  command
      .add_option("DATA", options->data,
                  "photographs in a folder for each class, which has the name of the model's class; a folder with val/ "
                  "in it; or a pack")
      ->required();
  command.add_option("--out", options->out,
                     "write a report to this file: one HTML page with plots, tables and the mistakes");
  command.add_option("--csv", options->csv,
                     "write a row for each picture to this file: what it is, and what the model says");
  add_json_option(command, options->json, "all figures");
  command
      .add_flag(
          "--tta{flip}", options->tta,
          "average the probabilities of several views of a picture: --tta or --tta=flip, it and its mirror image; "
          "--tta=ten-crop, corners and centre of the resized picture's middle square and their mirror images")
      ->check(CLI::IsMember({"flip", "ten-crop"}));
  command.add_option("--batch", options->batch, "pictures computed at once")->capture_default_str();
  add_decode_option(command, options->decode);
  add_acceptance_options(command, options->accept);
  add_selection_options(command, options->selection);
  add_model_file_options(command, options->file);
  add_preprocessing_options(command, options->file);
  add_precision_options(command, options->precision);
  add_outage_option(command, options->outage);
  add_exif_option(command, options->exif);
  add_threads_option(command, options->threads);
  add_pin_option(command, options->pin);
  command.footer(
      "Prints accuracy, log loss, calibration, and for each class precision, recall and F1. Pictures of classes that\n"
      "the model does not have are left out, and the program says so. If no picture could be evaluated, the exit code\n"
      "is 3.\n"
      "Columns of --csv: path,label,class,probability,label_probability,right,error\n"
      "In --json \"confusion\" is the matrix of up to 1,000 classes, by true class and then by said class, and\n"
      "\"confusion_pairs\" has [true class, said class, pictures] of each pair that occurs, however many classes "
      "there\n"
      "are; classes are counted from 0 as in \"classes\".\n\n"
      "Example:\n"
      "  resflow evaluate run/best.resflow photos/val --out report.html\n"
      "  resflow evaluate run/best.resflow photos/val --tta --csv predictions.csv\n"
      "  resflow evaluate resnet34.pth photos/val --classes names.txt");
  return [options, &command] {
    return run_evaluation(*options, resolve_threads(command, options->threads, options->pin));
  };
}

}  // namespace resflow
