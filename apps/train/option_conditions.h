// Which of train's options mean something beside the others.
#pragma once

#include <string>

#include "apps/train/train_options.h"

namespace resflow {

// Why `option` ("--step-size") would do nothing: "--step-size goes with --schedule step, not cosine". Empty where it
// does something. Its mode is decided: see resolve().
std::string why_useless(const TrainOptions& options, const std::string& option);

}  // namespace resflow
