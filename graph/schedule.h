// The learning rate of each epoch, with the formulas of torch.optim.lr_scheduler (parity with PyTorch 1.13).
//
//   none        base
//   step        base gamma^floor(e / step_size)                                        StepLR
//   multistep   base gamma^(how many milestones are <= e)                              MultiStepLR
//   cosine      min + (base - min) (1 + cos(pi e / T)) / 2                             CosineAnnealingLR, T all epochs
//   plateau     times gamma after `patience` epochs without a better loss              ReduceLROnPlateau, mode min,
//               (better: below the best by 1e-4 of it), not below min                  threshold 1e-4 relative
//
// A warm-up of N epochs stands before any: base (s + (1 - s) e / N) with s = 0.01, as torchvision's reference training;
// e counts from its end then, and T is what is left. Rates are functions of the epoch and of the losses so far alone,
// so a resumed run needs no state of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace resflow {

struct ScheduleOptions {
  std::string name = "none";  // "none", "step", "multistep", "cosine", "plateau"
  double base = 1e-3;         // the optimizer's lr
  int64_t epochs = 10;        // of the whole run
  int64_t warmup_epochs = 0;
  int64_t step_size = 30;                // step: epochs
  std::vector<int64_t> milestones = {};  // multistep: epochs, counted from 0, rising
  double gamma = 0.1;                    // step, multistep, plateau
  double min_lr = 0;                     // cosine, plateau
  int64_t patience = 10;                 // plateau: epochs
};

// Throws Error{kUsage} for options that cannot be.
void check(const ScheduleOptions& options);

// The rate of epoch losses.size() (from 0); `losses` are those of the epochs before it, for plateau: the validation's
// where there is one. Of others only their number counts.
double learning_rate(const ScheduleOptions& options, std::span<const double> losses);

}  // namespace resflow
