// The stages between a file and its row of a batch, each by itself: the same calls that the loader makes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/bench/pictures.h"
#include "io/images/decode.h"
#include "pipeline/pixels/normalize.h"
#include "pipeline/pixels/resize.h"
#include "pipeline/stages.h"

namespace resflow {

// What one thread needs; as in the loader, memory is reused from picture to picture.
class StageWorker {
 public:
  // Rows of a batch are written in turn to as many places: more than a cache holds, as the loader's slots are.
  StageWorker(const Recipe& recipe, size_t rows);

  void read(const Sample& sample);                      // a file from the page cache to a buffer
  void decode(const BenchPicture& picture);             // bytes in memory to the region that the recipe needs
  void resize(const BenchPicture& picture);             // the decoded region to the network's size, weights included
  const float* normalize(const BenchPicture& picture);  // the resized picture to f32 planes; returns its place

  size_t bytes_read() const { return bytes_read_; }  // of the last file
  const Image& decoded() const { return decoded_; }
  const Image& resized() const { return resized_; }

 private:
  int size_;
  Decoder decoder_;
  Resizer resizer_;
  Normalizer normalizer_;
  std::vector<uint8_t> buffer_;
  size_t bytes_read_ = 0;
  Image decoded_, resized_;
  std::vector<float> rows_;
  size_t row_floats_, next_row_ = 0;
};

// Runs a stage on a number of threads, on all pictures again and again.
class StageRunner {
 public:
  // `batch` sets how many rows normalize writes to: three batches, as the loader has slots. `pictures` outlives this.
  StageRunner(const BenchPictures& pictures, int threads, int batch);
  ~StageRunner();

  // Whole passes over the pictures until `seconds` are over, one at least. Returns pictures a second.
  double run(Stage stage, double seconds);

  // One pass, each result compared with what the pictures hold: Error{kInternal} where one differs.
  void check(Stage stage);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
