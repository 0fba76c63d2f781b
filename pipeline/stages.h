// The stages that a picture passes between its file and its row of a batch. Each is a node of the flow graph
// (pipeline/loader.h); reports of times and `resflow bench pipeline` have the same names for them.
#pragma once

#include <array>
#include <cstddef>
#include <iterator>
#include <numeric>

namespace resflow {

enum class Stage {
  kRead,       // bytes of the file, from the file system
  kDecode,     // to the pixels of the part that the crop needs
  kResize,     // to the network's size; augmentations
  kNormalize,  // to f32 planes, in the picture's row of the batch; mirrored on the way, and erased, where that is drawn
};

// In the order in which a picture passes them.
inline constexpr Stage kStages[] = {Stage::kRead, Stage::kDecode, Stage::kResize, Stage::kNormalize};

const char* stage_name(Stage stage);  // "read", "decode", "resize", "normalize"

// How long each stage took, in seconds, added up over threads.
class StageSeconds {
 public:
  double& operator[](Stage stage) { return seconds_[static_cast<size_t>(stage)]; }
  double operator[](Stage stage) const { return seconds_[static_cast<size_t>(stage)]; }
  double sum() const { return std::accumulate(seconds_.begin(), seconds_.end(), 0.0); }
  StageSeconds& operator+=(const StageSeconds& other) {
    for (const Stage stage : kStages) (*this)[stage] += other[stage];
    return *this;
  }

 private:
  std::array<double, std::size(kStages)> seconds_ = {};
};

}  // namespace resflow
