// What is wrong with weights that are no whole model, in one short sentence.
#pragma once

#include <cstddef>
#include <string>

#include "graph/model/find_model.h"

namespace resflow {

// What `nearest` says of a file, for a sentence about the file:
//
//   is resnet50 with 1000 classes, behind 'model.', but for 3 of 320 tensors: missing: fc.bias; unexpected: ...
//   is resnet18 with 4 classes but for its head: misshapen: fc.weight has f32 (4,512,1), model wants f32 (4,512)
//   is none of the models; nearest is resnet50 with 4 classes, of which 150 of 320 tensors are there, and has 3, 4, 9,
//   3 blocks in its stages where resnet50 has 3, 4, 6, 3: ...
//
// Of each kind of difference the first few names, and how many more there are. REQUIRES: something differs.
std::string describe_misfit(const FoundModel& nearest);
// The part of it before the names.
std::string summarise_misfit(const FoundModel& nearest);

// "is no ResNet: none of its 150 names is one of ours", of a file for which nearest_model() finds nothing.
std::string describe_stranger(size_t names);

}  // namespace resflow
