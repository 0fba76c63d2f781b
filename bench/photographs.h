// The photographs that the pipeline's benchmarks work on.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "io/files/file.h"
#include "io/pictures/dataset.h"

namespace resflow::bench {

// RESFLOW_BENCH_DATA, an ImageFolder; without it the one beside the sources.
inline std::string photograph_folder() {
  const char* named = std::getenv("RESFLOW_BENCH_DATA");
  if (named != nullptr) return named;
  return (std::filesystem::path(__FILE__).parent_path() / "../../shared/data/animals4/train").lexically_normal();
}

// All its JPEG files' bytes, read once, so that no benchmark measures the disk.
inline const std::vector<std::vector<uint8_t>>& photographs() {
  static const std::vector<std::vector<uint8_t>> all = [] {
    std::vector<std::vector<uint8_t>> files;
    for (const Sample& sample : list_image_folder(photograph_folder()).samples) {
      std::vector<uint8_t> bytes;
      const auto content = read_file(sample.path, bytes);
      const bool jpeg = content.size() > 2 && content[0] == 0xFF && content[1] == 0xD8;
      if (jpeg) files.emplace_back(content.begin(), content.end());
    }
    return files;
  }();
  return all;
}

}  // namespace resflow::bench
