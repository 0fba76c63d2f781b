// Loss and accuracy of a model over labelled photographs: the loader's evaluation recipe into graph/train/evaluator.h.
#pragma once

#include <functional>
#include <vector>

#include "graph/train/evaluator.h"
#include "io/pictures/dataset.h"
#include "pipeline/loader.h"

namespace resflow {

struct ValidationResult {
  EvaluationSums sums;
  double seconds = 0;
  std::vector<BrokenPicture> broken;
  bool stopped = false;  // asked to; the sums are not those of the whole set then
};

class Validation {
 public:
  // Plans `model` once, in the memory of `lender` where there is one. The batch is the loader's, or larger where that
  // fits into the lender's memory: 3x3 convolutions transform all their weights anew for each borrowed forward.
  // Model and data set outlive the Validation.
  Validation(Model& model, const Dataset& dataset, const Preprocessing& preprocessing, const LoaderOptions& loader,
             const LossOptions& loss, const Plan* lender);

  // With the model's values of now. `progress` gets pictures done so far and returns false to stop early.
  ValidationResult run(const std::function<bool(int64_t done)>& progress);

  // Its copies of parameters, and what it keeps from one run to the next where the model's beginning is frozen.
  size_t bytes() const;

 private:
  LoaderOptions loader_options_;
  Evaluator evaluator_;
  Loader loader_;
};

}  // namespace resflow
