// As many threads as a test asks for, whatever the machine has.
#pragma once

#include <oneapi/tbb/global_control.h>

namespace resflow::testing {

class ManyThreads {
  tbb::global_control control_{tbb::global_control::max_allowed_parallelism, 17};
};

}  // namespace resflow::testing
