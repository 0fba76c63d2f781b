// The pictures that `bench pipeline` works on, at each stage of their way to the network, so that every stage can be
// timed alone: what the one before it makes is there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/images/image.h"
#include "io/pictures/dataset.h"
#include "pipeline/recipe.h"

namespace resflow {

// One picture of the data set, as epoch 0 of the recipe has it.
struct BenchPicture {
  std::vector<uint8_t> bytes;  // of the file
  // What the recipe decodes, how that is resized, and where it goes.
  Rect region;
  int width = 0, height = 0;          // what is resized ...
  int out_width = 0, out_height = 0;  // ... to this size ...
  Rect keep;                          // ... of which this is kept
  size_t offset = 0;                  // of its first byte among the resized picture's
  bool flip = false;
  Image decoded;  // the region
  Image resized;  // size x size, zeros where the crop is larger than the picture
};

// At most `wanted` of the samples, evenly spread, and no more than keep their pixels within 1 GB (one at least).
// Throws Error{kData} where a header cannot be read.
Dataset spread_pictures(const Dataset& dataset, int64_t wanted);

// Draws `count` pictures like photographs, 500 pixels on the long side, into ROOT/CLASS/NNN.jpg.
void draw_bench_photos(const std::string& root, int64_t count, int threads);

struct BenchPictures {
  // Reads, decodes and resizes all of `set` on `threads` threads. Samples that cannot be read are taken out of the set.
  // Then goes through it with the Loader and compares: normalized, each picture is the loader's to the bit; else
  // Error{kInternal}. Throws Error{kData} where none can be read.
  BenchPictures(Dataset set, const Recipe& recipe, uint64_t seed, int threads);

  Dataset dataset;
  Recipe recipe;
  uint64_t seed;
  int64_t broken = 0;             // taken out
  int64_t bytes = 0;              // of all files
  std::vector<BenchPicture> all;  // of dataset.samples, one to one

 private:
  void take_out_broken(int threads);
  void prepare(int threads);
  void compare_with_loader(int threads) const;
};

}  // namespace resflow
