// What the tests of augmentation share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/files/file.h"
#include "io/images/decode.h"
#include "io/images/jpeg.h"
#include "io/pictures/dataset.h"
#include "pipeline/pixels/image_op.h"

namespace resflow::testing {

// torchvision's name of it, as pipeline/pixels/image_op.py takes it.
inline const char* op_name(ImageOpKind kind) {
  constexpr const char* kNames[] = {"Identity",  "Brightness", "Contrast",     "Saturation", "Sharpness", "Hue",
                                    "Posterize", "Solarize",   "AutoContrast", "Equalize",   "Invert",    "ShearX",
                                    "ShearY",    "TranslateX", "TranslateY",   "Rotate"};
  return kNames[static_cast<size_t>(kind)];
}

// The number that the .py files make of the same bytes or bits of floats: any single one changes it.
template <class Value>
uint64_t digest(std::span<const Value> values) {
  uint64_t mixed = 0, sum = 0, odd = 1;
  for (const Value value : values) {
    const uint64_t product = value * (odd * 0x9E3779B97F4A7C15U);
    mixed ^= product;
    sum += product;
    odd += 2;
  }
  return mixed ^ sum;
}
inline uint64_t digest(std::span<uint8_t> values) { return digest(std::span<const uint8_t>(values)); }
inline uint64_t digest_of_bits(const std::vector<float>& values) {
  std::vector<uint32_t> bits(values.size());
  std::memcpy(bits.data(), values.data(), values.size() * sizeof(float));
  return digest(std::span<const uint32_t>(bits));
}

// Every `step`-th of the shared photographs that can be read; none where there are none.
inline std::vector<std::string> photographs(size_t step) {
  std::vector<std::string> paths;
  const std::string root = std::string(RESFLOW_SHARED_DIR) + "/data/animals4";
  if (!std::filesystem::exists(root)) return paths;
  std::vector<uint8_t> buffer;
  const Dataset all = list_image_folder(root + "/train");
  for (size_t i = 0; i < all.samples.size(); i += step)
    if (is_jpeg(read_file(all.samples[i].path, buffer))) paths.push_back(all.samples[i].path);
  return paths;
}

inline void mirrored(Image& image) {
  for (int y = 0; y < image.height(); ++y)
    for (int left = 0, right = image.width() - 1; left < right; ++left, --right)
      std::swap_ranges(image.row(y) + left * 3, image.row(y) + left * 3 + 3, image.row(y) + right * 3);
}

}  // namespace resflow::testing
