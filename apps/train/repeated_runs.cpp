#include "apps/train/repeated_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <numeric>

#include "apps/data/folds.h"
#include "apps/host/console.h"
#include "apps/host/terminal_listener.h"
#include "apps/train/run_training.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/file.h"

namespace resflow {
namespace {

struct Planned {
  std::string name;
  TrainOptions options;
  TrainingData data;
};

struct Done {
  std::string name;
  uint64_t seed = 0;
  EpochRecord best, last;
  double seconds = 0;
};

std::vector<Planned> plan(const TrainOptions& options) {
  TerminalListener listener;
  TrainingData data = load_training_data(options.data, options.val, listener);
  std::vector<Planned> runs;
  if (options.folds > 0) {
    std::vector<TrainingData> folds = make_folds(data, options.folds, options.seed);
    for (size_t i = 0; i < folds.size(); ++i)
      runs.push_back({fmt::format("fold-{}", i + 1), options, std::move(folds[i])});
  } else {
    if (data.val.samples.empty())
      throw usage_error("--repeat compares accuracies of validation: give --val, or a folder val/ beside train/");
    for (int i = 0; i < options.repeat; ++i) {
      TrainOptions one = options;
      one.seed = options.seed + static_cast<uint64_t>(i);
      runs.push_back({fmt::format("seed-{}", one.seed), one, data});
    }
  }
  for (Planned& run : runs) {
    run.options.out = (std::filesystem::path(options.out) / run.name).string();
    // Runs that were not begun yet begin now.
    run.options.resume = options.resume && std::filesystem::exists(run.options.out + "/last.resflow");
  }
  return runs;
}

Done result_of(const Planned& run, const std::vector<EpochRecord>& records) {
  Done done;
  done.name = run.name;
  done.seed = run.options.seed;
  done.best = *std::max_element(records.begin(), records.end(), [](const EpochRecord& a, const EpochRecord& b) {
    return a.val_accuracy < b.val_accuracy;
  });
  done.last = records.back();
  for (const EpochRecord& record : records) done.seconds += record.seconds;
  return done;
}

std::string csv_of(const std::vector<Done>& all) {
  std::string text =
      "run,seed,best_epoch,best_val_accuracy,best_val_loss,epochs,last_val_accuracy,last_val_loss,seconds\n";
  for (const Done& d : all)
    text += fmt::format("{},{},{},{},{},{},{},{},{:.3f}\n", d.name, d.seed, d.best.epoch, d.best.val_accuracy,
                        d.best.val_loss, d.last.epoch, d.last.val_accuracy, d.last.val_loss, d.seconds);
  return text;
}

void print_spread(const char* what, const std::vector<Done>& all, const std::function<double(const Done&)>& get) {
  std::vector<double> values;
  values.reserve(all.size());
  for (const Done& d : all) values.push_back(get(d));
  const Spread spread = spread_of(values);
  fmt::print("{}  {:.4f} +- {:.4f}\n", what, spread.mean, spread.deviation);
}

}  // namespace

Spread spread_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {.mean = mean, .deviation = values.size() < 2 ? 0 : std::sqrt(squares / (n - 1))};
}

int train_repeatedly(const TrainOptions& options) {
  std::vector<Done> all;
  for (Planned& run : plan(options)) {
    fmt::print("{}run        {}\n", all.empty() ? "" : "\n", run.name);
    const TrainingOutcome outcome = run_training(run.options, run.data);
    if (!outcome.finished) return 0;
    if (outcome.records.empty()) throw usage_error("--epochs 0: there is nothing to compare");
    all.push_back(result_of(run, outcome.records));
    replace_text_file((std::filesystem::path(options.out) / "runs.csv").string(), csv_of(all));
  }
  fmt::print("\n{:10} best epoch  accuracy  last epoch  accuracy  seconds\n", "run");
  for (const Done& d : all)
    fmt::print("{:10} {:10}  {:8.4f}  {:10}  {:8.4f}  {:7.1f}\n", d.name, d.best.epoch, d.best.val_accuracy,
               d.last.epoch, d.last.val_accuracy, d.seconds);
  fmt::print("Mean and sample deviation of the validation's accuracy over {}:\n",
             options.folds > 0 ? plural(options.folds, "fold", "folds") : plural(options.repeat, "seed", "seeds"));
  // The best epoch is chosen by the very pictures that it is judged by: the last one's figure is the fairer one.
  print_spread("  best epoch", all, [](const Done& d) { return d.best.val_accuracy; });
  print_spread("  last epoch", all, [](const Done& d) { return d.last.val_accuracy; });
  flush_output();
  return 0;
}

}  // namespace resflow
