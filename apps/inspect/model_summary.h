// A network as tables for a terminal: layers, plan, memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/checkpoint/description.h"
#include "io/core/array.h"
#include "ops/precision.h"

namespace resflow {

struct PlanView {
  bool steps = false;  // the plan's steps too, not only its memory
  bool train = false;
  int64_t batch = 32, image_size = 224;
  int threads = 1;
  Precision precision = Precision::kF32;
  std::optional<Quantization> quantization = {};  // for kInt8
};

std::string shape_text(const Dims& dims);  // "64x3x7x7"; "" of a scalar

// A line a layer: output's shape, parameters, multiply-adds for a picture of image_size x image_size.
std::string layers_text(const ModelDescription& description, int64_t image_size);

// "resnet18: 4 outputs, 11,178,564 parameters (44.7 MB), 1.814 G multiply-adds for a picture of 224 x 224"
std::string model_line(const ModelDescription& description, int64_t image_size);

// The memory that running it takes, and with `steps` how each step runs. Makes the model and its plan, without values.
std::string plan_text(const ModelDescription& description, const PlanView& view);

}  // namespace resflow
