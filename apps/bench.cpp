// resflow bench: how fast this machine loads, trains, scores and reads weights.
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include "apps/cli_options.h"
#include "apps/commands.h"
#include "apps/console.h"
#include "apps/measure.h"
#include "apps/precision_options.h"
#include "apps/report.h"
#include "apps/sha256.h"
#include "apps/threads.h"
#include "apps/versions.h"
#include "graph/calibration.h"
#include "graph/plan.h"
#include "graph/trainer.h"
#include "io/dataset.h"
#include "io/error.h"
#include "io/weights.h"
#include "pipeline/loader.h"
#include "pipeline/random.h"

namespace resflow {
namespace {

struct BenchOptions {
  std::string model = "resnet34", recipe = "train", data, weights, json;
  int batch = 32, threads = 0, image_size = 224;
  uint64_t seed = 0;
  double seconds = 10;
  PrecisionOptions precision;
  int64_t epochs = 0;  // of load; 0: as many as `seconds` takes
};

void check(const BenchOptions& o) {
  check_range("--batch", o.batch, 1, 65536);
  check_range("--image-size", o.image_size, kMinImageSize, 4096);
  check_range("--seconds", o.seconds, 0, 86400);
}

nlohmann::ordered_json new_report(const char* what, const BenchOptions& o, int threads) {
  nlohmann::ordered_json report;
  report["what"] = what;
  report["batch"] = o.batch;
  report["image_size"] = o.image_size;
  report["threads"] = threads;
  return report;
}

void print_setup(const BenchOptions& o, int threads, const std::string& what) {
  fmt::print("{}, batch {}, {} x {}, {} on {}, {} (oneDNN {})\n", what, o.batch, o.image_size, o.image_size,
             plural(threads, "thread", "threads"), cpu_model(), isa_name(), onednn_version());
  flush_output();
}

// The median: one step that the machine disturbed does not count for the others.
int finish(const BenchOptions& o, nlohmann::ordered_json report, const StepTimes& times) {
  const double rate = o.batch / times.median() * 1e3;
  report["images_per_second"] = rate;
  report["images_per_second_best"] = o.batch / times.minimum() * 1e3;
  report["step_ms_median"] = times.median();
  report["step_ms_minimum"] = times.minimum();
  report["steps"] = times.ms.size();
  report.update(process_report());
  fmt::print("{:.2f} img/s: step median {:.1f} ms, minimum {:.1f} ms of {}; peak memory {}\n", rate, times.median(),
             times.minimum(), plural(static_cast<int64_t>(times.ms.size()), "step", "steps"),
             format_bytes(static_cast<double>(peak_rss_bytes())));
  flush_output();
  if (!o.json.empty()) write_json(o.json, report);
  return 0;
}

// Values like normalized pixels, the same in every run.
std::vector<float> synthetic_pixels(const BenchOptions& o) {
  std::vector<float> pixels(static_cast<size_t>(o.batch) * 3 * static_cast<size_t>(o.image_size * o.image_size));
  Draw draw(o.seed, 0, 0, DrawFor::kOrder);
  for (float& value : pixels) value = static_cast<float>(draw.next()) * 0x1p-30F - 2.0F;  // [-2, 2)
  return pixels;
}

// A network with random weights and input for it, both the same in every run.
struct BenchModel {
  BenchModel(const BenchOptions& o, int threads)
      : limit(threads),
        compute(threads),
        model({.architecture = o.model, .num_classes = 1000}, compute),
        pixels(synthetic_pixels(o)) {
    model.initialise(o.seed);
  }

