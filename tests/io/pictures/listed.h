// What a source of pictures and a listing give, and files to list.
#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "io/core/error.h"
#include "io/pictures/dataset.h"
#include "io/pictures/picture_source.h"

namespace resflow::testing {

inline void touch(const std::string& path) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream file(path);
}

inline std::vector<Picture> pictures_of(PictureSource& source) {
  std::vector<Picture> all;
  for (Picture picture; source.next(picture);) all.push_back(picture);
  return all;
}

inline std::vector<std::string> paths_of(const std::vector<Sample>& samples) {
  std::vector<std::string> paths;
  for (const Sample& sample : samples) paths.push_back(sample.path);
  return paths;
}

// Names of those without an error.
inline std::vector<std::string> names_of(const std::vector<Picture>& pictures) {
  std::vector<std::string> names;
  for (const Picture& picture : pictures)
    if (picture.error.empty()) names.push_back(picture.name);
  return names;
}

// All pictures before the Error that ends the source.
inline std::vector<Picture> pictures_before_error(PictureSource& source, std::string& sentence) {
  std::vector<Picture> all;
  try {
    for (Picture picture; source.next(picture);) all.push_back(picture);
  } catch (const Error& error) {
    sentence = error.what();
  }
  return all;
}

}  // namespace resflow::testing
