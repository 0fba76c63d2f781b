#include "io/pictures/dataset.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "io/core/error.h"
#include "io/files/file.h"
#include "io/files/folder_listing.h"
#include "io/files/machine_failure.h"
#include "io/files/path_facts.h"
#include "io/images/image_format.h"
#include "io/pack/reader.h"
#include "io/pictures/folder_walk.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr size_t kAll = std::numeric_limits<size_t>::max();  // a data set is listed in order, however large it is

struct Listing {
  std::vector<std::string> folders, files;  // names, sorted; a file is all that is no folder
};

// std::string compares bytes as unsigned, as strcmp does: the order of code points in UTF-8.
Listing list(const std::string& folder) {
  Listing listing;
  FolderListing entries(folder, kAll);
  FolderEntry entry;
  while (entries.next(entry)) (entry.folder ? listing.folders : listing.files).push_back(std::move(entry.name));
  if (!entries.failure().empty()) throw data_error("{}: {}", folder, entries.failure());
  return listing;
}

// Appends the image files at and below `folder`, and the folders that cannot be read. `within` as FolderWalk has it.
void append_pictures(const std::string& folder, const std::string& within, int label, const Selection& selection,
                     Dataset& to) {
  FolderWalk walk(folder, kAll, within, selection);
  std::string path, failure;
  while (walk.next(path, failure)) {
    if (failure.empty())
      to.samples.push_back({std::move(path), label});
    else
      to.unread.push_back({std::move(path), std::move(failure)});
  }
  to.left_out.add(walk.left_out());
}