  ThreadLimit limit;
  Compute compute;
  Model model;
  std::vector<float> pixels;
};

int bench_train(const BenchOptions& o, int threads) {
  check(o);
  BenchModel bench(o, threads);
  const OptimizerOptions optimizer = {.name = "adam", .lr = 1e-4};
  Trainer trainer(bench.model, o.batch, o.image_size, optimizer);
  std::vector<int32_t> labels(static_cast<size_t>(o.batch));
  std::iota(labels.begin(), labels.end(), 0);
  for (int32_t& label : labels) label %= 1000;

  print_setup(o, threads, "train " + o.model + " with Adam");
  const PlanMemory memory = trainer.memory();
  fmt::print("planned memory {}\n", format_bytes(static_cast<double>(memory.total() + trainer.optimizer_bytes())));
  const StepTimes times = measure_steps(o.seconds, [&] { trainer.step(bench.pixels.data(), labels); });
  nlohmann::ordered_json report = new_report("train", o, threads);
  report["model"] = o.model;
  report["optimizer"] = optimizer.name;
  report["planned_bytes"] = memory.total() + trainer.optimizer_bytes();
  return finish(o, report, times);
}

int bench_score(const BenchOptions& o, int threads) {
  check(o);
  const Precision precision = resolve_precision(o.precision);
  BenchModel bench(o, threads);
  if (precision == Precision::kInt8) {
    Calibrator calibrator(bench.model, o.batch, o.image_size, o.image_size);
    calibrator.observe(bench.pixels.data(), o.batch);
    bench.model.set_quantization(calibrator.result());
  }
  Plan plan(bench.model, {.batch = o.batch,
                          .height = o.image_size,
                          .width = o.image_size,
                          .mode = Mode::kEval,
                          .layout = Layout::kAny,
                          .precision = precision});

  print_setup(o, threads, "score " + o.model + (precision == Precision::kF32 ? "" : " in " + o.precision.name));
  fmt::print("planned memory {}\n", format_bytes(static_cast<double>(plan.memory().total())));
  const StepTimes times = measure_steps(o.seconds, [&] { plan.forward(bench.pixels.data(), o.batch); });
  nlohmann::ordered_json report = new_report("score", o, threads);
  report["model"] = o.model;
  report["precision"] = o.precision.name;
  report["planned_bytes"] = plan.memory().total();
  return finish(o, report, times);
}

// Streams epochs and adds each batch to the hash where there is one.
class LoadMeasurement {
 public:
  LoadMeasurement(Loader& loader, Sha256* hash) : loader_(loader), hash_(hash) {}

  // An epoch of it, or what `seconds` allow.
  void run(uint64_t epoch, double seconds) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    auto last = start;
    const EpochReport report = loader_.run(epoch, 0, [&](const Batch& batch) {
      if (hash_ != nullptr) add(batch);
      const auto now = Clock::now();
      times.ms.push_back(std::chrono::duration<double, std::milli>(now - last).count());
      last = now;
      return std::chrono::duration<double>(now - start).count() < seconds;
    });
    images += report.images;
    broken += static_cast<int64_t>(report.broken.size());
    this->seconds += std::chrono::duration<double>(Clock::now() - start).count();
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

int bench_load(const BenchOptions& o, int threads) {
  check(o);
  if (o.epochs < 0) throw usage_error("--epochs is {}: wanted at least 1", o.epochs);
  if (o.recipe != "train" && o.recipe != "eval") throw usage_error("--recipe {}: wanted train or eval", o.recipe);
  const bool training = o.recipe == "train";
  const Dataset dataset = list_image_folder(o.data);
  const ThreadLimit limit(threads);
  Loader loader(dataset, training ? Recipe::train(o.image_size) : Recipe::eval(eval_preprocessing(o.image_size)),
                {.batch = o.batch, .threads = threads, .seed = o.seed, .shuffle = training});
  print_setup(o, threads, fmt::format("load {} with the {} recipe", o.data, o.recipe));

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
                     plural(static_cast<int64_t>(dataset.samples.size()), "picture", "pictures"));

