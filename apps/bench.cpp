// resflow bench: how fast this machine loads, trains, scores and reads weights, and what holds it back. Each of its
// subcommands is a file in apps/bench.
#include <CLI/CLI.hpp>
#include <array>
#include <memory>

#include "apps/bench/commands.h"
#include "apps/commands.h"
#include "apps/host/pinning.h"
#include "apps/options/common.h"
#include "apps/options/precision_options.h"
#include "apps/options/structure_options.h"
#include "apps/score/executor_choice.h"

namespace resflow {
namespace {

void add_common(CLI::App& command, BenchOptions& o) {
  command.add_option("--batch", o.batch, "pictures a step")->capture_default_str();
  command.add_option("--image-size", o.image_size, "side of the network's input [224; 32 with --stem cifar]");
  add_threads_option(command, o.threads);
  add_pin_option(command, o.pin);
  add_json_option(command, o.json, "the figures");
}

}  // namespace

Action add_bench(CLI::App& command) {
  auto options = std::make_shared<BenchOptions>();
  BenchOptions& o = *options;
  command.require_subcommand(1);
  command.footer("Example:\n  resflow bench train --model resnet34 --batch 32 --json train.json");

  CLI::App* load = command.add_subcommand("load", "The pipeline alone: files to batches of pixels");
  load->add_option("--data", o.data, "folder of class folders with photographs, or a pack of one")->required();
  load->add_option("--recipe", o.recipe, "train (random crop and flip, shuffled) or eval (resize and centre crop)")
      ->capture_default_str();
  add_decode_option(*load, o.decode);
  add_interpolation_option(*load, o.interpolation, "bilinear");
  load->add_option("--seed", o.seed, "of order, crops and flips")->capture_default_str();
  CLI::Option* load_seconds = load->add_option("--seconds", o.seconds, "to measure for")->capture_default_str();
  load->add_option("--epochs", o.epochs, "go through the data so often and hash all batches (pixels, labels) in order")
      ->excludes(load_seconds);
  add_common(*load, o);
  load->footer(
      "With --epochs the report also holds batches_sha256; hashing costs a little speed.\n\n"
      "Example:\n  resflow bench load --data photos --recipe eval --seconds 5");

  CLI::App* train = command.add_subcommand("train", "Training steps alone, with Adam, on synthetic input");
  CLI::Option* train_model = add_model_option(*train, o.model);
  add_structure_options(*train, o.structure);
  train->add_option("--seconds", o.seconds, "to measure for")->capture_default_str();
  add_common(*train, o);
  add_training_precision_options(*train, o.precision.name, o.precision.force);
  train->footer("Example:\n  resflow bench train --model resnet34 --batch 32 --precision bf16 --seconds 20");

  CLI::App* score = command.add_subcommand("score", "Scoring alone, on synthetic input");
  CLI::Option* score_model = add_model_option(*score, o.model);
  add_structure_options(*score, o.structure);
  score->add_option("--seconds", o.seconds, "to measure for")->capture_default_str();
  add_common(*score, o);
  add_precision_options(*score, o.precision);
  add_executors_option(*score, o.executors);
  score->footer(
      "With several executors a step is a batch of each.\n\n"
      "Example:\n"
      "  resflow bench score --model resnet50 --batch 32 --precision bf16 --json score.json\n"
      "  resflow bench score --model resnet50 --batch 1 --precision bf16 --executors latency");

  CLI::App* read = command.add_subcommand("read", "Reading weights: a file to tensors in memory");
  read->add_option("FILE", o.weights, ".pth, .safetensors or a checkpoint")->required();
  read->add_option("--seconds", o.seconds, "to measure for")->capture_default_str();
  add_json_option(*read, o.json, "the figures");
  read->footer("Example:\n  resflow bench read resnet50.pth --seconds 3");

  const std::array<BenchSubcommand, 2> more = {add_bench_pipeline(command), add_bench_layers(command)};
  return [options, load, train, score, read, train_model, score_model, more] {
    for (const BenchSubcommand& subcommand : more)
      if (subcommand.app->parsed()) return subcommand.run();
    if (read->parsed()) return bench_read(*options);
    settle_model(*options, train_model->count() + score_model->count() > 0);
    if (load->parsed()) return bench_load(*options, resolve_threads(*load, options->threads, options->pin));
    if (train->parsed()) return bench_train(*options, resolve_threads(*train, options->threads, options->pin));
    return bench_score(*options, resolve_threads(*score, options->threads, options->pin));
  };
}

}  // namespace resflow
