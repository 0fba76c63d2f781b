#include "io/pictures/data_folders.h"

#include <algorithm>
#include <filesystem>

#include "io/files/file.h"
#include "io/files/folder_listing.h"
#include "io/images/image_format.h"
#include "io/pack/head.h"

namespace resflow {

namespace fs = std::filesystem;

bool holds_folders(const std::string& folder) {
  FolderListing entries(folder, 0);
  for (FolderEntry entry; entries.next(entry);)
    if (entry.folder) return true;
  return false;
}

bool holds_classes(const std::string& folder) {
  FolderListing entries(folder, 0);
  bool folders = false;
  for (FolderEntry entry; entries.next(entry);) {
    if (!entry.folder && has_image_extension(entry.name)) return false;
    folders = folders || entry.folder;
  }
  return folders;
}

bool has_class_of(const std::string& root, const std::vector<std::string>& classes) {
  const std::vector<std::string> packed =
      is_pack(root) ? read_pack_head(InputFile(root), root).info.classes : std::vector<std::string>();
  return std::any_of(classes.begin(), classes.end(), [&](const std::string& name) {
    std::error_code unknown;
    return std::find(packed.begin(), packed.end(), name) != packed.end() ||
           (!name.empty() && fs::is_directory(fs::path(root) / name, unknown));
  });
}

std::string evaluation_root(const std::string& data, const std::vector<std::string>& classes) {
  const std::string val = join_path(data, "val");
  const bool is_class = std::find(classes.begin(), classes.end(), "val") != classes.end();
  return !is_class && holds_folders(val) ? val : data;
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
