// resflow train: photographs in class folders to a trained ResNet.
#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "apps/commands.h"
#include "apps/host/console.h"
#include "apps/host/pinning.h"
#include "apps/host/signals.h"
#include "apps/host/terminal_listener.h"
#include "apps/model/precision.h"
#include "apps/options/augment_options.h"
#include "apps/options/common.h"
#include "apps/options/config_file.h"
#include "apps/options/precision_options.h"
#include "apps/train/repeated_runs.h"
#include "apps/train/run_training.h"
#include "apps/train/train_options.h"
#include "apps/train/training_run.h"
#include "io/core/error.h"

namespace resflow {
namespace {

int train(const TrainOptions& options) {
  if (options.data.empty()) throw usage_error("DATA is required (see resflow train --help)");
  {  // what cannot be is said before anything is read or made; a resumed run has the rest of its options yet to read
    TrainOptions checked = options;
    if (!options.resume) resolve(checked);
  }
  if (options.folds > 0 || options.repeat > 1) return train_repeatedly(options);
  TerminalListener listener;
  TrainingData data = load_training_data(options.data, options.val, listener);
  if (options.lr_find) {
    TrainingRun run(options, std::move(data));
    return run.find_lr() ? 0 : 128 + stop_signal();
  }
  const TrainingOutcome outcome = run_training(options, data);
  if (outcome.finished && !outcome.records.empty())
    fmt::print("trained    {}\nnext       resflow score {} PHOTO-OR-FOLDER\n", outcome.best, outcome.best);
  flush_output();
  return 0;
}

}  // namespace

Action add_train(CLI::App& command) {
  auto options = std::make_shared<TrainOptions>();
  TrainOptions& o = *options;
  command.add_option(
      "DATA", o.data,
      "folder of class folders with photographs, or one that holds train/ and val/; or a pack (resflow pack)");
  command.add_option("--val", o.val, "validation data: a folder of class folders, or a pack");
  command.add_option("--out", o.out, "folder for last.resflow, best.resflow and history.csv")->capture_default_str();
  command.add_flag("--resume", o.resume, "go on with the run in --out, with its options");
  command.add_flag("--overwrite", o.overwrite, "replace the run in --out");
  command.add_option("--config", o.config,
                     "TOML file with any of these options, like batch = 16; the command line goes before.\n"
                     "Each run writes its own: OUT/config.toml");
  command.add_flag(
      "--lr-find", o.lr_find,
      "do not train: try learning rates from 1e-7 to 10, write OUT/lr-find.csv and lr-find.svg, advise one");
  command.add_option("--folds", o.folds,
                     "cross validation: one run a fold of DATA, into OUT/fold-N; mean and deviation");
  command
      .add_option("--repeat", o.repeat, "runs with --seed and the seeds after it, into OUT/seed-N; mean and deviation")
      ->capture_default_str();

  add_model_option(command, o.model);
  command.add_option("--weights", o.weights,
                     "start from these: a file (.pth, .safetensors, .resflow) or MODEL:ENTRY as in resflow weights;\n"
                     "--model is then what they fit, the head is new where the classes are others");
  command
      .add_option("--weights-skip", o.weights_skip,
                  "leave out what this matches, like 'layer4.*' or 'fc.*': initialised anew; may come again")
      ->allow_extra_args(false);
  command.add_option("--mode", o.mode,
                     "finetune (all of --weights), partial (all but --freeze), features (the head alone, on features\n"
                     "computed once), svm (a linear SVM on features for a head) or scratch (random values)\n"
                     "[what --freeze and --weights imply]");
  command
      .add_option("--freeze", o.freeze,
                  "parts that stay as they are, like conv1,bn1,layer1 or '*.bn2'; what no gradient passes runs as in\n"
                  "scoring and keeps no activations: faster, and smaller")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      .add_option("--freeze-bn", o.freeze_bn,
                  "frozen batch norms: eval keeps their running statistics and normalizes with them; train, as\n"
                  "PyTorch with requires_grad=False alone, uses the batch's and goes on updating the running ones")
      ->capture_default_str();
  command
      .add_option("--augment-copies", o.augment_copies,
                  "features, svm: so many augmented copies of each training picture, beside itself")
      ->capture_default_str();
  command.add_option("--feature-cache", o.feature_cache,
                     "features, svm: folder for computed features, which runs may share [--out]");
  command.add_option("--svm-c", o.svm_c, "svm: C, the price of an error [by cross validation: 0.01 to 100]");
  command.add_option("--svm-folds", o.svm_folds, "svm: parts of the cross validation")->capture_default_str();
  command.add_option("--epochs", o.epochs, "times to go through the data")->capture_default_str();
  command.add_option("--batch", o.batch, "pictures a step")->capture_default_str();
  command.add_option("--image-size", o.image_size, "side of the network's input, 32 or more")->capture_default_str();
  add_training_precision_options(command, o.precision, o.force_precision);
  command.add_option("--optimizer", o.optimizer, "adam, adamw, sgd or rmsprop")->capture_default_str();
  command.add_option("--lr", o.lr, "learning rate [0.001; sgd 0.1, rmsprop 0.01]");
  command.add_option("--momentum", o.momentum, "of sgd [0.9] and rmsprop [0]");
  command.add_flag("--nesterov", o.nesterov, "Nesterov's momentum, of sgd");
  command.add_option("--weight-decay", o.weight_decay, "[adam 0, adamw 0.01, sgd 0.0001, rmsprop 0]");
  command.add_flag("--no-decay-norm-bias", o.no_decay_norm_bias, "no weight decay for batch norms and biases");
  command.add_option("--lr-backbone", o.lr_backbone,
                     "learning rate of all but the head [--lr]; the schedule scales both");
  command
      .add_option("--schedule", o.schedule,
                  "of the learning rate: none, step, multistep, cosine or plateau by epochs, onecycle by steps,\n"
                  "as torch.optim.lr_scheduler")
      ->capture_default_str();
  command
      .add_option("--warmup-epochs", o.warmup_epochs,
                  "epochs in which the rate rises from 0.01 of --lr, before any schedule")
      ->capture_default_str();
  command.add_option("--step-size", o.step_size, "step: epochs between drops")->capture_default_str();
  command.add_option("--milestones", o.milestones, "multistep: epochs of the drops, like 30,60,80")
      ->delimiter(',')
      ->allow_extra_args(false);
  command.add_option("--gamma", o.gamma, "step, multistep, plateau: factor of a drop")->capture_default_str();
  command.add_option("--min-lr", o.min_lr, "cosine, plateau: where the rate ends")->capture_default_str();
  command
      .add_option("--patience", o.patience, "plateau: epochs without a lower loss (validation's where there is one)")
      ->capture_default_str();
  command
      .add_option("--clip-norm", o.clip_norm,
                  "largest norm of all gradients together, as torch's clip_grad_norm_; 0: as they come")
      ->capture_default_str();
  command
      .add_option("--accumulate", o.accumulate,
                  "batches whose mean gradient makes one update: a larger batch in the memory of a small one")
      ->capture_default_str();
  command
      .add_option("--ema", o.ema,
                  "decay of an average of the weights over the steps, like 0.999: it is validated and becomes\n"
                  "best.resflow; 0: none")
      ->capture_default_str();
  command
      .add_option("--early-stop", o.early_stop,
                  "stop after so many epochs without a better validation accuracy; 0: never")
      ->capture_default_str();
  command
      .add_option(
          "--class-weights", o.class_weights,
          "none, or balanced: the loss, validation's too, weighs a class by pictures / (classes * its pictures)")
      ->capture_default_str();
  command.add_option("--label-smoothing", o.label_smoothing, "part of the target spread over all classes")
      ->capture_default_str();
  command.add_option("--seed", o.seed, "of the initial values, the order and the augmentation")->capture_default_str();
  add_augment_options(command, o.augment);
  add_mix_options(command, o.augment);
  command
      .add_option("--sampler", o.sampler,
                  "shuffle, or balanced: every class as often as the others, drawn with replacement")
      ->capture_default_str();
  command.add_flag("--exif", o.exif, "turn pictures upright as their EXIF orientation says; torchvision does not");
  add_decode_option(command, o.decode);
  add_threads_option(command, o.threads);
  add_pin_option(command, o.pin);

  command.add_option("--on-error", o.on_error, "a picture that cannot be read: skip (and report) or stop")
      ->capture_default_str();
  command.add_option("--save-every", o.save_every, "steps between savings within an epoch; 0: after epochs only")
      ->capture_default_str();
  command.add_option("--keep", o.keep, "generations of last.resflow to keep")->capture_default_str();

  command.footer(
      "Ctrl-C, SIGTERM and SIGUSR1 save after the current step and exit with 0; --resume then goes on to the\n"
      "same bits as a run that was never stopped. best.resflow has the best validation accuracy; without\n"
      "validation data it is the last epoch's.\n\n"
      "From pretrained weights, with few photographs, a lower rate than the default is usual: --lr 1e-4.\n\n"
      "Example:\n"
      "  resflow train photos --val photos-val --model resnet18 --epochs 20 --out run\n"
      "  resflow train photos --val photos-val --out run --resume\n"
      "  resflow train photos --weights resnet34:DEFAULT --lr 1e-4 --epochs 5 --out run\n"
      "  resflow train photos --weights resnet34:DEFAULT --freeze conv1,bn1,layer1,layer2,layer3 --lr 1e-4\n"
      "  resflow train photos --weights resnet34:DEFAULT --mode features --epochs 100\n"
      "  resflow train photos --weights resnet34:DEFAULT --mode svm");

  return [options, &command] {
    if (!options->config.empty()) apply_config(command, options->config);
    for (const CLI::Option* option : command.get_options())
      if (option->count() > 0) options->given.insert(option->get_name());
    return train(*options);
  };
}

}  // namespace resflow