  const double rate = static_cast<double>(measured.images) / measured.seconds;
  nlohmann::ordered_json report = new_report("load", o, threads);
  report["recipe"] = o.recipe;
  report["seed"] = o.seed;
  report["images_per_second"] = rate;
  report["images"] = measured.images;
  report["broken"] = measured.broken;
  report["seconds"] = measured.seconds;
  report["step_ms_median"] = measured.times.median();
  report["step_ms_minimum"] = measured.times.minimum();
  fmt::print("{:.1f} img/s: {} in {:.1f} s{}; peak memory {}\n", rate, plural(measured.images, "picture", "pictures"),
             measured.seconds, measured.broken > 0 ? fmt::format(", {} could not be read", measured.broken) : "",
             format_bytes(static_cast<double>(peak_rss_bytes())));
  if (hash) {
    report["epochs"] = o.epochs;
    report["batches_sha256"] = hash->hex();
    fmt::print("batches_sha256 {}\n", report["batches_sha256"].get<std::string>());
  }
  report.update(process_report());
  flush_output();
  if (!o.json.empty()) write_json(o.json, report);
  return 0;
}

int bench_read(const BenchOptions& o) {
  check_range("--seconds", o.seconds, 0, 86400);
  const WeightsSummary summary = read_weights_summary(o.weights);
  size_t bytes = 0;
  for (const TensorEntry& t : summary.tensors)
    bytes += static_cast<size_t>(element_count(t.dims)) * dtype_bytes(t.dtype);
  const auto count = static_cast<int64_t>(summary.tensors.size());
  fmt::print("read {}, {}, {} of {}\n", o.weights, weights_format_name(summary.format),
             plural(count, "tensor", "tensors"), format_bytes(static_cast<double>(bytes)));
  flush_output();
  // What a program pays that reads its weights once; later times find memory that the process has already.
  const auto start = std::chrono::steady_clock::now();
  read_weights(o.weights);
  const double first = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  const StepTimes times = measure_steps(o.seconds, [&] { read_weights(o.weights); });
  const double rate = static_cast<double>(bytes) / 1e6 / (times.median() / 1e3);
  fmt::print("{:.0f} MB/s: first {:.1f} ms, then median {:.1f} ms, minimum {:.1f} ms of {}; peak memory {}\n", rate,
             first, times.median(), times.minimum(), plural(static_cast<int64_t>(times.ms.size()), "time", "times"),
             format_bytes(static_cast<double>(peak_rss_bytes())));
  flush_output();
  if (o.json.empty()) return 0;
  nlohmann::ordered_json report = {{"what", "read"}, {"file", o.weights}, {"tensors", count}, {"bytes", bytes}};
  report["megabytes_per_second"] = rate;
  report["first_ms"] = first;
  report["step_ms_median"] = times.median();
  report["step_ms_minimum"] = times.minimum();
  report["steps"] = times.ms.size();
  report.update(process_report());
  write_json(o.json, report);
  return 0;
}

void add_common(CLI::App& command, BenchOptions& o) {
  command.add_option("--batch", o.batch, "pictures a step")->capture_default_str();
  command.add_option("--image-size", o.image_size, "side of the network's input")->capture_default_str();
  add_threads_option(command, o.threads);
  command.add_option("--json", o.json, "write the figures to this file");
}

}  // namespace

Action add_bench(CLI::App& command) {
  auto options = std::make_shared<BenchOptions>();
  BenchOptions& o = *options;
  command.require_subcommand(1);
  command.footer("Example:\n  resflow bench train --model resnet34 --batch 32 --json train.json");

  CLI::App* load = command.add_subcommand("load", "The pipeline alone: files to batches of pixels");
  load->add_option("--data", o.data, "folder of class folders with photographs")->required();
  load->add_option("--recipe", o.recipe, "train (random crop and flip, shuffled) or eval (resize and centre crop)")
      ->capture_default_str();
  load->add_option("--seed", o.seed, "of order, crops and flips")->capture_default_str();
  CLI::Option* load_seconds = load->add_option("--seconds", o.seconds, "to measure for")->capture_default_str();
  load->add_option("--epochs", o.epochs, "go through the data so often and hash all batches (pixels, labels) in order")
      ->excludes(load_seconds);
  add_common(*load, o);
  load->footer(
      "With --epochs the report also holds batches_sha256; hashing costs a little speed.\n\n"
      "Example:\n  resflow bench load --data photos --recipe eval --seconds 5");

  CLI::App* train = command.add_subcommand("train", "Training steps alone, with Adam, on synthetic input");
  add_model_option(*train, o.model);
  train->add_option("--seconds", o.seconds, "to measure for")->capture_default_str();
  add_common(*train, o);
  train->footer("Example:\n  resflow bench train --model resnet34 --batch 32 --seconds 20");

  CLI::App* score = command.add_subcommand("score", "Scoring alone, on synthetic input");
  add_model_option(*score, o.model);
  score->add_option("--seconds", o.seconds, "to measure for")->capture_default_str();
  add_common(*score, o);
  add_precision_options(*score, o.precision);
  score->footer("Example:\n  resflow bench score --model resnet50 --batch 32 --precision bf16 --json score.json");

  CLI::App* read = command.add_subcommand("read", "Reading weights: a file to tensors in memory");
  read->add_option("FILE", o.weights, ".pth, .safetensors or a checkpoint")->required();
  read->add_option("--seconds", o.seconds, "to measure for")->capture_default_str();
  read->add_option("--json", o.json, "write the figures to this file");
  read->footer("Example:\n  resflow bench read resnet50.pth --seconds 3");

  return [options, load, train, score, read] {
    if (read->parsed()) return bench_read(*options);
    if (load->parsed()) return bench_load(*options, resolve_threads(*load, options->threads));
    if (train->parsed()) return bench_train(*options, resolve_threads(*train, options->threads));
    return bench_score(*options, resolve_threads(*score, options->threads));
  };
}

}  // namespace resflow
