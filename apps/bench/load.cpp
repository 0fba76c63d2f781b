// resflow bench load: the pipeline alone.
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/bench/commands.h"
#include "apps/bench/report.h"
#include "apps/bench/step_times.h"
#include "apps/data/damaged_packs.h"
#include "apps/host/console.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/machine/process_report.h"
#include "apps/options/common.h"
#include "io/core/error.h"
#include "io/core/stopwatch.h"
#include "io/core/wording.h"
#include "io/files/sha256.h"
#include "io/images/decode.h"
#include "io/pictures/dataset.h"
#include "pipeline/loader.h"

namespace resflow {
namespace {

// Streams epochs and adds each batch to the hash where there is one.
class LoadMeasurement {
 public:
  LoadMeasurement(Loader& loader, Sha256* hash) : loader_(loader), hash_(hash) {}

  // Streams an epoch, or as much of it as `seconds` allow.
  void run(uint64_t epoch, double seconds) {
    const Stopwatch whole;
    Stopwatch watch;
    const EpochReport report = loader_.run(epoch, 0, [&](const Batch& batch) {
      if (hash_ != nullptr) add(batch);
      times.ms.push_back(watch.lap() * 1e3);
      return whole.seconds() < seconds;
    });
    images += report.images;
    broken += static_cast<int64_t>(report.broken.size());
    this->seconds += whole.seconds();
  }

  StepTimes times;
  int64_t images = 0, broken = 0;
  double seconds = 0;

 private:
  void add(const Batch& batch) {
    const auto rows = static_cast<size_t>(batch.size);
    const auto side = static_cast<size_t>(batch.image_size);
    hash_->add(batch.pixels, rows * 3 * side * side * sizeof(float));
    hash_->add(batch.labels.data(), rows * sizeof(int32_t));
  }

  Loader& loader_;
  Sha256* hash_;
};

}  // namespace

int bench_load(const BenchOptions& o, int threads) {
  check(o);
  if (o.epochs < 0) throw usage_error("--epochs is {}: wanted at least 1", o.epochs);
  if (o.recipe != "train" && o.recipe != "eval") throw usage_error("--recipe {}: wanted train or eval", o.recipe);
  const bool training = o.recipe == "train";
  const Dataset dataset = list_image_folder(o.data);
  TerminalListener listener;
  warn_of_damaged_packs(dataset.samples, listener);
  const ThreadLimit limit(threads);
  Recipe recipe = training ? Recipe::train(o.image_size) : Recipe::eval(eval_preprocessing(o.image_size));
  recipe.interpolation = interpolation_named(o.interpolation);
  Loader loader(
      dataset, recipe,
      {.batch = o.batch, .threads = threads, .seed = o.seed, .shuffle = training, .decode = decode_mode(o.decode)});
  print_setup(
      o, threads,
      fmt::format("load {} with the {} recipe{}{}", o.data, o.recipe, o.decode == "fast" ? ", --decode fast" : "",
                  o.interpolation != "bilinear" ? ", " + o.interpolation : ""));

  std::optional<Sha256> hash;
  if (o.epochs > 0) hash.emplace();
  constexpr double kNoLimit = 1e18, kWarmupSeconds = 1;
  LoadMeasurement measured(loader, hash ? &*hash : nullptr);
  if (hash) {
    for (int64_t epoch = 0; epoch < o.epochs; ++epoch) measured.run(static_cast<uint64_t>(epoch), kNoLimit);
  } else {
    LoadMeasurement(loader, nullptr).run(0, kWarmupSeconds);
    for (uint64_t epoch = 0; measured.seconds < o.seconds || epoch == 0; ++epoch)
      measured.run(epoch, o.seconds - measured.seconds);
  }
  if (measured.images == 0)
    throw data_error("{}: not one of its {} could be read", o.data,
                     plural(dataset.samples.size(), "picture", "pictures"));

  const double rate = static_cast<double>(measured.images) / measured.seconds;
  nlohmann::ordered_json report = new_report("load", o, threads);
  report["recipe"] = o.recipe;
  report["decode"] = o.decode;
  report["interpolation"] = o.interpolation;
  report["seed"] = o.seed;
  report["images_per_second"] = rate;
  report["images"] = measured.images;
  report["broken"] = measured.broken;
  report["seconds"] = measured.seconds;
  report["step_ms_median"] = measured.times.median();
  report["step_ms_minimum"] = measured.times.minimum();
  print_out("{:.1f} img/s: {} in {:.1f} s{}; peak memory {}\n", rate, plural(measured.images, "picture", "pictures"),
            measured.seconds, measured.broken > 0 ? fmt::format(", {} could not be read", measured.broken) : "",
            format_bytes(static_cast<double>(peak_rss_bytes())));
  if (hash) {
    report["epochs"] = o.epochs;
    report["batches_sha256"] = hash->hex();
    print_out("batches_sha256 {}\n", report["batches_sha256"].get<std::string>());
  }
  report.update(process_report());
  if (!o.json.empty()) write_json(o.json, report);
  return 0;
}

}  // namespace resflow
