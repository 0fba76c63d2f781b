#include "apps/validation.h"

#include <algorithm>
#include <chrono>

namespace resflow {
namespace {

// Nothing is shuffled, and no plan is wider than the data.
LoaderOptions in_order(LoaderOptions options, const Dataset& dataset) {
  options.shuffle = false;
  options.batch = static_cast<int>(std::min<size_t>(static_cast<size_t>(options.batch), dataset.samples.size()));
  return options;
}

}  // namespace

Validation::Validation(Model& model, const Dataset& dataset, const Preprocessing& preprocessing,
                       const LoaderOptions& loader, const LossOptions& loss, const Plan* lender)
    : evaluator_(model,
                 {.batch = in_order(loader, dataset).batch,
                  .height = preprocessing.crop,
                  .width = preprocessing.crop,
                  .mode = Mode::kEval},
                 loss, lender),
      loader_(dataset, Recipe::eval(preprocessing), in_order(loader, dataset)) {}

ValidationResult Validation::run(const std::function<bool(int64_t done)>& progress) {
  ValidationResult result;
  int64_t seen = 0;
  const auto start = std::chrono::steady_clock::now();
  EpochReport report = loader_.run(0, 0, [&](const Batch& batch) {
    if (batch.size > 0) result.sums += evaluator_.evaluate(batch.pixels, batch.labels);
    seen += batch.size + static_cast<int64_t>(batch.broken.size());
    return progress(seen);
  });
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.broken = std::move(report.broken);
  result.stopped = report.stopped;
  return result;
}

}  // namespace resflow
