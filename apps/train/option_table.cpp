#include "apps/train/option_table.h"

#include <algorithm>

#include "apps/train/augment_options.h"

namespace resflow {
namespace {

using O = TrainOptions;

std::vector<Option<O>> before_weights() {
  return {
      {{.name = "data",
        .help = "folder of class folders with photographs, or one that holds train/ and val/; or a pack (resflow pack)",
        .positional = true},
       option_at<&O::data>},
      {{.name = "val", .help = "validation data: a folder of class folders, or a pack"}, option_at<&O::val>},
      {{.name = "out", .help = "folder for last.resflow, best.resflow and history.csv"}, option_at<&O::out>},
      {{.name = "resume", .help = "go on with the run in {out}, with its options", .excludes = {{{"overwrite"}}}},
       option_at<&O::resume>},
      {{.name = "strict",
        .help = "with {resume}: refuse to go on where machine, threads, versions or pictures are others than before "
                "[warn]"},
       option_at<&O::strict>},
      {{.name = "overwrite", .help = "replace the run in {out}"}, option_at<&O::overwrite>},
      {{.name = "config",
        .help = "TOML file with any of these options, like batch = 16; the command line goes before.\n"
                "Each run writes its own: OUT/config.toml"},
       option_at<&O::config>},
      {{.name = "lr_find",
        .help = "do not train: try learning rates from 1e-7 to 10, write OUT/lr-find.csv and lr-find.svg, advise one",
        .modes = kInNetwork,
        .excludes = {{{"folds", "repeat"}}, {{"resume"}}}},
       option_at<&O::lr_find>},
      {{.name = "folds",
        .help = "cross validation: one run a fold of DATA, into OUT/fold-N; mean and deviation",
        .none = "0",
        .excludes = {{{"repeat"}}}},
       option_at<&O::folds>},
      {{.name = "repeat", .help = "runs with {seed} and the seeds after it, into OUT/seed-N; mean and deviation"},
       option_at<&O::repeat>},
      {{.name = "model", .place = 1}, option_at<&O::model>},
  };
}

std::vector<Option<O>> before_augmentation() {
  return {
      {{.name = "weights",
        .help = "start from these: a file (.pth, .safetensors, .resflow) or MODEL:ENTRY as in resflow weights;\n"
                "{model} is then what they fit, the head is new where the classes are others",
        .place = 2},
       option_at<&O::weights>},
      {{.name = "weights_skip",
        .help = "leave out what this matches, like 'layer4.*' or 'fc.*': initialised anew; may come again",
        .commas = false,
        .place = 3},
       option_at<&O::weights_skip>},
      {{.name = "weights_key",
        .help = "of several models in {weights}: the one under this key, like state_dict_ema",
        .place = 55},
       option_at<&O::weights_key>},
      {{.name = "weights_prefix",
        .help = "of several models in {weights}: the one whose names begin with this, like module.encoder_q",
        .place = 56},
       option_at<&O::weights_prefix>},
      {{.name = "mode",
        .help = "finetune (all of {weights}), partial (all but {freeze}), features (the head alone, on features\n"
                "computed once), svm (a linear SVM on features for a head) or scratch (random values)\n"
                "[what {freeze} and {weights} imply]",
        .place = 4},
       option_at<&O::mode>},
      {{.name = "freeze",
        .help = "parts that stay as they are, like conv1,bn1,layer1 or '*.bn2'; what no gradient passes runs as in\n"
                "scoring and keeps no activations: faster, and smaller",
        .place = 5,
        .modes = kInNetwork,
        .needs = {"mode", {"partial"}}},
       option_at<&O::freeze>},
      {{.name = "freeze_bn",
        .help = "frozen batch norms: eval keeps their running statistics and normalizes with them; train, as\n"
                "PyTorch with requires_grad=False alone, uses the batch's and goes on updating the running ones",
        .place = 6,
        .modes = kInNetwork,
        .needs = {"mode", {"partial"}}},
       option_at<&O::freeze_bn>},
      {{.name = "augment_copies",
        .help = "features, svm: so many augmented copies of each training picture, beside itself",
        .place = 34,
        .modes = kInFeatures | kInSvm},
       option_at<&O::augment_copies>},
      {{.name = "feature_cache",
        .help = "features, svm: folder for computed features, which runs may share [{out}]",
        .place = 37,
        .may_change = true,
        .modes = kInFeatures | kInSvm},
       option_at<&O::feature_cache>},
      {{.name = "svm_c",
        .help = "svm: C, the price of an error [by cross validation: 0.01 to 100]",
        .none = "0",
        .place = 35,
        .modes = kInSvm},
       option_at<&O::svm_c>},
      {{.name = "svm_folds", .help = "svm: parts of the cross validation", .place = 36, .modes = kInSvm},
       option_at<&O::svm_folds>},
      {{.name = "epochs",
        .help = "times to go through the data",
        .place = 39,
        .may_change = true,
        .modes = kInNetwork | kInFeatures},
       option_at<&O::epochs>},
      {{.name = "batch", .help = "pictures a step", .place = 7, .modes = kInNetwork | kInFeatures},
       option_at<&O::batch>},
      {{.name = "image_size",
        .help =
            "side of the network's input, 32 or more [224, or what {weights} were trained at; 32 with {stem} cifar]",
        .none = "0",
        .place = 8},
       option_at<&O::image_size>},
      {{.name = "val_size",
        .help =
            "side of the network's input in validation and scoring [{image_size}, or what {weights} were meant for]",
        .none = "0",
        .place = 73,
        .modes = kInNetwork},
       option_at<&O::val_size>},
      {{.name = "crop_pct",
        .help = "validation and scoring: the part of the short side that the crop shows [0.875, or that of {weights}]",
        .none = "0",
        .place = 74},
       option_at<&O::crop_pct>},
      {{.name = "interpolation",
        .help = "how pictures are resized, as Pillow does it: bilinear or bicubic [bilinear, or as {weights} want it]",
        .place = 75},
       option_at<&O::interpolation>},
      {{.name = "normalize",
        .help =
            "by which mean and deviation: imagenet, or data: over all pixels of the training data, as resflow stats\n"
            "computes it [that of {weights}, else imagenet]",
        .place = 76,
        .excludes = {{{"mean"}}, {{"std"}}}},
       option_at<&O::normalize>},
      {{.name = "mean", .help = "R,G,B: subtracted from values between 0 and 1, with {std}", .place = 77},
       option_at<&O::mean>},
      {{.name = "std", .help = "R,G,B: what the difference is divided by", .place = 78}, option_at<&O::std>},
      {{.name = "precision", .place = 10, .modes = kInNetwork}, option_at<&O::precision>},
      {{.name = "force_precision",
        .place = 11,
        .may_change = true,
        .modes = kInNetwork,
        .needs = {"precision", {"bf16"}}},
       option_at<&O::force_precision>},
      {{.name = "optimizer",
        .help = "adam, adamw, sgd, rmsprop; lars or lamb for batches of thousands",
        .place = 12,
        .modes = kInNetwork | kInFeatures},
       option_at<&O::optimizer>},
      {{.name = "lr",
        .help = "learning rate [0.001; sgd 0.1, rmsprop 0.01, lars 1]",
        .none = "-1",
        .place = 13,
        .modes = kInNetwork | kInFeatures},
       option_at<&O::lr>},
      {{.name = "momentum",
        .help = "of sgd [0.9], lars [0.9] and rmsprop [0]",
        .none = "-1",
        .place = 14,
        .modes = kInNetwork | kInFeatures,
        .needs = {"optimizer", {"sgd", "rmsprop", "lars"}}},
       option_at<&O::momentum>},
      {{.name = "nesterov",
        .help = "Nesterov's momentum, of sgd and lars",
        .place = 15,
        .modes = kInNetwork | kInFeatures,
        .needs = {"optimizer", {"sgd", "lars"}}},
       option_at<&O::nesterov>},
      {{.name = "weight_decay",
        .help = "[adam 0, adamw 0.01, sgd 0.0001, rmsprop 0, lars 0.0001, lamb 0.01]",
        .none = "-1",
        .place = 16,
        .modes = kInNetwork | kInFeatures},
       option_at<&O::weight_decay>},
      {{.name = "no_decay_norm_bias",
        .help = "no weight decay for batch norms and biases; lars and lamb never have it there",
        .place = 18,
        .modes = kInNetwork | kInFeatures},
       option_at<&O::no_decay_norm_bias>},
      {{.name = "lr_backbone",
        .help = "learning rate of all but the head [{lr}]; the schedule scales both",
        .none = "-1",
        .place = 19,
        .modes = kInNetwork},
       option_at<&O::lr_backbone>},
      {{.name = "scale_lr",
        .help =
            "the rates are meant for an update of so many pictures, like 256, and grow with {batch} and {accumulate}\n"
            "by the linear rule; 0: they are taken as they are",
        .place = 57,
        .modes = kInNetwork | kInFeatures},
       option_at<&O::scale_lr>},
      {{.name = "schedule",
        .help = "of the learning rate: none, step, multistep, cosine or plateau by epochs, onecycle by steps,\n"
                "as torch.optim.lr_scheduler",
        .place = 20,
        .modes = kInNetwork | kInFeatures},
       option_at<&O::schedule>},
      {{.name = "warmup_epochs",
        .help =
            "epochs in which the rate rises from 0.01 of {lr}, before any schedule [0; 5 where {scale_lr} raises it]",
        .none = "-1",
        .place = 21,
        .modes = kInNetwork | kInFeatures},
       option_at<&O::warmup_epochs>},
      {{.name = "step_size",
        .help = "step: epochs between drops",
        .place = 22,
        .modes = kInNetwork | kInFeatures,
        .needs = {"schedule", {"step"}}},
       option_at<&O::step_size>},
      {{.name = "milestones",
        .help = "multistep: epochs of the drops, like 30,60,80",
        .place = 24,
        .modes = kInNetwork | kInFeatures,
        .needs = {"schedule", {"multistep"}}},
       option_at<&O::milestones>},
      {{.name = "gamma",
        .help = "step, multistep, plateau: factor of a drop",
        .place = 25,
        .modes = kInNetwork | kInFeatures,
        .needs = {"schedule", {"step", "multistep", "plateau"}}},
       option_at<&O::gamma>},
      {{.name = "min_lr",
        .help = "cosine, plateau: where the rate ends",
        .place = 26,
        .modes = kInNetwork | kInFeatures,
        .needs = {"schedule", {"cosine", "plateau"}}},
       option_at<&O::min_lr>},
      {{.name = "patience",
        .help = "plateau: epochs without a lower loss (validation's where there is one)",
        .place = 23,
        .modes = kInNetwork | kInFeatures,
        .needs = {"schedule", {"plateau"}}},
       option_at<&O::patience>},
      {{.name = "clip_norm",
        .help = "largest norm of all gradients together, as torch's clip_grad_norm_; 0: as they come [0; lamb 1]",
        .none = "-1",
        .place = 28,
        .modes = kInNetwork | kInFeatures},
       option_at<&O::clip_norm>},
      {{.name = "accumulate",
        .help = "batches whose mean gradient makes one update: a larger batch in the memory of a small one",
        .place = 29,
        .modes = kInNetwork},
       option_at<&O::accumulate>},
      {{.name = "ema",
        .help = "decay of an average of the weights over the steps, like 0.999: it is validated and becomes\n"
                "best.resflow; 0: none",
        .place = 30,
        .modes = kInNetwork},
       option_at<&O::ema>},
      {{.name = "early_stop",
        .help = "stop after so many epochs without a better validation accuracy; 0: never",
        .place = 38,
        .may_change = true,
        .modes = kInNetwork | kInFeatures},
       option_at<&O::early_stop>},
      {{.name = "class_weights",
        .help = "none, or balanced: the loss, validation's too, weighs a class by pictures / (classes * its pictures)",
        .place = 27},
       option_at<&O::class_weights>},
      {{.name = "label_smoothing",
        .help = "part of the target spread over all classes",
        .place = 17,
        .modes = kInNetwork | kInFeatures},
       option_at<&O::label_smoothing>},
      {{.name = "seed", .help = "of the initial values, the order and the augmentation", .place = 9},
       option_at<&O::seed>},
  };
}

std::vector<Option<O>> after_augmentation() {
  return {
      {{.name = "sampler",
        .help = "shuffle, or balanced: every class as often as the others, drawn with replacement",
        .place = 31,
        .modes = kInNetwork},
       option_at<&O::sampler>},
      {{.name = "exif",
        .help = "turn pictures upright as their EXIF orientation says; torchvision does not",
        .place = 32},
       option_at<&O::exif>},
      {{.name = "decode", .place = 33}, option_at<&O::decode>},
      {{.name = "exclude",
        .help = "leave out files and folders of this name or pattern, like .ipynb_checkpoints or '._*'; with slashes\n"
                "it is compared with the end of the path; may come again",
        .commas = false,
        .place = 58},
       option_at<&O::exclude>},
      {{.name = "extensions",
        .help = "take files with these endings, too, like .jfif,.jpe; a dot alone: names without an ending",
        .place = 59},
       option_at<&O::extensions>},
      {{.name = "max_pixels",
        .help = "a picture of more cannot be read, which its header says before anything is decoded",
        .place = 53},
       option_at<&O::max_pixels>},
      {{.name = "truncated",
        .help = "a picture whose file ends early: refuse, it cannot be read; take, with what there is of its pixels",
        .place = 54},
       option_at<&O::truncated>},
      {{.name = "grey16",
        .help = "16-bit grey pictures: clip what is above 255 to white, as Pillow does, or scale to 8 bits",
        .place = 72},
       option_at<&O::grey16>},
      {{.name = "threads", .none = "0", .place = 40, .may_change = true}, option_at<&O::threads>},
      {{.name = "pin", .place = 41, .may_change = true}, option_at<&O::pin>},
      {{.name = "on_error",
        .help = "a picture that cannot be read: skip (and report) or stop",
        .place = 43,
        .may_change = true},
       option_at<&O::on_error>},
      {{.name = "outage",
        .help =
            "so many files in a row that cannot be opened are a disk that is gone: the run saves and ends, and can be\n"
            "resumed; 0: they are left out, however many they are"},
       option_at<&O::outage>},
      {{.name = "save_every",
        .help = "steps between savings within an epoch; 0: after epochs only",
        .place = 42,
        .may_change = true,
        .modes = kInNetwork},
       option_at<&O::save_every>},
      {{.name = "keep", .help = "generations of last.resflow to keep"}, option_at<&O::keep>},
  };
}

std::vector<Option<O>> whole_table() {
  std::vector<Option<O>> all = before_weights();
  for (const Option<StructureOptions>& option : structure_option_table())
    all.push_back(option_of_part(option, &O::structure));
  for (Option<O>& option : before_augmentation()) all.push_back(std::move(option));
  for (const Option<AugmentOptions>& option : augment_option_table())
    all.push_back(option_of_part(option, &O::augment));
  for (Option<O>& option : after_augmentation()) all.push_back(std::move(option));
  return all;
}

std::vector<const Option<O>*> saved_rows() {
  std::vector<const Option<O>*> saved;
  for (const Option<O>& option : train_option_table())
    if (option.place > 0) saved.push_back(&option);
  std::sort(saved.begin(), saved.end(), [](const auto* a, const auto* b) { return a->place < b->place; });
  return saved;
}

}  // namespace

const std::vector<Option<TrainOptions>>& train_option_table() {
  static const std::vector<Option<O>> all = whole_table();
  return all;
}

const std::vector<const Option<TrainOptions>*>& saved_option_table() {
  static const std::vector<const Option<O>*> saved = saved_rows();
  return saved;
}

}  // namespace resflow
