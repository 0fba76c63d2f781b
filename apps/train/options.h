// The options of a training run: their defaults and limits. apps/train/option_table.h has what else is known of each.
//
// Defaults are those of PyTorch's optimizers, and of torchvision's reference training for SGD.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "apps/model/structure.h"
#include "apps/train/augment_options.h"
#include "graph/train/schedule.h"
#include "graph/train/trainer.h"
#include "io/images/decode.h"
#include "io/pictures/selection.h"

namespace resflow {

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): there is one of it, in the order in which people read it
struct TrainOptions {
  std::string data = {}, val = {};
  std::string out = "run";
  bool resume = false, overwrite = false;
  bool strict = false;  // a resumed run goes on only where machine, versions and pictures are those of before
  int keep = 2;

  std::string model = "resnet34";   // where `weights` is given and this is not: the model that they fit
  StructureOptions structure = {};  // what else the network is: apps/model/structure.h
  std::string weights = {};         // a file, or torchvision's entry; empty: random initial values
  std::string weights_key = {}, weights_prefix = {};  // which of several models in the file: apps/model/model_file.h
  std::vector<std::string> weights_skip = {};  // patterns of the names of parameters that are not taken from `weights`
  std::string mode = {};  // "finetune", "partial", "features", "svm", "scratch"; empty: `freeze` and `weights` imply it
  std::vector<std::string> freeze = {};  // patterns of modules and parameters that stay as they are
  std::string freeze_bn = "eval";        // "eval", "train": graph/model/freeze.h
  int64_t augment_copies = 0;  // features, svm: how many augmented copies of each training picture are trained on, too
  std::string feature_cache = {};  // features, svm: a folder that several runs share; empty: the folder of the run
  double svm_c = 0;                // the price of an error; 0: cross validation finds it
  int svm_folds = 5;
  int64_t epochs = 10;
  int batch = 32;
  int image_size = 0;   // of training; 0: what the weights or the network are meant for, 224, or 32 with CIFAR's stem
  int val_size = 0;     // of validation and scoring; 0: as in training, or what the weights were meant for
  double crop_pct = 0;  // of validation: part of the short side that the crop shows; 0: the weights' own, 0.875
  std::string interpolation = {};           // "bilinear", "bicubic"; empty: the weights' own, bilinear
  std::string normalize = {};               // "imagenet", "data"; empty: the weights' own, ImageNet's
  std::vector<double> mean = {}, std = {};  // of red, green and blue between 0 and 1, instead of `normalize`
  uint64_t seed = 0;
  int threads = 0;  // 0: every CPU that this process may use
  bool pin = false;
  std::string precision = "f32";  // of activations and their gradients: "f32" or "bf16"
  bool force_precision = false;   // bf16 also on a CPU without instructions for it
  std::string optimizer = "adam";
  // -1 stands for what fits the optimizer:
  //            lr     momentum  weight decay
  //   adam     0.001            0
  //   adamw    0.001            0.01
  //   sgd      0.1    0.9       0.0001
  //   rmsprop  0.01   0         0
  //   lars     1      0.9       0.0001
  //   lamb     0.001            0.01
  double lr = -1, momentum = -1, weight_decay = -1;
  bool nesterov = false;
  bool no_decay_norm_bias = false;  // weight decay does not change batch norms and biases; always so of lars and lamb
  double lr_backbone = -1;          // of all layers but the head; -1: the same as `lr`
  int64_t scale_lr = 0;             // the rates are meant for an update of so many pictures; 0: of as many as there are
  std::string schedule = "none";    // graph/train/schedule.h explains it, and the six that follow
  int64_t warmup_epochs = -1;       // -1: 5, at most half of all, where `scale_lr` raises the rate, else 0
  int64_t step_size = 30, patience = 10;
  std::vector<int64_t> milestones = {};
  double gamma = 0.1, min_lr = 0;
  double clip_norm = -1;        // the largest norm of all gradients together; 0: not clipped; -1: 1 for lamb, else 0
  int accumulate = 1;           // batches whose mean gradient makes one update
  double ema = 0;               // decay of the average of the weights that is validated and kept as best; 0: no average
  AugmentOptions augment = {};  // apps/train/augment_options.h
  std::string sampler = "shuffle";  // "shuffle", "balanced": classes drawn alike, with replacement
  bool exif = false;                // pictures are turned upright as their EXIF data say
  std::string decode = "exact";     // "exact", "fast"
  std::vector<std::string> exclude = {}, extensions = {};  // Selection (io/pictures/selection.h)
  int64_t max_pixels = kMaxPixels;   // a picture of more is broken: Acceptance (io/images/decode.h)
  std::string truncated = "refuse";  // "refuse", "take": a picture that ends early
  std::string grey16 = "clip";       // "clip", "scale": what becomes of 16-bit grey
  int64_t early_stop = 0;            // the run ends after so many epochs without a better validation accuracy; 0: never
  std::string class_weights = "none";  // "none", "balanced"
  double label_smoothing = 0;
  std::string on_error = "skip";  // "skip", "stop"
  int64_t outage = 50;       // so many files in a row that cannot be read end the run; 0: any number may be missing
  int64_t save_every = 200;  // steps between savings within an epoch; 0: savings come after epochs only

  std::string config = {};  // a TOML file with any of the others
  bool lr_find = false;     // instead of training
  int folds = 0;            // of a cross validation; 0: none is made
  int repeat = 1;           // how many seeds are trained with

  std::set<std::string> given = {};  // names of the options that the user wrote: "lr"

  Selection selection() const { return {.exclude = exclude, .extensions = extensions}; }
  double base_lr() const;  // `lr` as `scale_lr` makes it
  OptimizerOptions optimizer_options() const;
  ScheduleOptions schedule_options(int64_t epoch_steps = 1) const;  // of the optimizer, an epoch
};

// Puts numbers in place of "what fits the others". `threads` stays 0 where `pin` is on and nobody gave a number:
// whoever pins the threads decides it then. Throws Error{kUsage} for values that cannot be, for options that exclude
// each other, and for options that were given and would do nothing beside the others.
void resolve(TrainOptions& options);

// What a run goes by: what resolve() makes of the options, and where `resume` is on also of those that the run in `out`
// began with. Changes nothing else. Throws as resolve() and adopt_saved() do, and Error{kData} where the run to be
// resumed cannot be read.
TrainOptions resolved(TrainOptions options);

}  // namespace resflow
