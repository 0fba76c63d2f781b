#include "io/pictures/data_folders.h"

#include <algorithm>
#include <filesystem>

#include "io/files/file.h"
#include "io/files/folder_listing.h"
#include "io/images/image_format.h"
#include "io/pack/head.h"
#include "io/pictures/selection.h"

namespace resflow {

namespace fs = std::filesystem;

namespace {

// "trainingset" of "Training_Set".
std::string plain(std::string_view name) {
  std::string letters;
  for (const char c : name)
    if (c != '_' && c != '-' && c != ' ' && c != '.')
      letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return letters;
}

// Which part of a data set a folder of this name holds: "train", "val", "test"; "" where it does not say so.
std::string part_said(std::string_view name) {
  std::string word = plain(name);
  while (!word.empty() && word.back() >= '0' && word.back() <= '9') word.pop_back();
  for (const std::string_view end : {"set", "data", "split", "images", "imgs"})
    if (word.size() > end.size() + 2 && word.ends_with(end)) word.resize(word.size() - end.size());
  for (const std::string_view known : {"train", "training"})
    if (word == known) return "train";
  for (const std::string_view known : {"val", "valid", "validation", "validate", "dev"})
    if (word == known) return "val";
  for (const std::string_view known : {"test", "testing", "eval", "evaluation"})
    if (word == known) return "test";
  return {};
}

// Names of folders that data_parts() takes for this part without asking: the usual one first.
std::vector<std::string_view> names_of_part(std::string_view part) {
  if (part == "train") return {"train", "training"};
  if (part == "val") return {"val", "valid", "validation"};
  return {"test", "testing"};
}

// Sorted; stray ones aside.
std::vector<std::string> folders_of(const std::string& folder) {
  std::vector<std::string> names;
  FolderListing entries(folder, 0);
  for (FolderEntry entry; entries.next(entry);)
    if (entry.folder && !is_stray_folder(entry.name)) names.push_back(std::move(entry.name));
  std::sort(names.begin(), names.end());
  return names;
}

// The folder of `data` that is this part; "" where there is none. A pattern of letters is compared where the exact name
// is not there, so that nothing has to be listed for the usual names.
std::string part_folder(const std::string& data, std::string_view part) {
  const std::vector<std::string_view> names = names_of_part(part);
  std::string usual = (fs::path(data) / names.front()).string();
  if (holds_folders(usual)) return usual;
  const std::vector<std::string> there = folders_of(data);
  for (const std::string_view name : names)
    for (const std::string& folder : there)
      if (plain(folder) == name && folder.size() == name.size() && holds_folders((fs::path(data) / folder).string()))
        return (fs::path(data) / folder).string();
  return {};
}

MistakenParts parts_in(const std::string& root) {
  MistakenParts found{.parts = {}, .above = root};
  const std::vector<std::string> names = folders_of(root);
  std::vector<DataPart> parts;
  for (const std::string_view part : {"train", "val", "test"})
    for (const std::string& name : names)
      if (part_said(name) == part) parts.push_back({std::string(part), (fs::path(root) / name).string()});
  if (parts.size() != names.size() || parts.empty() || parts.front().name == parts.back().name) return found;
  found.labelled = std::any_of(parts.begin(), parts.end(), [](const DataPart& p) { return holds_folders(p.root); });
  found.parted = data_parts(root).front().root != root;
  found.parts = std::move(parts);
  return found;
}

}  // namespace

bool holds_folders(const std::string& folder) {
  FolderListing entries(folder, 0);
  for (FolderEntry entry; entries.next(entry);)
    if (entry.folder && !is_stray_folder(entry.name)) return true;
  return false;
}

std::vector<DataPart> untaken_parts(const std::string& data, const std::vector<DataPart>& parts) {
  std::vector<DataPart> untaken;
  if (parts.front().root == data) return untaken;
  for (const std::string& name : folders_of(data)) {
    const std::string part = part_said(name), root = (fs::path(data) / name).string();
    const bool taken = std::any_of(parts.begin(), parts.end(), [&](const DataPart& p) { return p.root == root; });
    if (!taken && !part.empty() && holds_folders(root)) untaken.push_back({part, root});
  }
  return untaken;
}

MistakenParts mistaken_parts(const std::string& root) {
  MistakenParts found = parts_in(root);
  if (!found.parts.empty()) return found;
  const std::vector<std::string> names = folders_of(root);
  return names.size() == 1 ? parts_in((fs::path(root) / names.front()).string()) : found;
}

std::vector<std::string> repeated_folders(const std::string& root) {
  std::vector<std::string> repeated;
  const std::vector<std::string> names = folders_of(root);
  if (names.size() < 2) return {};
  for (const std::string& name : names) {
    const std::string folder = (fs::path(root) / name).string();
    std::vector<std::string> inner = holds_classes(folder) ? folders_of(folder) : std::vector<std::string>();
    if (inner.size() < 2 || (!repeated.empty() && inner != repeated)) return {};
    repeated = std::move(inner);
  }
  return repeated;
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
  const std::string val = part_folder(data, "val");
  const bool is_class = std::find(classes.begin(), classes.end(), fs::path(val).filename().string()) != classes.end();
  return !is_class && !val.empty() ? val : data;
}

std::vector<DataPart> data_parts(const std::string& data) {
  std::vector<DataPart> parts;
  for (const char* name : {"train", "val", "test"}) {
    const std::string root = part_folder(data, name);
    if (!root.empty()) parts.push_back({name, root});
    if (parts.empty()) return {{"train", data}};  // nothing goes without training data
  }
  return parts;
}

}  // namespace resflow
