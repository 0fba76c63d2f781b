// The options of a training run: defaults, limits, and what a resumed run takes over from its checkpoint.
//
// Defaults are those of PyTorch's optimizers, and of torchvision's reference training for SGD.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "graph/schedule.h"
#include "graph/trainer.h"

namespace resflow {

struct TrainOptions {
  std::string data = {}, val = {};
  std::string out = "run";
  bool resume = false, overwrite = false;
  int keep = 2;

  std::string model = "resnet34";              // where --weights is given and --model is not: what they fit
  std::string weights = {};                    // a file, or torchvision's entry; empty: random initial values
  std::vector<std::string> weights_skip = {};  // patterns of names that are not taken from it
  std::string mode = {};  // "finetune", "partial", "features", "svm", "scratch"; empty: what the others imply
  std::vector<std::string> freeze = {};  // patterns of modules and parameters that stay as they are
  std::string freeze_bn = "eval";        // "eval", "train": graph/freeze.h
  int64_t augment_copies = 0;            // features, svm: of each training picture, beside itself
  std::string feature_cache = {};        // features, svm: a folder that runs share; empty: the run's own
  double svm_c = 0;                      // 0: by cross validation
  int svm_folds = 5;
  int64_t epochs = 10;
  int batch = 32;
  int image_size = 224;
  uint64_t seed = 0;
  int threads = 0;  // 0: every CPU that this process may use
  std::string optimizer = "adam";
  // Negative: what fits the optimizer.
  //            lr     momentum  weight decay
  //   adam     0.001            0
  //   adamw    0.001            0.01
  //   sgd      0.1    0.9       0.0001
  //   rmsprop  0.01   0         0
  double lr = -1, momentum = -1, weight_decay = -1;
  bool nesterov = false;
  bool no_decay_norm_bias = false;  // weight decay for matrices and kernels alone
  double lr_backbone = -1;          // of all but the head; negative: lr
  std::string schedule = "none";    // graph/schedule.h, and so are the six that follow
  int64_t warmup_epochs = 0, step_size = 30, patience = 10;
  std::vector<int64_t> milestones = {};
  double gamma = 0.1, min_lr = 0;
  int64_t early_stop = 0;              // epochs without a better validation accuracy; 0: never
  std::string class_weights = "none";  // "none", "balanced"
  double label_smoothing = 0;
  std::string on_error = "skip";  // "skip", "stop"
  int64_t save_every = 200;       // steps; 0: after epochs only

  std::set<std::string> given = {};  // names of the options that the user wrote: "--lr"

  OptimizerOptions optimizer_options() const;
  ScheduleOptions schedule_options() const;
};

using SavedOptions = std::vector<std::pair<std::string, std::string>>;

// Puts numbers in place of "what fits". Throws Error{kUsage} for values that cannot be.
void resolve(TrainOptions& options);

// What a checkpoint keeps of them.
SavedOptions saved_options(const TrainOptions& options);

// The mode of the run: of one to be resumed that of its last.resflow, which a mode given besides does not change; else
// as given, empty where what is given implies it. Throws Error{kData} where last.resflow cannot be read.
std::string mode_of(const TrainOptions& options);

// A resumed run goes on with the options that it began with. Those that decide its bits cannot change: one that
// was given and differs is an Error{kUsage} that names all such. The others (--epochs, --threads, --save-every,
// --on-error) are taken over unless given.
void adopt_saved(TrainOptions& options, const SavedOptions& saved);

}  // namespace resflow
