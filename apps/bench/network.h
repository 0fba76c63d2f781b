// The network that `bench pipeline` and `bench layers` time: random weights, one thread count, scoring or training.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "apps/model/structure.h"
#include "graph/model/model.h"
#include "graph/plan/plan.h"
#include "graph/train/trainer.h"

namespace resflow {

class BenchNetwork {
 public:
  struct Options {
    std::string model = "resnet34";
    StructureOptions structure = {};
    bool train = false;
    int64_t batch = 32, image_size = 0, classes = 1000;  // image_size 0: what the model is meant for
    uint64_t seed = 0;

    ModelDescription description() const { return description_of(model, structure, classes); }
  };
  BenchNetwork(const Options& options, int threads);

  // One batch: forward, or a step of training with Adam. labels: one a row, below the number of classes.
  void step(const float* pixels, std::span<const int32_t> labels);

  // Scoring gives the same finite numbers twice, training a finite loss: Error{kInternal} where not.
  void check(const float* pixels, std::span<const int32_t> labels);

  // Operations of a step a picture as convolutions and the head are written down, two a multiply-add. Training counts
  // gradients of weights and of sources; the first convolution's source has none.
  double operations_a_picture() const;
  const Compute& compute() const { return compute_; }

 private:
  Options options_;
  Compute compute_;
  Model model_;
  std::unique_ptr<Plan> plan_;        // scoring
  std::unique_ptr<Trainer> trainer_;  // training
};

}  // namespace resflow
