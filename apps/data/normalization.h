// Mean and deviation of a data set's pixels, for training that normalizes by them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "io/core/listener.h"
#include "io/pictures/dataset.h"
#include "pipeline/loader.h"

namespace resflow {

struct Normalization {
  std::array<double, 3> mean = {}, std = {};  // red, green, blue, of values in [0, 1]
  int64_t pictures = 0;                       // that were read for it
};

// Over all pixels of all pictures that can be read, as PixelSums (apps/data/stats.h) and `resflow stats` have it: of
// each the centre 224 x 224 at a short side of 256. Pictures are read as `options` say; their order, batch and draws
// mean nothing. Nothing where the listener asks to stop. `root` is for sentences.
// Throws Error{kData} where no picture can be read and where all of them are of one colour; and as Loader::run.
std::optional<Normalization> measure_normalization(const Dataset& dataset, const std::string& root,
                                                   LoaderOptions options, Listener& listener);

}  // namespace resflow
