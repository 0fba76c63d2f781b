// Draws of the symmetric beta distribution, by which mixup and cutmix weigh two pictures.
#pragma once

#include "pipeline/pixels/random.h"

namespace resflow {

// Beta(alpha, alpha), in [0, 1]: two gamma draws of Marsaglia and Tsang 2000, "A simple method for generating gamma
// variables", compared by their logarithms, so that no small alpha makes 0 / 0 of them.
// REQUIRES: alpha > 0.
double draw_beta(double alpha, Draw& draw);

}  // namespace resflow
