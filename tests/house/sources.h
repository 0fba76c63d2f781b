// The source files of the house.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace resflow::testing {

// "apps/score/output.h" -> "apps/score"
inline std::string folder_of(const std::string& file) {
  const size_t slash = file.rfind('/');
  return slash == std::string::npos ? "" : file.substr(0, slash);
}

inline bool is_source(const std::filesystem::path& file) {
  const std::string extension = file.extension().string();
  return extension == ".cpp" || extension == ".h" || extension == ".inc";
}

// Paths below the project's root of all that lies in its folder `top`.
inline std::vector<std::string> sources(const std::string& top) {
  std::vector<std::string> all;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(RESFLOW_SOURCE_DIR) / top))
    if (entry.is_regular_file() && is_source(entry.path()))
      all.push_back(entry.path().lexically_relative(RESFLOW_SOURCE_DIR).string());
  return all;
}

}  // namespace resflow::testing
