// What is in a labelled folder of photographs: pixels' mean and deviation, sizes, formats, classes, and what is wrong.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "io/core/listener.h"
#include "io/images/decode.h"
#include "io/pictures/data_folders.h"
#include "io/pictures/dataset.h"
#include "pipeline/outage.h"

namespace resflow {

// Mean and deviation a channel (red, green, blue) of values in [0, 1], over all pixels of all pictures alike: what
// numpy gives for mean() and std() of the stacked Resize(resize) + CenterCrop(crop) + ToTensor pictures of torchvision.
// The deviation divides by the number of values (torch.std divides by one less). It is not the mean of each picture's
// deviation.
class PixelSums {
 public:
  // rgb: interleaved bytes.
  void add(const uint8_t* rgb, size_t pixels);
  void add(const PixelSums& other);

  uint64_t pixels() const { return pixels_; }
  // REQUIRES: pixels() > 0.
  std::array<double, 3> mean() const;
  std::array<double, 3> std() const;

 private:
  // Exact: no order of adding changes a bit.
  uint64_t pixels_ = 0;
  std::array<uint64_t, 3> sum_ = {}, squares_ = {};
};

// The other definition: the mean of each picture's own mean and deviation. Added in the order of the pictures.
class PictureSums {
 public:
  // REQUIRES: picture.pixels() > 0.
  void add(const PixelSums& picture);
  // REQUIRES: something was added.
  std::array<double, 3> mean() const;
  std::array<double, 3> std() const;

 private:
  int64_t pictures_ = 0;
  std::array<double, 3> mean_ = {}, std_ = {};
};

struct SizeStats {
  std::map<std::pair<int, int>, int64_t> count_of;  // (width, height) -> pictures

  struct Range {
    int min = 0, max = 0;
    double median = 0;  // as numpy's: of an even count the mean of the middle two
  };
  // REQUIRES: count_of is not empty.
  Range widths() const;
  Range heights() const;
  std::vector<std::pair<std::pair<int, int>, int64_t>> most_common(size_t limit) const;
  int64_t landscape() const;
  int64_t portrait() const;
  int64_t square() const;
  int64_t below(int short_side) const;  // with a shorter side than this
};

struct BrokenSample {
  size_t sample = 0;   // index into the part's samples
  std::string reason;  // without the path
};

struct PartStats {
  DataPart part;
  Dataset dataset;
  std::vector<int64_t> pictures_of_class, broken_of_class;  // [classes]
  int64_t bytes = 0;
  int64_t read = 0;                               // pictures that are whole, or taken all the same
  int64_t truncated = 0;                          // of those: they end early
  int64_t grey16 = 0;                             // of those: of 16-bit grey
  int64_t grey16_pixels = 0, clipped_pixels = 0;  // of these, within the crop: all, and those above 255
  PixelSums pixels;                               // of those
  PictureSums pictures;                           // of those
  SizeStats sizes;
  std::map<std::string, int64_t> formats;                       // by content, "unknown" too
  std::map<std::string, int64_t> jpeg_sampling;                 // of colour pictures: "4:2:0"
  int64_t jpeg_progressive = 0, jpeg_grey = 0, jpeg_cmyk = 0;   // CMYK: four components
  std::vector<std::pair<size_t, const ImageFormat*>> misnamed;  // sample, its real format
  std::vector<BrokenSample> broken;                             // in order
  std::map<std::string, int64_t> ignored;                       // files that are no pictures by name: ".gif" -> 2
  std::vector<std::string> missing_classes = {}, unknown_classes = {};  // compared with training's; for val and test
};

// Files with the same bytes.
struct SameContent {
  struct File {
    size_t part = 0, sample = 0;
  };
  std::vector<File> files;    // two or more, in order
  bool across_parts = false;  // training data in val or test: what is measured there is too good
  bool across_classes = false;
};

struct DataStats {
  std::vector<PartStats> parts;  // the first one is training
  std::vector<SameContent> same;
  int64_t leaked = 0;  // pictures of val and test whose content is in training, too
  double seconds = 0;
  int64_t looked_at = 0;  // pictures, also the broken ones; fewer than all where it was stopped
  bool stopped = false;   // as the listener asked; the rest is then of no use
};

struct DataStatsOptions {
  int resize = 256, crop = 224;
  int threads = 1;
  Acceptance accept = {};    // which pictures are not broken
  Selection selection = {};  // which files are pictures
  int64_t outage = kOutage;  // as UnreadFiles has it (pipeline/outage.h)
};

// Reads every picture of every part once, decodes it, and drops it: memory is a few dozen bytes a picture. A file
// that cannot be read is an entry in `broken`. Warns of damaged packs.
// Throws Error: kData where a part is no ImageFolder (list_image_folder), kSystem where the machine fails (Outage).
DataStats gather_data_stats(const std::vector<DataPart>& parts, const DataStatsOptions& options, Listener& listener);

}  // namespace resflow
