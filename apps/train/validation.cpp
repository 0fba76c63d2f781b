#include "apps/train/validation.h"
#include "io/core/stopwatch.h"

#include <algorithm>

namespace resflow {
namespace {

// Of what a frozen beginning makes of the pictures: two thousand of ResNet-34 up to layer3, at 224 pixels.
constexpr size_t kKeptBytes = size_t{512} << 20;

PlanOptions plan_options(int batch, const Preprocessing& preprocessing) {
  return {.batch = batch, .height = preprocessing.crop, .width = preprocessing.crop, .mode = Mode::kEval};
}

// Nothing is shuffled, and no plan is wider than the data.
LoaderOptions in_order(LoaderOptions options, Model& model, const Dataset& dataset, const Preprocessing& preprocessing,
                       const Plan* lender) {
  constexpr int kGoodBatch = 32;
  options.shuffle = false;
  if (options.batch < kGoodBatch && lender != nullptr &&
      Plan::fits(model, plan_options(kGoodBatch, preprocessing), *lender))
    options.batch = kGoodBatch;
  options.batch = static_cast<int>(std::min<size_t>(static_cast<size_t>(options.batch), dataset.samples.size()));
  return options;
}

}  // namespace

Validation::Validation(Model& model, const Dataset& dataset, const Preprocessing& preprocessing,
                       const LoaderOptions& loader, const LossOptions& loss, const Plan* lender)
    : loader_options_(in_order(loader, model, dataset, preprocessing, lender)),
      evaluator_(model, plan_options(loader_options_.batch, preprocessing), loss, lender, kKeptBytes),
      loader_(dataset, Recipe::eval(preprocessing), loader_options_) {}

size_t Validation::bytes() const {
  const size_t batch = evaluator_.batch_bytes_to_keep(), batches = static_cast<size_t>(loader_.batches_per_epoch());
  const size_t kept = batch == 0 ? 0 : std::min(batches, kKeptBytes / batch) * batch;
  return evaluator_.memory().copies + kept;
}

ValidationResult Validation::run(const std::function<bool(int64_t done)>& progress) {
  ValidationResult result;
  int64_t seen = 0;
  const Stopwatch watch;
  EpochReport report = loader_.run(0, 0, [&](const Batch& batch) {
    if (batch.size > 0) result.sums += evaluator_.evaluate(batch.pixels, batch.labels, batch.samples);
    seen += batch.size + static_cast<int64_t>(batch.broken.size());
    return progress(seen);
  });
  result.seconds = watch.seconds();
  result.broken = std::move(report.broken);
  result.stopped = report.stopped;
  return result;
}

}  // namespace resflow
