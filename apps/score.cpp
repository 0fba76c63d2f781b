// resflow score: what photographs show, by a trained model; one row a file.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/commands.h"
#include "apps/data/listing_remarks.h"
#include "apps/host/console.h"
#include "apps/host/pinning.h"
#include "apps/host/signals.h"
#include "apps/host/stream.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/machine/memory.h"
#include "apps/machine/process_report.h"
#include "apps/machine/same_machine.h"
#include "apps/machine/versions.h"
#include "apps/model/model_file.h"
#include "apps/model/precision.h"
#include "apps/options/common.h"
#include "apps/options/model_file_options.h"
#include "apps/options/precision_options.h"
#include "apps/options/score_inputs.h"
#include "apps/score/executor_choice.h"
#include "apps/score/journal.h"
#include "apps/score/npz.h"
#include "apps/score/output.h"
#include "apps/score/predictions.h"
#include "apps/score/retry_source.h"
#include "apps/score/scored_with.h"
#include "apps/score/tracked_source.h"
#include "graph/model/trained_model.h"
#include "io/core/check_range.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/file.h"
#include "io/files/outputs.h"
#include "io/files/xxh3.h"
#include "io/images/decode.h"

namespace resflow {
namespace {

struct ScoreOptions {
  std::string model;
  ModelFileOptions file;
  ScoreInputs inputs;
  PrecisionOptions precision;
  std::string format, json, shard, embeddings_dtype = "f32", executors = "auto";
  ScoreOutputOptions output;  // output_options() adds what the texts above say
  int batch = 32, threads = 0;
  int64_t outage = kOutage;
  bool exif = false, strict = false, resume = false, retry_errors = false, overwrite = false, pin = false;
  std::string decode = "exact";
  AcceptanceOptions accept;
};

// Reads the options that are texts. Throws Error{kUsage} where options contradict each other.
ScoreOutputOptions output_options(const ScoreOptions& o, bool chooses_classes) {
  ScoreOutputOptions output = o.output;
  output.print = print_rows;
  if (output.rows.top < 1) throw usage_error("--top is {}: wanted at least 1", output.rows.top);
  check_range("--threshold", output.rows.threshold, 0, 1);
  check_range("--batch", o.batch, 1, 65536);
  check_range("--save-every", output.save_seconds, 0, 86400);
  output.format = score_format(o.format, output.out);
  const std::string format = score_format_name(output.format);
  if (!is_text(output.format) && output.out.empty())
    throw usage_error("--format {}: wanted --out FILE: standard output takes csv and jsonl", format);
  if (!is_text(output.format) && chooses_classes)
    throw usage_error("--top and --threshold: a .{} holds the scores of all classes: leave them out", format);
  if (output.unordered && output.format == ScoreFormat::kNpy)
    throw usage_error("--unordered: the rows of a .npy have no names: wanted --out FILE.npz, .csv or .jsonl");
  output.embeddings_dtype = o.embeddings_dtype == "f16" ? DType::kF16 : DType::kF32;
  if (!o.shard.empty()) output.shard = parse_shard(o.shard);
  output.retry_errors = o.retry_errors;
  output.start = o.resume ? ScoreStart::kResume : o.overwrite ? ScoreStart::kOverwrite : ScoreStart::kNew;
  std::vector<std::string> inputs = o.inputs.inputs;
  inputs.push_back(o.model);
  inputs.push_back(o.inputs.list);
  check_score_output(output, {{"--json", o.json}}, inputs);
  output.retry_errors = false;  // a pass of its own
  return output;
}

struct Loaded {
  TrainedModel model;
  Fingerprint fingerprint;  // empty where rows go to standard output
};

// Of a network without a head there are embeddings, and rows without classes.
void check_headless(const ScoreOptions& o, const ScoreOutputOptions& output, bool chooses_classes,
                    const ModelFacts& facts) {
  const std::string what = fmt::format("{}: is a {} without a head", facts.path, facts.match.description.architecture);
  if (output.embeddings.empty())
    throw data_error("{}, of which only embeddings can be had: give --embeddings FILE.npy, or train a head for it",
                     what);
  if (chooses_classes || output.rows.all_scores || !o.file.classes.empty())
    throw usage_error("{}: it has no classes: leave --top, --threshold, --all-scores and --classes out", what);
  if (!is_text(output.format))
    throw usage_error("{}: it has no scores for a .{}: wanted --out FILE.csv or FILE.jsonl, or none", what,
                      score_format_name(output.format));
}

Loaded load(const ScoreOptions& o, ScoreOutputOptions& output, bool chooses_classes, Precision precision,
            const Compute& compute, Listener& listener) {
  ModelFileOptions file_options = o.file;
  file_options.headless = true;
  ModelFile file = load_model_file(o.model, file_options, listener);
  say_notes(file.notes, listener);
  if (file.headless) check_headless(o, output, chooses_classes, file.facts);
  const auto classes = static_cast<int>(file.checkpoint.classes.size());
  if (output.rows.top > classes)
    listener.warn(fmt::format("--top {}: the model has {}, so rows have as many", output.rows.top,
                              plural(classes, "class", "classes")));
  output.rows.top = file.headless ? 0 : std::min(output.rows.top, classes);
  Fingerprint fingerprint;
  if (!output.out.empty())
    fingerprint = score_fingerprint({.model_path = file.facts.path,
                                     .architecture = file.checkpoint.model.architecture,
                                     .classes = file.checkpoint.classes,
                                     .preprocessing = file.checkpoint.preprocessing,
                                     .inputs = as_given(o.inputs),
                                     .exif = o.exif,
                                     .decode = decode_mode(o.decode),
                                     .accept = o.accept.accept(),
                                     .precision = precision,
                                     .batch = o.batch},
                                    output);
  return {.model = make_trained_model(std::move(file.checkpoint), file.facts.path, compute),
          .fingerprint = std::move(fingerprint)};
}

// With which a run goes on that was stopped.
std::string resume_options(const ScoreOptions& o) { return o.retry_errors ? "--resume --retry-errors" : "--resume"; }

// Keeps the rows that there were before the machine failed.
void keep_rows(ScoreOutput& output) {
  try {
    output.save();
  } catch (const Error&) {  // what was saved before is there, and what failed first is to be said
  }
}

// Says it when the first file cannot be read: the others are counted.
void say_unreadable(const ScoredPicture& picture, const ScoreOutput& output, Listener& listener) {
  if (picture.unread && output.done().unreadable == 1)
    listener.warn(fmt::format("{}: {}: its row says so; more files that cannot be read are counted", picture.name,
                              picture.error));
}

// What all scoring of one command has in common.
struct Scoring {
  const ScoreOptions& o;
  const Loaded& loaded;
  Precision precision;
  int threads, executors;
  Listener& listener;
};

// Adds the rows of all pictures that `source` gives. `tracked` is what lists them. If it throws, the error says how
// many rows are kept.
PredictSummary add_rows(const Scoring& s, TrackedSource& tracked, PictureSource& source, ScoreOutput& output) {
  const ScoreOptions& o = s.o;
  const int64_t before = output.done().rows;
  const auto other_inputs = [&](const Error& why) {
    return usage_error("--resume: {} was begun with other inputs: {}: start anew with --overwrite", o.output.out,
                       why.marked());
  };
  try {
    if (!tracked.skip_to(output.done().place, output.done().missing))
      return {.files = 0, .failed = 0, .seconds = 0, .stopped = true, .times = {}};
  } catch (const Error& e) {
    if (tracked.differs()) throw other_inputs(e);
    throw;
  }
  // Where these pictures are only a part, they get the bits that they would have among all.
  const bool whole_plan = before > 0 || !o.shard.empty() || &source != &tracked;
  // A terminal that shows the rows already needs no line between them.
  const bool rows_on_screen = o.output.out.empty() && is_terminal(STDOUT_FILENO);
  const std::optional<int64_t> count = source.count();
  Progress progress(s.listener, {.label = "scoring", .total = count ? before + *count : 0, .first = before});
  int64_t added = 0;
  try {
    return predict_stream(s.loaded.model, source,
                          {.batch = o.batch,
                           .threads = s.threads,
                           .precision = s.precision,
                           .exif = o.exif,
                           .decode = decode_mode(o.decode),
                           .accept = o.accept.accept(),
                           .features = !o.output.embeddings.empty(),
                           .unordered = o.output.unordered,
                           .whole_plan = whole_plan,
                           .executors = output.done().executors,
                           .rows_before = before,
                           .reading = {.outage = o.outage},
                           .planned =
                               [&](int64_t bytes, int batch) {
                                 warn_of_low_memory(scoring_memory(s.loaded.model.model->parameter_count(), bytes),
                                                    batch, s.listener);
                               },
                           .chosen =
                               [&](const std::vector<ExecutorSpeed>& speeds, size_t chosen) {
                                 output.set_executors(speeds[chosen].executors);
                                 s.listener.say(fmt::format("executors  {}", executors_sentence(speeds, chosen)));
                               }},
                          s.listener, [&](const ScoredPicture& picture) {
                            output.add(picture);
                            say_unreadable(picture, output, s.listener);
                            // In any order, too, batches are full up to the last one, which has the last rows.
                            if (++added % o.batch == 0) output.end_batch();
                            if (!rows_on_screen) progress.update(output.done().rows);
                          });
  } catch (const Error& e) {
    if (tracked.differs()) throw other_inputs(e);
    if (e.kind() == ErrorKind::kSystem) keep_rows(output);
    if (output.saved_rows() == 0 || e.kind() == ErrorKind::kUsage) throw;
    throw Error(e.kind(), fmt::format("{}; {} are kept: go on with {}", e.marked(),
                                      plural(output.saved_rows(), "row", "rows"), resume_options(o)));
  }
}

void write_report(const ScoreOptions& o, const PredictSummary& summary, double rate, const std::string& architecture,
                  Precision precision, int threads, int executors, int64_t unreadable) {
  nlohmann::ordered_json report;
  report["images_per_second"] = rate;
  report["images"] = summary.files;
  report["failed"] = summary.failed;
  report["unreadable"] = unreadable;
  report["seconds"] = summary.seconds;
  report["model"] = architecture;
  report["precision"] = precision_name(precision);
  report["batch"] = o.batch;
  report["threads"] = threads;
  report["executors"] = std::max(executors, 1);  // 1 where nothing was measured
  report.update(process_report());
  write_json(o.json, report);
}

int stop(const ScoreOptions& o, ScoreOutput& output) {
  output.save();
  const std::string& out = o.output.out;
  const int64_t kept = output.saved_rows();
  const std::string after = out.empty() ? ""
                            : kept == 0 ? fmt::format("; {} is not written", out)
                                        : fmt::format("; {} of {} are kept: go on with {}", plural(kept, "row", "rows"),
                                                      out, resume_options(o));
  return say_stopped(fmt::format(" after {}{}", plural(output.done().rows, "file", "files"), after));
}

// What was scored in one go through the inputs.
struct Scored {
  std::optional<int> exit_code;  // it did not come to its end
  ScoreJournal done = {};
};

void say_scored(const ScoreJournal& done, int64_t before, const PredictSummary& summary, double rate) {
  const std::string resumed = before > 0 ? fmt::format(", {} of them before", format_count(before)) : "";
  std::string errors = done.failed > 0 ? fmt::format(" ({} with an error)", done.failed) : "";
  if (done.unreadable > 0) errors += fmt::format(", {} that cannot be read", plural(done.unreadable, "file", "files"));
  print_error_line(fmt::format("scored {}{}{} in {:.1f} s, {:.1f} img/s", plural(done.rows, "file", "files"), errors,
                               resumed, summary.seconds, rate));
  if (summary.truncated > 0)
    print_error_line(
        fmt::format("truncated: {}, taken as far as there are pixels", plural(summary.truncated, "file", "files")));
}

// Returns the exit code, or throws what the files that could not be scored call for.
int judge(const ScoreOptions& o, const ScoreJournal& done) {
  std::string why = o.output.errors + " says why";
  if (o.output.errors.empty())
    why = is_text(score_format(o.format, o.output.out)) ? "the error column says why" : "--errors FILE says why";
  if (done.rows > 0 && done.failed == done.rows)
    throw data_error("none of the {} could be scored: {}", plural(done.rows, "file", "files"), why);
  if (o.strict && done.failed > 0)
    throw data_error("{} of {} could not be scored: {}", format_count(done.failed), plural(done.rows, "file", "files"),
                     why);
  return 0;
}

// Goes through the inputs once, for the rows that there are none of, or for those that have an error.
Scored go_through(const Scoring& s, const ScoreOutputOptions& options, const Fingerprint& fingerprint,
                  PictureSource& inputs) {
  const ScoreOptions& o = s.o;
  const std::vector<std::string>& classes = s.loaded.model.classes;
  const int64_t features = s.loaded.model.model->feature_count();
  if (options.start == ScoreStart::kResume)
    if (const auto journal = load_journal(journal_path(options.out))) {
      check_resumed_executors(s.executors, journal->executors, options.out);
      if (!journal->complete) check_same_machine(journal->machine, options.machine, o.strict, s.listener);
    }
  StoppableFiles files;
  ScoreOutput output(options, classes, features, fingerprint, files);
  if (!output.locked())
    s.listener.note(
        fmt::format("{}: the file system has no locks: see to it that no other program writes there", o.output.out));
  if (!output.resumed()) output.set_executors(s.executors);
  const int64_t before = output.done().rows;
  if (!output.complete() && output.done().executors > s.threads)
    throw usage_error(
        "--resume: {} was begun with {} executors, which is more than {}: give --threads {} or more, "
        "or start anew with --overwrite",
        o.output.out, output.done().executors, plural(s.threads, "thread", "threads"), output.done().executors);
  TrackedSourceOptions tracking = {.most_letters = options.format == ScoreFormat::kNpz ? kMostNpzLetters : 0};
  // Where errors are retried, pictures are expected to have come back.
  if (!options.retry_errors) {
    tracking.changed = [&](int64_t pictures) {
      say_changed_pictures(fmt::format("some of the first {} of the inputs", plural(pictures, "picture", "pictures")),
                           o.strict, s.listener);
    };
  }
  TrackedSource tracked(inputs, s.listener, options.shard, output.unscored(), std::move(tracking));
  PredictSummary summary;
  const bool walked = !output.complete();
  try {
    if (!output.complete() && options.retry_errors) {
      FormerRows former(former_files(options, classes, features));
      former.skip(before);
      RetrySource source(tracked, former, s.listener);
      summary = add_rows(s, tracked, source, output);
    } else if (!output.complete()) {
      summary = add_rows(s, tracked, tracked, output);
    }
    if (summary.stopped) return {.exit_code = stop(o, output)};
    output.finish(tracked.listed());
  } catch (const ReaderGone&) {
    return {.exit_code = kReaderGoneExit};
  } catch (const ReaderStalls&) {
    return {.exit_code =
                say_stopped(fmt::format(": {} takes no more rows, what was written is not complete",
                                        o.output.out.empty() ? std::string("standard output") : o.output.out))};
  }
  const double rate = summary.seconds > 0 ? static_cast<double>(summary.files) / summary.seconds : 0;
  if (!o.json.empty())
    write_report(o, summary, rate, s.loaded.model.model->description().architecture, s.precision, s.threads,
                 output.done().executors, output.done().unreadable);
  if (options.retry_errors)
    print_error_line(fmt::format("read       {} again", plural(summary.files, "file", "files")));
  say_scored(output.done(), options.retry_errors ? 0 : before, summary, rate);
  if (walked) {
    const PassedOver passed_over = inputs.left_out();
    say_passed_over(passed_over, s.listener);
    note_idle_patterns(o.inputs.selection, passed_over.patterns, s.listener);
  }
  return {.exit_code = std::nullopt, .done = output.done()};
}

// Writes the rows with an error anew, all or what is left of them.
Scored retry(const Scoring& s, ScoreOutputOptions options, const std::optional<ScoreJournal>& begun,
             PictureSource& inputs) {
  Fingerprint fingerprint = s.loaded.fingerprint;
  // Of a run that is about to replace the files, OUT may be new already.
  fingerprint.emplace_back(setting("retry_errors"),
                           begun && begun->complete ? retried_rows(*begun) : hex(xxh3_of_file(options.out)));
  options.retry_errors = true;
  if (!begun) {
    const FormerFiles former = former_files(options, s.loaded.model.classes, s.loaded.model.model->feature_count());
    if (count_errors(former) == 0) {
      print_error_line(fmt::format("no row of {} has an error", options.out));
      return {.exit_code = 0};
    }
  }
  return go_through(s, options, fingerprint, inputs);
}

bool reads_standard_input(const ScoreInputs& inputs) {
  return inputs.list == "-" || std::count(inputs.inputs.begin(), inputs.inputs.end(), "-") > 0;
}

int score(const ScoreOptions& o, bool chooses_classes, int threads) {
  obey_stop_signals();
  const int executors = parse_executors(o.executors, threads);
  ScoreOutputOptions options = output_options(o, chooses_classes);
  const Precision precision = checked_precision(o.precision);
  decode_mode(o.decode);  // a wrong word is refused before any work
  o.accept.accept();
  std::unique_ptr<PictureSource> inputs = open_score_inputs(o.inputs);
  const ThreadLimit limit(threads);
  const Compute compute(threads);
  TerminalListener listener(TerminalListener::Lines::kError);  // rows go to standard output
  const Loaded loaded = load(o, options, chooses_classes, precision, compute, listener);
  require_quantized_file(loaded.model, precision, o.model);
  warn_of_obstacle(precision, listener);
  options.machine = run_fingerprint(threads);
  const Scoring scoring = {.o = o,
                           .loaded = loaded,
                           .precision = precision,
                           .threads = threads,
                           .executors = executors,
                           .listener = listener};

  std::optional<ScoreJournal> begun;
  if (o.retry_errors) begun = load_journal(journal_path(options.out));
  const bool retry_begun = begun && !retried_rows(*begun).empty();
  const bool retries =
      o.retry_errors && (begun ? retry_begun || begun->failed > 0 : std::filesystem::exists(options.out));
  Scored scored;
  if (!retries || (begun && !retry_begun)) {
    // A run that is not done comes to its end first.
    if (retries && reads_standard_input(o.inputs))
      throw usage_error(
          "--retry-errors: {} is not done, and standard input can be read once: give --resume alone first",
          options.out);
    scored = go_through(scoring, options, loaded.fingerprint, *inputs);
    if (scored.exit_code) return *scored.exit_code;
    if (retries) inputs = open_score_inputs(o.inputs);
  }
  if (retries) scored = retry(scoring, options, retry_begun ? begun : std::nullopt, *inputs);
  return scored.exit_code ? *scored.exit_code : judge(o, scored.done);
}

void add_output_options(CLI::App& command, ScoreOptions& o) {
  ScoreOutputOptions& output = o.output;
  command.add_option("--top", output.rows.top, "classes in each row, the most probable first")->capture_default_str();
  command
      .add_option("--threshold", output.rows.threshold, "leave classes out of a row that are less probable than this")
      ->capture_default_str();
  command.add_flag("--all-scores", output.rows.all_scores, "add the probability of every class to each row");
  CLI::Option* out =
      command.add_option("--out", output.out,
                         "write the rows to this file, which appears when all are there: .csv, .jsonl, .npy or .npz "
                         "[standard output]");
  command.add_option("--format", o.format,
                     "csv, jsonl, npy or npz, whatever the ending of --out is [as the ending says, else csv]");
  command.add_flag("--unordered", output.unordered,
                   "write rows batch by batch as they are done, so that a slow file holds back its batch alone; not to "
                   "a .npy [in the order of the inputs]");
  CLI::Option* embeddings = command.add_option("--embeddings", output.embeddings,
                                               "write what the model's head reads of each picture to this .npy, a row "
                                               "for each picture in the order of the rows");
  command.add_option("--embeddings-dtype", o.embeddings_dtype, "type of the embeddings: f32 or f16")
      ->check(CLI::IsMember({"f32", "f16"}))
      ->needs(embeddings)
      ->capture_default_str();
  command.add_option("--errors", output.errors, "write path,error of the files that could not be scored to this .csv");
  command.add_flag(
      "--strict", o.strict,
      "end with exit code 3 if any file could not be scored [only if none could]; with --resume refuse to go on where "
      "machine, versions or pictures are others than before [warn]");
  CLI::Option* resume =
      command.add_flag("--resume", o.resume, "go on with a run that was killed or stopped, if there is one")
          ->needs(out);
  command
      .add_flag("--retry-errors", o.retry_errors,
                "with --resume: read again the files whose rows have an error, once all rows are there, and keep the "
                "other rows as they are; with the same options and inputs as before")
      ->needs(resume);
  command.add_flag("--overwrite", o.overwrite, "throw away what a run left that was killed or stopped")
      ->needs(out)
      ->excludes(resume);
  command
      .add_option("--save-every", output.save_seconds,
                  "save at most every so many seconds; a run that was killed can go on from there")
      ->needs(out)
      ->capture_default_str();
  command
      .add_option("--shard", o.shard,
                  "I/N: score share I of N, counted from 1; resflow merge puts the outputs of all N together")
      ->needs(out);
}

}  // namespace

Action add_score(CLI::App& command) {
  auto options = std::make_shared<ScoreOptions>();
  add_model_file_argument(command, options->model);
  add_score_inputs(command, options->inputs);
  add_output_options(command, *options);
  add_json_option(command, options->json, "speed and memory");
  command.add_option("--batch", options->batch, "pictures computed at once")->capture_default_str();
  add_outage_option(command, options->outage);
  add_exif_option(command, options->exif);
  add_decode_option(command, options->decode);
  add_acceptance_options(command, options->accept);
  add_model_file_options(command, options->file);
  add_preprocessing_options(command, options->file);
  add_precision_options(command, options->precision);
  add_executors_option(command, options->executors);
  add_threads_option(command, options->threads);
  add_pin_option(command, options->pin);
  command.footer(
      "Columns of csv: path,class,probability,error (--top 2: path,class,probability,class_2,probability_2,error).\n"
      "A file that cannot be read gets a row with the error. If no file could be scored, the exit code is 3.\n"
      "A .npy holds all scores as f32, with NaN where there is an error; a .npz also has names, classes and errors.\n" +
      std::string(score_inputs_help()) +
      "\n\nExample:\n"
      "  resflow score run/best.resflow holiday-photos --top 3 --out scores.csv --resume\n"
      "  find . -name '*.jpg' | resflow score run/best.resflow - --format jsonl\n"
      "  resflow score run/best.resflow shards/*.tar.zst 'more/*/*.jpg' --out scores.csv\n"
      "  resflow score run/best.resflow photos --shard 3/16 --out scores.3.csv\n"
      "  resflow score resnet34.safetensors photos --classes imagenet --embeddings photos.npy --out scores.npz");
  return [options, &command] {
    const bool chooses_classes =
        command.get_option("--top")->count() > 0 || command.get_option("--threshold")->count() > 0;
    return score(*options, chooses_classes, resolve_threads(command, options->threads, options->pin));
  };
}

}  // namespace resflow
