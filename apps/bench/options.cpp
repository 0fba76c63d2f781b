#include "apps/bench/options.h"

#include "graph/plan/plan.h"
#include "io/core/check_range.h"
#include "io/files/outputs.h"

namespace resflow {

void check(const BenchOptions& o) {
  check_range("--batch", o.batch, 1, 65536);
  check_range("--image-size", o.image_size, kMinImageSize, 4096);
  check_range("--seconds", o.seconds, 0, 86400);
  check_outputs({{"--json", o.json}});
}

}  // namespace resflow
