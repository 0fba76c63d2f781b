// resflow bench pipeline: each stage, the loader, the model and all together, with several numbers of threads.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/bench/commands.h"
#include "apps/bench/compare.h"
#include "apps/bench/pipeline_report.h"
#include "apps/data/damaged_packs.h"
#include "apps/host/console.h"
#include "apps/host/pinning.h"
#include "apps/host/signals.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/machine/process_report.h"
#include "apps/machine/scratch_folder.h"
#include "apps/options/common.h"
#include "apps/options/structure_options.h"
#include "graph/model/model_zoo.h"
#include "io/core/check_range.h"
#include "io/core/error.h"
#include "io/files/file.h"
#include "io/files/outputs.h"

namespace resflow {
namespace {

constexpr int64_t kPictures = 512, kDrawnPictures = 64;

struct PipelineCommand {
  std::string data, recipe, json, html, compare;
  bool synthetic = false;
  BenchNetwork::Options network;
  int threads = 0;
  bool pin = false;
  std::vector<int> sweep;
  int64_t pictures = 0;  // 0: the default
  double seconds = 1, tolerance = 3;
  int repeats = 6;
};

void check(const PipelineCommand& o) {
  if (o.data.empty() && !o.synthetic)
    throw usage_error("no pictures: give --data with a folder of class folders, or --synthetic");
  if (!o.data.empty() && o.synthetic) throw usage_error("--data and --synthetic: give one of them");
  check_range("--batch", static_cast<double>(o.network.batch), 1, 65536);
  check_range("--image-size", static_cast<double>(o.network.image_size), kMinImageSize, 4096);
  check_range("--seconds", o.seconds, 0, 86400);
  check_range("--repeats", o.repeats, 1, 1000);
  check_range("--tolerance", o.tolerance, 0, 99);
  if (o.pictures < 0) throw usage_error("--pictures is {}: wanted at least 1", o.pictures);
  for (const int threads : o.sweep) check_range("--sweep", threads, 1, 65536);
  if (!o.recipe.empty() && o.recipe != "train" && o.recipe != "eval")
    throw usage_error("--recipe {}: wanted train or eval", o.recipe);
  check_outputs({{"--json", o.json}, {"--html", o.html}});
}

std::vector<int> ascending(std::vector<int> numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

// The earlier file, if one was given. What cannot be compared is an Error here, before minutes of measuring.
std::optional<nlohmann::json> load_earlier(const PipelineCommand& o, const PipelineReport& report) {
  if (o.compare.empty()) return std::nullopt;
  nlohmann::json before = read_bench(o.compare);
  for (const std::string& remark : check_comparable(o.compare, before, pipeline_json(report))) warn(remark);
  return before;
}

int bench_pipeline(const PipelineCommand& o, const CLI::App& command) {
  obey_stop_signals();
  check(o);
  std::vector<int> threads = ascending(o.sweep);
  if (threads.empty())
    threads = threads_to_sweep(resolve_threads(command, o.threads, o.pin));
  else if (o.pin)
    pin_threads(threads.back());
  const ThreadLimit limit(threads.back());

  PipelineReport report = {.data = o.data,
                           .recipe = o.recipe.empty() ? (o.network.train ? "train" : "eval") : o.recipe};
  report.options = {.network = o.network, .threads = threads, .seconds = o.seconds, .repeats = o.repeats};
  std::optional<ScratchFolder> drawn;
  const int64_t wanted = o.pictures > 0 ? o.pictures : o.synthetic ? kDrawnPictures : kPictures;
  if (o.synthetic) {
    drawn.emplace();
    draw_bench_photos(*drawn / "photos", wanted, threads.back());
  }
  const Dataset whole = list_image_folder(o.synthetic ? *drawn / "photos" : o.data);
  TerminalListener listener;
  warn_of_damaged_packs(whole.samples, listener);
  report.options.network.classes = std::max<int64_t>(1000, static_cast<int64_t>(whole.classes.size()));
  const auto size = static_cast<int>(o.network.image_size);
  const BenchPictures pictures(spread_pictures(whole, wanted),
                               report.recipe == "train" ? Recipe::train(size) : Recipe::eval(eval_preprocessing(size)),
                               o.network.seed, threads.back());
  report.pictures_there = static_cast<int64_t>(whole.samples.size());
  report.pictures = static_cast<int64_t>(pictures.all.size());
  report.broken = pictures.broken;
  report.bytes = pictures.bytes;
  const std::optional<nlohmann::json> before = load_earlier(o, report);

  print_pipeline_setup(report);
  report.result = measure_pipeline(pictures, report.options);
  if (report.result.stopped) {
    return say_stopped(" before all repeats were made; nothing is written");
  }
  report.bottleneck = bottleneck_of(report);
  print_pipeline(report);
  const nlohmann::ordered_json now = pipeline_json(report);
  if (!o.json.empty()) write_json(o.json, now);
  if (!o.html.empty()) replace_text_file(o.html, pipeline_html(report));
  if (!before) return 0;
  const BenchComparison comparison = compare_bench(o.compare, *before, now, o.tolerance / 100);
  print_text(comparison_text(o.compare, comparison, o.tolerance / 100));
  return comparison.slower() > 0 ? 1 : 0;
}

}  // namespace

BenchSubcommand add_bench_pipeline(CLI::App& bench) {
  auto options = std::make_shared<PipelineCommand>();
  PipelineCommand& o = *options;
  CLI::App* command = bench.add_subcommand(
      "pipeline", "Each stage alone, the loader, the model, and all together: what holds the pipeline back");
  command->add_option("--data", o.data, "folder of class folders with photographs, or a pack of one");
  command->add_flag("--synthetic", o.synthetic,
                    "draw pictures like photographs instead, 500 pixels wide, removed at the end");
  command->add_option(
      "--pictures", o.pictures,
      fmt::format("work on so many, evenly spread over the data; fewer where their pixels would take more "
                  "than 1 GB [{}, drawn {}]",
                  kPictures, kDrawnPictures));
  CLI::Option* model = add_model_option(*command, o.network.model);
  add_structure_options(*command, o.network.structure);
  command->add_flag("--train", o.network.train, "steps of training with Adam as the model's part [scoring]");
  command->add_option("--recipe", o.recipe,
                      "train (random crop and flip) or eval (resize and centre crop) [eval, with --train train]");
  command->add_option("--batch", o.network.batch, "pictures a step")->capture_default_str();
  command->add_option("--image-size", o.network.image_size, "side of the network's input [224; 32 with --stem cifar]");
  command->add_option("--seed", o.network.seed, "of order, crops and flips")->capture_default_str();
  CLI::Option* threads = add_threads_option(*command, o.threads);
  threads->description("measure with 1, 2, 3, 4, then twice as many, up to so many " + threads->get_description());
  add_pin_option(*command, o.pin);
  command->add_option("--sweep", o.sweep, "measure with these numbers of threads: 1,2,8")
      ->delimiter(',')
      ->excludes(threads);
  command->add_option("--seconds", o.seconds, "each part in each repeat, at least")->capture_default_str();
  command->add_option("--repeats", o.repeats, "of everything; 6 are the fewest for an interval of 95 %")
      ->capture_default_str();
  add_json_option(*command, o.json, "the figures, as docs/bench-json.md has them,");
  command->add_option("--html", o.html, "write a page with table and plots to this file");
  command->add_option("--compare", o.compare,
                      "an earlier --json: print the ratios, and exit with 1 where a part is slower");
  command->add_option("--tolerance", o.tolerance, "percent that --compare does not mind")->capture_default_str();
  command->footer(
      "A part is slower than it was where its interval lies wholly below the earlier one and its median is lower by "
      "more "
      "than\n--tolerance. Exit code 3 where the earlier file measured another model, batch, recipe or other pictures.\n"
      "Efficiency is the speed a thread against the fewest threads measured.\n"
      "The model is compared with a product of two matrices, two operations a multiply-add of the convolutions as they "
      "are\nwritten down; Winograd needs fewer, so it can pass 100 %.\n\n"
      "Example:\n"
      "  resflow bench pipeline --data photos --json now.json --html now.html\n"
      "  resflow bench pipeline --data photos --compare now.json\n"
      "  resflow bench pipeline --synthetic --model resnet18 --train --batch 16 --sweep 1,2,4");
  return {command, [options, command, model] {
            BenchNetwork::Options& network = options->network;
            network.model = model_or_unnamed(network.model, model->count() > 0, network.structure);
            if (network.image_size == 0)
              network.image_size = usual_image_size(description_of(network.model, network.structure, 1));
            return bench_pipeline(*options, *command);
          }};
}

}  // namespace resflow
