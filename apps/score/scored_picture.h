// What is known of a picture that has been scored. The one type between whoever scores and whoever writes rows.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "io/pictures/picture_source.h"

namespace resflow {

// One picture's outcome: a probability for each class, in the model's order, or why there are none. Its names and spans
// belong to whoever gives it, and are valid until that goes on to the next picture.
struct ScoredPicture {
  std::string_view name;                       // what its row is called
  std::string_view error = {};                 // empty where it has probabilities
  std::span<const double> probabilities = {};  // empty where there is an error
  // What the model's head reads, [Model::feature_count()], of the same run of the network; of several views their mean.
  // Empty where there is an error, or where they were not asked for.
  std::span<const float> features = {};
  int64_t sample = 0;       // index into the samples, or among the pictures that the source gave, from 0
  PicturePlace place = {};  // as its source has it
  bool unread = false;      // with an error: its file could not be opened or read
};

}  // namespace resflow
