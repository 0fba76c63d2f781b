#include "io/pictures/data_folders.h"

#include <filesystem>
#include <system_error>

namespace resflow {

namespace fs = std::filesystem;

bool holds_folders(const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code broken_link;
    if (at->is_directory(broken_link)) return true;
  }
  return false;
}

std::vector<DataPart> data_parts(const std::string& data) {
  std::vector<DataPart> parts;
  for (const char* name : {"train", "val", "test"}) {
    const std::string root = (fs::path(data) / name).string();
    if (holds_folders(root)) parts.push_back({name, root});
    if (parts.empty()) return {{"train", data}};  // nothing goes without training data
  }
  return parts;
}

}  // namespace resflow
