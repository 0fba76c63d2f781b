// Which learning rate to begin with. Smith 2015, "Cyclical Learning Rates", arXiv:1506.01186,
// section 3.3.
//
// The rate rises from step to step by a constant factor, from far too low to far too high; where the smoothed loss
// falls fastest is a rate to train with.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/pages/svg_plot.h"
#include "graph/train/trainer.h"
#include "pipeline/loader.h"

namespace resflow {

struct LrFindOptions {
  double low = 1e-7, high = 10;
  int64_t steps = 100;
};

struct LrFindPoint {
  double lr = 0, loss = 0;
  double smoothed = 0;  // exponentially, 0.9, without the bias towards its start
};

// Stops before `steps` where the smoothed loss is four times its lowest, or no number. `progress` is given the steps
// done, and returns false to stop. The model is of no use afterwards.
std::vector<LrFindPoint> find_learning_rate(Trainer& trainer, Loader& loader, const LrFindOptions& options,
                                            const std::function<bool(int64_t done)>& progress);

struct LrAdvice {
  double steepest = 0;      // where the smoothed loss falls fastest by the rate's logarithm; 0: it never fell
  double lowest_tenth = 0;  // a tenth of where it is lowest: the cautious upper end
};
LrAdvice advise(const std::vector<LrFindPoint>& points);

// The losses over the rates, and where the advice lies.
Plot lr_find_plot(const std::vector<LrFindPoint>& points);

// lr,loss,smoothed_loss
std::string lr_find_csv(const std::vector<LrFindPoint>& points);

}  // namespace resflow
