// The ranges of a network's activations over a sample of pictures: what scoring in 8 bits needs to know beside the
// weights (static post-training quantization).
//
// A range is the smallest and the largest value seen, and holds zero.
#pragma once

#include <cstdint>
#include <map>

#include "graph/plan/plan.h"

namespace resflow {

class Calibrator {
 public:
  // Pictures come `batch` at once, or fewer, of height x width pixels. The model outlives the calibrator.
  Calibrator(Model& model, int64_t batch, int64_t height, int64_t width);

  // pixels (rows,3,H,W) planar f32, 1 <= rows <= batch: one forward in f32.
  void observe(const float* pixels, int64_t rows);

  // For Model::set_quantization. Throws Error{kData} where nothing was observed, or an activation was not finite.
  Quantization result() const;

 private:
  struct Range {
    float low = 0, high = 0;
    bool finite = true;
  };

  void note(const FusedNode& node, const Desc& desc, const float* values, int64_t rows);

  Model& model_;
  Plan plan_;
  int64_t pictures_ = 0;
  std::map<NodeId, Range> ranges_;  // of the ops that start with these nodes
};

}  // namespace resflow
