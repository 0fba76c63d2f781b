// resflow demo: draws a small data set, trains ResNet-18 on it, scores it, and says what to type next.
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>  // program_invocation_name
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "apps/commands.h"
#include "apps/data/demo_photos.h"
#include "apps/host/console.h"
#include "apps/host/signals.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/options/common.h"
#include "apps/score/predictions.h"
#include "apps/score/rows.h"
#include "apps/train/training.h"
#include "graph/head/probabilities.h"
#include "io/core/error.h"
#include "io/core/stopwatch.h"
#include "io/core/wording.h"
#include "io/files/file.h"
#include "io/images/jpeg_encode.h"
#include "io/pictures/dataset.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr double kAccuracyBar = 0.95;  // less means that something is wrong, not that it is a demo

struct DemoOptions {
  std::string out = "resflow-demo";
  int threads = 0;
};

// Whether a demo has begun to draw its photographs there. The first one is always the same picture; it may be cut off.
bool holds_demo(const fs::path& out) {
  const fs::path folder = out / "photos" / "train" / demo_classes().front();
  std::error_code error;
  if (!fs::is_directory(folder, error)) return false;
  if (fs::is_empty(folder, error)) return true;
  try {
    std::vector<uint8_t> buffer;
    const auto found = read_file((folder / "000.jpg").string(), buffer);
    const std::vector<uint8_t> drawn = encode_jpeg(draw_demo_photo(0, 0));
    return found.size() <= drawn.size() && std::equal(found.begin(), found.end(), drawn.begin());
  } catch (const Error&) {
    return false;
  }
}

// The demo replaces only files that a demo made.
void check_folder(const fs::path& out) {
  std::error_code ignored;
  if (!fs::exists(out, ignored) || holds_demo(out)) return;
  if (!fs::is_directory(out, ignored)) throw usage_error("--out {}: is a file, wanted a folder", out.string());
  if (!fs::is_empty(out, ignored)) throw usage_error("--out {}: holds other files; give a new folder", out.string());
}

// The program as the user may type it: a shorter way to say how it was called.
std::string program_name() {
  std::string called = program_invocation_name;
  if (called.find('/') == std::string::npos) return called;
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(called, error);
  const fs::path near = whole.lexically_proximate(fs::current_path(error));
  if (error || near.string().starts_with("..")) return whole.string();
  return near.has_parent_path() ? near.string() : "./" + near.string();
}

// Scores `photos` into a table at `csv`; returns the part whose best class is the name of their folder. Empty where a
// signal stops it: nothing is written then.
std::optional<double> score_photos(const std::string& checkpoint, const std::string& photos, const std::string& csv,
                                   int threads) {
  const ThreadLimit limit(threads);
  const Compute compute(threads);
  const TrainedModel trained = load_trained_model(checkpoint, compute);
  const std::unique_ptr<RowText> rows = make_csv_rows(trained.classes, {.top = 1});
  const std::vector<Sample> samples = list_pictures(photos);
  std::string table = rows->header();
  int64_t right = 0;
  TerminalListener listener;
  const PredictSummary summary =
      predict_samples(trained, samples, {.batch = 32, .threads = threads}, listener, [&](const ScoredPicture& p) {
        rows->append(p, table);
        if (!p.error.empty()) return;
        const auto best = static_cast<size_t>(top_classes(p.probabilities, 1)[0]);
        right += trained.classes[best] == fs::path(p.name).parent_path().filename() ? 1 : 0;
      });
  if (summary.stopped) return std::nullopt;
  replace_text_file(csv, table);
  print_out("scored     {} at {:.1f} img/s: {:.1f} % right\n", plural(summary.files, "photograph", "photographs"),
            static_cast<double>(summary.files) / summary.seconds,
            100.0 * static_cast<double>(right) / static_cast<double>(summary.files));
  return static_cast<double>(right) / static_cast<double>(summary.files);
}

TrainingOutcome train_model(const TrainOptions& options) {
  TerminalListener listener;
  const ThreadLimit limit(options.threads);
  const auto data = std::make_shared<const TrainingData>(load_training_data(options.data, options.val, listener));
  return train(resolved(options), data, listener);
}

int demo(const DemoOptions& o, int threads) {
  obey_stop_signals();
  const Stopwatch watch;
  const fs::path out(o.out);
  check_folder(out);
  const std::string photos = (out / "photos").string(), run_folder = (out / "run").string();
  const std::string csv = (out / "scores.csv").string();

  const DemoSet set;
  print_out("1. Drawing {} photographs of {} in {}\n", (set.train + set.val) * static_cast<int>(demo_classes().size()),
            fmt::join(demo_classes(), ", "), photos);
  write_demo_photos(photos, set);

  print_out("\n2. Training ResNet-18 on them\n");
  TrainOptions options;
  options.data = photos;
  options.out = run_folder;
  options.overwrite = true;
  options.model = "resnet18";
  options.epochs = 8;
  options.lr = 3e-4;
  options.batch = 16;
  options.image_size = 64;  // small pictures, so that it takes a minute
  options.threads = threads;
  const TrainingOutcome outcome = train_model(options);
  if (!outcome.finished) return 128 + stop_signal();

  print_out("\n3. Scoring the validation photographs\n");
  const std::optional<double> accuracy = score_photos(outcome.best, (out / "photos" / "val").string(), csv, threads);
  if (!accuracy) return say_stopped(" before the photographs were scored; the model is whole");

  const std::string program = program_name();
  print_out(
      "\nDone in {:.0f} s. What there is now:\n"
      "  {:32} the photographs, in class folders\n"
      "  {:32} the trained model\n"
      "  {:32} loss and accuracy of each epoch\n"
      "  {:32} what each validation photograph shows\n"
      "\nWhat to type next:\n"
      "  {} inspect {}\n"
      "  {} score {} {} --top 2\n"
      "  {} train YOUR-PHOTOS --out my-run     (a folder with a sub-folder a class)\n"
      "  {} train --help\n",
      watch.seconds(), photos, outcome.best, outcome.history, csv, program, outcome.best, program, outcome.best,
      photos + "/val/pebbles/000.jpg", program, program);
  if (*accuracy < kAccuracyBar)
    throw internal_error(
        "the demo's model is right about {:.1f} % of its validation photographs, wanted {:.0f} %: "
        "please report this with the output of --version",
        *accuracy * 100, kAccuracyBar * 100);
  return 0;
}

}  // namespace

Action add_demo(CLI::App& command) {
  auto o = std::make_shared<DemoOptions>();
  command.add_option("--out", o->out, "folder for photographs, model and scores")->capture_default_str();
  add_threads_option(command, o->threads);
  command.footer("Takes about a minute on two cores.\n\nExample:\n  resflow demo --out /tmp/resflow-demo");
  return [o, &command] { return demo(*o, resolve_threads(command, o->threads)); };
}

}  // namespace resflow
