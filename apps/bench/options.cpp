#include "apps/bench/options.h"

#include "graph/model/model_zoo.h"
#include "graph/plan/plan.h"
#include "io/core/check_range.h"
#include "io/files/outputs.h"

namespace resflow {

ModelDescription bench_model(const BenchOptions& o) { return description_of(o.model, o.structure, 1000); }

std::string bench_model_text(const BenchOptions& o) { return to_text(bench_model(o)); }

void settle_model(BenchOptions& o, bool model_given) {
  o.model = model_or_unnamed(o.model, model_given, o.structure);
  if (o.image_size == 0) o.image_size = usual_image_size(bench_model(o));
}

void check(const BenchOptions& o) {
  check_range("--batch", o.batch, 1, 65536);
  check_range("--image-size", o.image_size, kMinImageSize, 4096);
  check_range("--seconds", o.seconds, 0, 86400);
  check_outputs({{"--json", o.json}});
}

}  // namespace resflow
