#include "io/pictures/dataset.h"

#include <sys/stat.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "io/core/error.h"
#include "io/files/file.h"
#include "io/files/folder_listing.h"
#include "io/images/image_format.h"
#include "io/pack/reader.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

struct Listing {
  std::vector<std::string> folders, files;  // names, sorted; a file is all that is no folder
};

// std::string compares bytes as unsigned, as strcmp does: the order of code points in UTF-8.
Listing list(const std::string& folder) {
  Listing listing;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code broken_link;  // is a file then, whose reader will say what is wrong
    (at->is_directory(broken_link) ? listing.folders : listing.files).push_back(at->path().filename().string());
  }
  if (error) throw data_error("{}: the folder cannot be read: {}", folder, error.message());
  std::sort(listing.folders.begin(), listing.folders.end());
  std::sort(listing.files.begin(), listing.files.end());
  return listing;
}

using Identity = std::pair<dev_t, ino_t>;

struct Folder {
  std::string path;
  std::vector<std::string> files;
};

Identity identity(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw data_error("{}: the folder cannot be read: {}", path, reason_of(errno));
  return {status.st_dev, status.st_ino};
}

void walk(const std::string& path, std::vector<Identity>& above, std::vector<Folder>& found) {
  const Identity self = identity(path);
  if (std::find(above.begin(), above.end(), self) != above.end()) return;
  Listing listing = list(path);
  found.push_back({path, std::move(listing.files)});
  above.push_back(self);
  for (const auto& name : listing.folders) walk(join_path(path, name), above, found);
  above.pop_back();
}

// Appends the image files at and below `path`: folders sorted by their whole path, as sorted(os.walk(path)) does.
// `above` are folders that links must not lead back to.
void append_pictures(const std::string& path, int label, std::vector<Identity> above, std::vector<Sample>& samples) {
  std::vector<Folder> folders;
  walk(path, above, folders);
  std::sort(folders.begin(), folders.end(), [](const Folder& a, const Folder& b) { return a.path < b.path; });
  for (const auto& folder : folders) {
    for (const auto& file : folder.files) {
      if (has_image_extension(file)) samples.push_back({join_path(folder.path, file), label});
    }
  }
}

// What is wrong with a root that has no class folders.
Error no_classes(const std::string& root, const std::vector<std::string>& files) {
  const auto pictures = std::count_if(files.begin(), files.end(), has_image_extension);
  if (files.empty())
    return data_error("{}: the folder is empty, wanted a sub-folder with pictures for each class", root);
  return data_error("{}: has no class folders but {} files, {} of them pictures; put them in a sub-folder a class",
                    root, files.size(), pictures);
}

Sample packed_sample(const std::shared_ptr<const PackReader>& pack, int64_t number, int label) {
  return {
      .path = join_path(pack->path(), std::string(pack->name(number))), .label = label, .pack = pack, .packed = number};
}

Error no_picture(const PackReader& pack) {
  return data_error("{}: {}", pack.path(), pack.damage().empty() ? "holds no picture" : pack.damage());
}

Dataset list_pack(const std::string& path) {
  const auto pack = std::make_shared<const PackReader>(path);
  const std::vector<std::string>& names = pack->info().classes;
  if (names.empty())
    throw data_error("{}: its pictures have no labels: it was made of a folder without class folders", path);
  std::vector<int> label_of(names.size(), -1);
  for (int64_t i = 0; i < pack->size(); ++i) label_of[static_cast<size_t>(pack->label(i))] = 0;
  Dataset dataset;
  for (size_t i = 0; i < names.size(); ++i) {
    if (label_of[i] == 0) label_of[i] = static_cast<int>(dataset.classes.size());
    (label_of[i] < 0 ? dataset.empty_classes : dataset.classes).push_back(names[i]);
  }
  if (dataset.classes.empty()) throw no_picture(*pack);
  dataset.samples.reserve(static_cast<size_t>(pack->size()));
  for (int64_t i = 0; i < pack->size(); ++i)
    dataset.samples.push_back(packed_sample(pack, i, label_of[static_cast<size_t>(pack->label(i))]));
  return dataset;
}

}  // namespace

std::vector<int32_t> labels_of(const Dataset& dataset) {
  std::vector<int32_t> labels;
  labels.reserve(dataset.samples.size());
  for (const Sample& sample : dataset.samples) labels.push_back(sample.label);
  return labels;
}

Dataset list_image_folder(const std::string& root) {
  std::error_code error;
  const fs::file_status status = fs::status(root, error);
  if (status.type() == fs::file_type::not_found) throw data_error("{}: there is no such folder", root);
  if (error) throw data_error("{}: the folder cannot be read: {}", root, error.message());
  if (is_pack(root)) return list_pack(root);
  if (status.type() != fs::file_type::directory) {
    throw data_error("{}: is a file, wanted a folder with a sub-folder of pictures for each class, or a pack of one",
                     root);
  }
  Listing top = list(root);
  if (top.folders.empty()) throw no_classes(root, top.files);

  Dataset dataset;
  for (std::string& name : top.folders) {
    const size_t before = dataset.samples.size();
    const auto label = static_cast<int>(dataset.classes.size());
    append_pictures(join_path(root, name), label, {identity(root)}, dataset.samples);
    (dataset.samples.size() == before ? dataset.empty_classes : dataset.classes).push_back(std::move(name));
  }
  if (dataset.classes.empty())
    throw data_error("{}: no picture in its class folders ({}); wanted files that end in {}", root,
                     fmt::join(dataset.empty_classes, ", "), image_extensions());
  return dataset;
}

std::vector<Sample> list_pictures(const std::string& path) {
  std::error_code absent;
  std::vector<Sample> samples;
  if (!fs::is_directory(path, absent)) {
    if (is_pack(path)) {
      const auto pack = std::make_shared<const PackReader>(path);
      samples.reserve(static_cast<size_t>(pack->size()));
      for (int64_t i = 0; i < pack->size(); ++i) samples.push_back(packed_sample(pack, i, -1));
      if (samples.empty()) throw no_picture(*pack);
      return samples;
    }
    samples.push_back({path, -1});
    return samples;
  }
  append_pictures(path, -1, {}, samples);
  if (samples.empty()) throw data_error("{}: holds no picture; wanted files that end in {}", path, image_extensions());
  return samples;
}

std::span<const uint8_t> read_sample(const Sample& sample, std::vector<uint8_t>& buffer) {
  if (!sample.pack) return read_file(sample.path, buffer);
  try {
    return sample.pack->read(sample.packed, buffer);
  } catch (const Error& error) {
    const std::string reason = error.what();
    if (reason.starts_with(sample.pack->path() + ": ")) throw;
    throw Error(error.kind(), sample.path + ": " + reason);
  }
}

}  // namespace resflow