// "; 130 files left out by their ending: ..." and "; exclude leaves out the rest", for the end of an error.
std::string why_so_few(const PassedOver& left_out) {
  std::string text = left_out_sentence(left_out);
  if (!text.empty()) text = "; " + text;
  if (!left_out.patterns.empty()) text += fmt::format("; {} leaves out others", setting("exclude"));
  return text;
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

Error no_picture(const PackReader& pack, const PassedOver& left_out) {
  return data_error("{}: {}{}", pack.path(), pack.damage().empty() ? "holds no picture" : pack.damage(),
                    why_so_few(left_out));
}

// The numbers of the pictures that the selection takes.
std::vector<int64_t> taken(const PackReader& pack, const Selection& selection, PassedOver& left_out) {
  std::vector<int64_t> numbers;
  numbers.reserve(static_cast<size_t>(pack.size()));
  for (int64_t i = 0; i < pack.size(); ++i) {
    const auto pattern = excluding_pattern_within(selection, pack.path(), std::string(pack.name(i)));
    if (pattern)
      left_out.patterns.insert(*pattern);
    else
      numbers.push_back(i);
  }
  return numbers;
}

Dataset list_pack(const std::string& path, const Selection& selection) {
  const auto pack = std::make_shared<const PackReader>(path);
  const std::vector<std::string>& names = pack->info().classes;
  if (names.empty())
    throw data_error("{}: its pictures have no labels: it was made of a folder without class folders", path);
  std::vector<int> label_of(names.size(), -1);
  Dataset dataset;
  const std::vector<int64_t> numbers = taken(*pack, selection, dataset.left_out);
  for (const int64_t i : numbers) label_of[static_cast<size_t>(pack->label(i))] = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    if (label_of[i] == 0) label_of[i] = static_cast<int>(dataset.classes.size());
    (label_of[i] < 0 ? dataset.empty_classes : dataset.classes).push_back(names[i]);
  }
  if (dataset.classes.empty()) throw no_picture(*pack, dataset.left_out);
  dataset.samples.reserve(numbers.size());
  for (const int64_t i : numbers)
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

std::vector<int64_t> class_sizes(std::span<const int32_t> labels, size_t classes) {
  std::vector<int64_t> counts(classes);
  for (const int32_t label : labels) ++counts[static_cast<size_t>(label)];
  return counts;
}

std::vector<int64_t> class_sizes(const Dataset& dataset) {
  return class_sizes(labels_of(dataset), dataset.classes.size());
}

std::string path_below(const std::string& root, const std::string& path) {
  return fs::path(path).lexically_relative(root).string();
}

Dataset list_image_folder(const std::string& root, const Selection& selection) {
  std::error_code error;
  const fs::file_status status = fs::status(root, error);
  if (status.type() == fs::file_type::not_found) throw data_error("{}: there is no such folder", root);
  if (error)
    throw Error(is_machine_failure(error.value()) ? ErrorKind::kSystem : ErrorKind::kData,
                root + ": the folder cannot be read: " + error.message());
  if (is_pack(root)) return list_pack(root, selection);
  if (status.type() != fs::file_type::directory) {
    throw data_error("{}: is a file, wanted a folder with a sub-folder of pictures for each class, or a pack of one",
                     root);
  }
  Listing top = list(root);
  if (top.folders.empty()) throw no_classes(root, top.files);

  Dataset dataset;
  dataset.beside = static_cast<int64_t>(top.files.size());
  for (std::string& name : top.folders) {
    if (const auto pattern = excluding_pattern(selection, join_path(root, name), true)) {
      dataset.left_out.patterns.insert(*pattern);
      continue;
    }
    const size_t before = dataset.samples.size(), unread = dataset.unread.size();
    const auto label = static_cast<int>(dataset.classes.size());
    append_pictures(join_path(root, name), root, label, selection, dataset);
    if (dataset.samples.size() > before)
      dataset.classes.push_back(std::move(name));
    else if (dataset.unread.size() == unread)
      dataset.empty_classes.push_back(std::move(name));
  }
  if (dataset.classes.empty() && !dataset.unread.empty())
    throw data_error("{}: no picture in its class folders; {}: {}", root, dataset.unread.front().path,
                     dataset.unread.front().reason);
  if (dataset.classes.empty() && dataset.empty_classes.empty())
    throw data_error("{}: {} leaves no class folder: {}", root, setting("exclude"), fmt::join(top.folders, ", "));
  if (dataset.classes.empty())
    throw data_error("{}: no picture in its class folders ({}); wanted files that end in {}{}", root,
                     fmt::join(dataset.empty_classes, ", "), image_extensions(), why_so_few(dataset.left_out));
  return dataset;
}

std::vector<Sample> list_pictures(const std::string& path, const Selection& selection, PassedOver* left_out) {
  Dataset found;
  std::vector<Sample>& samples = found.samples;
  const auto give = [&] {
    if (left_out != nullptr) left_out->add(found.left_out);
    return std::move(samples);
  };
  if (!is_folder(path)) {
    if (is_pack(path)) {
      const auto pack = std::make_shared<const PackReader>(path);
      for (const int64_t i : taken(*pack, selection, found.left_out)) samples.push_back(packed_sample(pack, i, -1));
      if (samples.empty()) throw no_picture(*pack, found.left_out);
      return give();
    }
    samples.push_back({path, -1});
    return give();
  }
  append_pictures(path, {}, -1, selection, found);
  if (!found.unread.empty()) throw data_error("{}: {}", found.unread.front().path, found.unread.front().reason);
  if (samples.empty())
    throw data_error("{}: holds no picture; wanted files that end in {}{}", path, image_extensions(),
                     why_so_few(found.left_out));
  return give();
}

std::span<const uint8_t> read_sample(const Sample& sample, std::vector<uint8_t>& buffer,
                                     const PictureReading& reading) {
  if (!sample.pack) return read_picture_file(sample.path, buffer, reading);
  try {
    if (sample.pack->bytes(sample.packed) > kLargeBytes && reading.before_large) reading.before_large();
    return sample.pack->read(sample.packed, buffer);
  } catch (const Error& error) {
    const std::string reason = error.what();
    if (reason.starts_with(sample.pack->path() + ": ")) throw;
    throw Error(error.kind(), sample.path + ": " + reason);
  }
}

}  // namespace resflow
