// resflow score: what photographs show, by a trained model; one row a file.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "apps/cli_options.h"
#include "apps/commands.h"
#include "apps/console.h"
#include "apps/model_file.h"
#include "apps/model_file_options.h"
#include "apps/precision_options.h"
#include "apps/progress.h"
#include "apps/report.h"
#include "apps/score_inputs.h"
#include "apps/scoring.h"
#include "apps/signals.h"
#include "apps/threads.h"
#include "apps/trained_model.h"
#include "io/error.h"
#include "io/file.h"

namespace resflow {
namespace {

struct ScoreOptions {
  std::string model;
  ModelFileOptions file;
  ScoreInputs inputs;
  std::string out, json;
  int top = 1, batch = 32, threads = 0;
  bool exif = false;
  PrecisionOptions precision;
};

// Standard output, row by row, or a file that appears when it is complete.
class Rows {
 public:
  explicit Rows(const std::string& path) {
    if (!path.empty()) file_.emplace(path, 0);  // how many rows there will be is not known
  }

  void write(const std::string& text) {
    if (file_) {
      file_->write({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
      return;
    }
    std::fwrite(text.data(), 1, text.size(), stdout);
    flush_output();  // whoever reads the rows need not wait for more of them
  }

  void commit() {
    if (file_) file_->commit();
  }

 private:
  std::optional<AtomicFile> file_;
};

TrainedModel load(const ScoreOptions& o, const Compute& compute) {
  ModelFile file = load_model_file(o.model, o.file);
  print_notes(file.notes);
  return make_trained_model(std::move(file.checkpoint), file.facts.path, compute);
}

int score(const ScoreOptions& o, int threads) {
  if (o.top < 1) throw usage_error("--top is {}: wanted at least 1", o.top);
  check_range("--batch", o.batch, 1, 65536);
  const Precision precision = resolve_precision(o.precision);
  const std::unique_ptr<PictureSource> source = open_score_inputs(o.inputs);
  const ThreadLimit limit(threads);
  const Compute compute(threads);
  const TrainedModel trained = load(o, compute);
  require_quantized(trained, precision, o.model);
  const int classes = static_cast<int>(trained.classes.size());
  if (o.top > classes)
    warn("--top {}: the model has {}, so rows have as many", o.top, plural(classes, "class", "classes"));
  const int top = std::min(o.top, classes);

  const StopSignals signals;
  Rows rows(o.out);
  rows.write(score_csv_header(top));
  ScoreSummary summary;
  {
    // A terminal that shows the rows already needs no line between them.
    const bool rows_on_screen = o.out.empty() && is_terminal(stdout);
    Progress progress({.label = "scoring", .total = source->count().value_or(0), .terminal = is_terminal(stderr)});
    int64_t done = 0;
    summary = score_pictures(trained, *source,
                             {.top = top, .batch = o.batch, .threads = threads, .exif = o.exif, .precision = precision},
                             [&](const ScoreRow& row) {
                               rows.write(score_csv_row(row, top));
                               ++done;
                               if (!rows_on_screen) progress.update(done);
                             });
  }
  if (summary.stopped) {
    fmt::print(stderr, "resflow: stopped after {}{}\n", plural(summary.files, "file", "files"),
               o.out.empty() ? "" : fmt::format("; {} is not written", o.out));
    return 128 + stop_signal();
  }
  rows.commit();

  const double rate = summary.seconds > 0 ? static_cast<double>(summary.files) / summary.seconds : 0;
  fmt::print(stderr, "scored {}{} in {:.1f} s, {:.1f} img/s\n", plural(summary.files, "file", "files"),
             summary.failed > 0 ? fmt::format(" ({} with an error)", summary.failed) : "", summary.seconds, rate);
  if (!o.json.empty()) {
    nlohmann::ordered_json report;
    report["images_per_second"] = rate;
    report["images"] = summary.files;
    report["failed"] = summary.failed;
    report["seconds"] = summary.seconds;
    report["model"] = trained.model->description().architecture;
    report["precision"] = precision_name(precision);
    report["batch"] = o.batch;
    report["threads"] = threads;
    report.update(process_report());
    write_json(o.json, report);
  }
  if (summary.failed == summary.files)
    throw data_error("none of the {} could be scored: the error column says why",
                     plural(summary.files, "file", "files"));
  return 0;
}

}  // namespace

Action add_score(CLI::App& command) {
  auto options = std::make_shared<ScoreOptions>();
  command
      .add_option("MODEL", options->model,
                  "run/best.resflow; a .pth or .safetensors; or torchvision's weights by name, resnet34:IMAGENET1K_V1 "
                  "(resflow weights lists them)")
      ->required();
  add_score_inputs(command, options->inputs);
  command.add_option("--top", options->top, "classes a row, the most probable first")->capture_default_str();
  command.add_option("--out", options->out, "write the rows to this file, whole or not at all [standard output]");
  command.add_option("--json", options->json, "write speed and memory to this file");
  command.add_option("--batch", options->batch, "pictures at once")->capture_default_str();
  command.add_flag("--exif", options->exif,
                   "turn pictures upright as their EXIF orientation says [as in the model's training]");
  add_model_file_options(command, options->file);
  add_preprocessing_options(command, options->file);
  add_precision_options(command, options->precision);
  add_threads_option(command, options->threads);
  command.footer(
      "Columns: path,class,probability,error (--top 2: path,class,probability,class_2,probability_2,error).\n"
      "A file that cannot be read gets a row with the error. Exit code 3 where no file could be scored.\n" +
      std::string(score_inputs_help()) +
      "\n\nExample:\n"
      "  resflow score run/best.resflow holiday-photos --top 3 --out scores.csv\n"
      "  find . -name '*.jpg' | resflow score run/best.resflow -\n"
      "  resflow score run/best.resflow shards/*.tar.zst 'more/*/*.jpg' --out scores.csv\n"
      "  resflow score resnet34.safetensors photos --classes imagenet");
  return [options, &command] { return score(*options, resolve_threads(command, options->threads)); };
}

}  // namespace resflow
