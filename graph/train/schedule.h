// The learning rate of each epoch, or step, with the formulas of torch.optim.lr_scheduler (parity with PyTorch 1.13).
//
//   none        base
//   step        base gamma^floor(e / step_size)                                        StepLR
//   multistep   base gamma^(how many milestones are <= e)                              MultiStepLR
//   cosine      min + (base - min) (1 + cos(pi e / T)) / 2                             CosineAnnealingLR, T all epochs
//   plateau     times gamma after `patience` epochs without a better loss              ReduceLROnPlateau, mode min,
//               (better: below the best by 1e-4 of it), not below min                  threshold 1e-4 relative
//   onecycle    by steps: up from base / 25 to base in 0.3 of all, down to base / 250,000   OneCycleLR, cosine both
//   ways;
//               in the rest; momentum (or beta1) goes from 0.95 to 0.85 and back            defaults
//
// A warm-up of N epochs stands before any but the last: base (s + (1 - s) e / N) with s = 0.01, as torchvision's
// reference training; e counts from its end then, and T is what is left. Rates are functions of the epoch and of the
// losses so far alone, so a resumed run needs no state of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace resflow {

struct ScheduleOptions {
  std::string name = "none";  // "none", "step", "multistep", "cosine", "plateau", "onecycle"
  double base = 1e-3;         // the optimizer's lr
  int64_t epochs = 10;        // of the whole run
  int64_t epoch_steps = 1;    // of the optimizer, an epoch; for onecycle
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
// where there is one. Of others only their number counts. `step` of the epoch, from 0, matters to onecycle alone.
double learning_rate(const ScheduleOptions& options, std::span<const double> losses, int64_t step = 0);

// True where the rate changes within an epoch, and the momentum with it.
bool is_stepwise(const ScheduleOptions& options);
// REQUIRES: is_stepwise. `step` of the whole run, from 0.
double cycled_momentum(const ScheduleOptions& options, int64_t step);

}  // namespace resflow
