#include "apps/train/repeats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>

#include "apps/data/folds.h"
#include "apps/train/folder.h"
#include "apps/train/training.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/file.h"

namespace resflow {
namespace {

struct Done {
  std::string name;
  uint64_t seed = 0;
  EpochRecord best, last;
  double seconds = 0;
};

Done result_of(const PlannedRun& run, const std::vector<EpochRecord>& records) {
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

std::string spread_line(const char* what, const std::vector<Done>& all, const std::function<double(const Done&)>& get) {
  std::vector<double> values;
  values.reserve(all.size());
  for (const Done& d : all) values.push_back(get(d));
  const Spread spread = spread_of(values);
  return fmt::format("{}  {:.4f} +- {:.4f}", what, spread.mean, spread.deviation);
}

void say_results(const TrainOptions& options, const std::vector<Done>& all, Listener& listener) {
  listener.say("");
  listener.say(fmt::format("{:10} best epoch  accuracy  last epoch  accuracy  seconds", "run"));
  for (const Done& d : all)
    listener.say(fmt::format("{:10} {:10}  {:8.4f}  {:10}  {:8.4f}  {:7.1f}", d.name, d.best.epoch, d.best.val_accuracy,
                             d.last.epoch, d.last.val_accuracy, d.seconds));
  listener.say(fmt::format(
      "Mean and sample deviation of the validation's accuracy over {}:",
      options.folds > 0 ? plural(options.folds, "fold", "folds") : plural(options.repeat, "seed", "seeds")));
  // The best epoch is chosen by the very pictures that it is judged by: the last one's figure is the fairer one.
  listener.say(spread_line("  best epoch", all, [](const Done& d) { return d.best.val_accuracy; }));
  listener.say(spread_line("  last epoch", all, [](const Done& d) { return d.last.val_accuracy; }));
}

// The data of each run in turn: all of it, or its fold. There is one list of samples, which the folds divide in turn.
class RunData {
 public:
  RunData(const TrainOptions& options, TrainingData data) {
    if (options.folds > 0)
      folds_ = std::make_unique<Folds>(std::move(data), options.folds, options.seed);
    else if (data.val.samples.empty())
      throw usage_error("{} compares accuracies of validation: give {}, or a folder val/ beside train/",
                        setting("repeat"), setting("val"));
    else
      all_ = std::make_shared<const TrainingData>(std::move(data));
  }

  // Of run number `run`, from 0. REQUIRES: nobody holds the data of the run before.
  std::shared_ptr<const TrainingData> of(size_t run) { return folds_ ? folds_->fold(static_cast<int>(run)) : all_; }

 private:
  std::unique_ptr<Folds> folds_;
  std::shared_ptr<const TrainingData> all_;
};

}  // namespace

Spread spread_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {.mean = mean, .deviation = values.size() < 2 ? 0 : std::sqrt(squares / (n - 1))};
}

bool is_repeated(const TrainOptions& options) { return options.folds > 0 || options.repeat > 1; }

std::vector<PlannedRun> plan_runs(const TrainOptions& options) {
  if (!is_repeated(options)) return {{.name = "", .options = resolved(options)}};
  std::vector<PlannedRun> runs;
  for (int i = 0; i < std::max(options.folds, options.repeat); ++i) {
    PlannedRun run = {.name = "", .options = options};
    if (options.folds == 0) run.options.seed = options.seed + static_cast<uint64_t>(i);
    run.name = options.folds > 0 ? fmt::format("fold-{}", i + 1) : fmt::format("seed-{}", run.options.seed);
    run.options.out = (std::filesystem::path(options.out) / run.name).string();
    run.options.resume = options.resume && holds_run(run.options.out);
    run.options = resolved(run.options);
    runs.push_back(std::move(run));
  }
  return runs;
}

bool train_repeatedly(const TrainOptions& options, const std::vector<PlannedRun>& runs, TrainingData data,
                      Listener& listener) {
  RunData data_of(options, std::move(data));
  std::vector<Done> all;
  const std::string table = (std::filesystem::path(options.out) / "runs.csv").string();
  for (size_t i = 0; i < runs.size(); ++i) {
    const PlannedRun& run = runs[i];
    if (!all.empty()) listener.say("");
    listener.say(fmt::format("run        {}", run.name));
    const TrainingOutcome outcome = train(run.options, data_of.of(i), listener);
    if (!outcome.finished) return false;
    if (outcome.records.empty()) throw usage_error("{} 0: there is nothing to compare", setting("epochs"));
    all.push_back(result_of(run, outcome.records));
    try {
      replace_text_file(table, csv_of(all));
    } catch (const Error& e) {
      if (i + 1 == runs.size()) throw;
      listener.warn(e.marked());  // the table is written again after the next run
    }
    if (i + 1 < runs.size() && listener.stop()) {
      listener.say(fmt::format("stopped    after {}, {} of {} runs: go on with {}", run.name, i + 1, runs.size(),
                               setting("resume")));
      return false;
    }
  }
  say_results(options, all, listener);
  return true;
}

}  // namespace resflow
