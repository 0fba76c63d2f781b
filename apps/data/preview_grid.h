// A batch as a picture to look at: what the network sees, un-normalized, with names under it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/images/image.h"
#include "io/pictures/dataset.h"
#include "pipeline/loader.h"

namespace resflow {

struct PreviewGridOptions {
  int columns = 0;         // 0: as many as make the grid about square
  int limit = 64;          // tiles at most, from the start of the batch
  bool file_names = true;  // a second line, small, under the class
};

// Where things stand, in pixels of the grid.
struct PreviewLayout {
  int columns = 0, rows = 0;
  int scale = 1;    // small pictures are shown larger: each of their pixels as scale x scale
  int side = 0;     // of a shown picture: image_size * scale
  int margin = 0;   // around the whole, and between tiles
  int caption = 0;  // height of the text under a picture
  int width = 0, height = 0;

  Rect picture(int tile) const;  // tiles go left to right, then down
};

// REQUIRES: tiles >= 1, image_size >= 1.
PreviewLayout preview_layout(int tiles, int image_size, const PreviewGridOptions& options);

// Row `row` of the batch as bytes: round((x * std + mean) * 255), held within 0 to 255. Of pictures that were only
// cropped, resized and mirrored these are the bytes that were normalized, to the bit.
// REQUIRES: 0 <= row < batch.size.
Image un_normalized(const Batch& batch, int row, const float mean[3], const float std[3]);

// The pictures of the batch (to the bit, enlarged by whole factors) with class and file name under each, cut to their
// width with an ellipsis. `dataset` is the one that the batch was loaded from.
// REQUIRES: batch.size >= 1. Throws Error{kSystem} where there is no memory for it.
Image draw_preview_grid(const Batch& batch, const Dataset& dataset, const float mean[3], const float std[3],
                        const PreviewGridOptions& options = {});

}  // namespace resflow
