#include "apps/data/training_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <map>
#include <set>

#include "apps/data/damaged_packs.h"
#include "apps/data/listing_remarks.h"
#include "apps/data/unread_folders.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/file_state.h"
#include "io/files/sha256.h"
#include "io/files/xxh3.h"
#include "io/pack/reader.h"
#include "io/pictures/data_folders.h"

namespace resflow {
namespace {

// "ant, bee, cat". Of many names the first ten, and how many more there are.
std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kShown = 10;
  return first_few(names, kShown);
}

// Pictures that nobody has seen may be missing where a folder cannot be read.
void take_unread_folders(const Dataset& dataset, OnError on_error, Listener& listener) {
  if (on_error == OnError::kStop && !dataset.unread.empty())
    throw data_error("{}: {}", dataset.unread.front().path, dataset.unread.front().reason);
  warn_of_unread_folders(dataset, listener);
}

// A model of a class that it has never seen could only be wrong about it.
void warn_of_empty_classes(const Dataset& dataset, const std::string& root, Listener& listener) {
  if (!dataset.empty_classes.empty())
    listener.warn(
        fmt::format("{}: no picture in {}: left out of the classes", root, fmt::join(dataset.empty_classes, ", ")));
}

// Where every class consists of the same folders these may be the classes.
void warn_of_nested_classes(const std::string& root, const Dataset& dataset, Listener& listener) {
  const std::vector<std::string> inner = repeated_folders(root);
  if (!inner.empty())
    listener.warn(
        fmt::format("{}: each of its classes ({}) holds the same folders ({}), which count for nothing: are "
                    "those the classes?",
                    root, listed(dataset.classes), listed(inner)));
}

// What lies there and may have been meant.
void name_validation_data(const std::string& data, const std::vector<DataPart>& parts, Listener& listener) {
  std::vector<DataPart> others = untaken_parts(data, parts);
  for (const DataPart& part : parts)
    if (part.name == "test") others.push_back(part);
  for (const DataPart& part : others)
    if (part.name != "train")
      listener.note(fmt::format("{} looks like {} data, and nothing is validated with it: {} {} does so", part.root,
                                part.name == "val" ? "validation" : "test", setting("val"), part.root));
}

}  // namespace

void match_classes(Dataset& data, const std::vector<std::string>& classes, const std::string& root,
                   const std::string& classes_of, Listener& listener, const MatchWords& words) {
  std::map<std::string, int> label_of;
  std::set<std::string> twice;
  for (size_t i = 0; i < classes.size(); ++i)
    if (!label_of.emplace(classes[i], static_cast<int>(i)).second) twice.insert(classes[i]);

  for (std::string& name : data.classes) {
    const auto other = label_of.contains(name) ? words.other_names.end() : words.other_names.find(name);
    if (other != words.other_names.end()) name = other->second;
  }
  std::vector<std::string> unknown, missing, unclear;
  std::vector<int> new_label(data.classes.size(), -1);
  for (size_t i = 0; i < data.classes.size(); ++i) {
    const auto found = label_of.find(data.classes[i]);
    if (found == label_of.end())
      unknown.push_back(data.classes[i]);
    else
      new_label[i] = found->second;
    if (twice.contains(data.classes[i])) unclear.push_back(data.classes[i]);
  }
  const std::set<std::string> there(data.classes.begin(), data.classes.end());
  for (const auto& name : classes)
    if (!there.contains(name)) missing.push_back(name);

  for (Sample& sample : data.samples) sample.label = new_label[static_cast<size_t>(sample.label)];
  const auto gone = std::erase_if(data.samples, [](const Sample& s) { return s.label < 0; });
  if (data.samples.empty())
    throw data_error("{}: none of its classes ({}) is one of {} ({}): is it the data of another set?", root,
                     listed(data.classes), classes_of, listed(classes));
  if (!unknown.empty())
    listener.warn(fmt::format("{}: {} of {} left out: {} has no such {}", root, plural(gone, "picture", "pictures"),
                              listed(unknown), words.owner, unknown.size() == 1 ? "class" : "classes"));
  if (!missing.empty())
    listener.warn(fmt::format("{}: no pictures of {} to {} with", root, listed(missing), words.purpose));
  if (!unclear.empty())
    listener.warn(fmt::format("{}: {} has several classes called {}: its pictures count for the first", root,
                              words.owner, listed(unclear)));
  data.classes = classes;
}

std::string dataset_identity(const Dataset& dataset, const std::string& root) {
  Sha256 hash;
  // Names are hashed with their final zeros, so that no two lists of names look alike.
  for (const auto& name : dataset.classes) hash.add(name.c_str(), name.size() + 1);
  for (const Sample& sample : dataset.samples) {
    const std::string name = path_below(root, sample.path);
    hash.add(name.c_str(), name.size() + 1);
  }
  // Pictures that were shrunk for a pack are other pictures, although their names are the same.
  const PackReader* pack = dataset.samples.empty() ? nullptr : dataset.samples.front().pack.get();
  if (pack != nullptr && pack->info().short_side > 0) {
    const std::string made = fmt::format("{} {}", pack->info().short_side, pack->info().quality);
    hash.add(made.c_str(), made.size() + 1);
  }
  return fmt::format("{} pictures of {} classes, {}", dataset.samples.size(), dataset.classes.size(),
                     hash.hex().substr(0, 16));
}

std::string files_state(const TrainingData& data) {
  uint64_t all = 0;
  for (const Dataset* dataset : {&data.train, &data.val}) {
    const std::vector<Sample>& samples = dataset->samples;
    std::vector<uint64_t> states(samples.size());
    // Threads, because on a file system across a network each file is a question to a server.
    tbb::parallel_for(size_t{0}, samples.size(), [&](size_t i) {
      const PackReader* pack = samples[i].pack.get();
      const bool is_first = i == 0 || samples[i - 1].pack.get() != pack;
      if (pack == nullptr || is_first) states[i] = file_state(pack == nullptr ? samples[i].path : pack->path());
    });
    all = xxh3({reinterpret_cast<const char*>(states.data()), states.size() * sizeof(uint64_t)}, all);
  }
  return hex(all);
}

TrainingData load_training_data(const std::string& data, const std::string& val, Listener& listener, OnError on_error,
                                const Selection& selection) {
  TrainingData found;
  const std::vector<DataPart> parts = data_parts(data);
  found.train_root = parts.front().root;
  found.val_root = val;
  for (const DataPart& part : parts)
    if (val.empty() && part.name == "val") found.val_root = part.root;

  found.train = list_image_folder(found.train_root, selection);
  if (found.train.classes.size() < 2)
    throw data_error(
        "{}: has one class only ({}){}{}; telling things apart takes pictures of at least two, each in a "
        "folder of its own",
        found.train_root, found.train.classes.front(),
        found.train.empty_classes.empty()
            ? ""
            : fmt::format(" with pictures, and none in {}", fmt::join(found.train.empty_classes, ", ")),
        found.train.left_out.patterns.empty() ? "" : " that " + setting("exclude") + " leaves in");
  warn_of_empty_classes(found.train, found.train_root, listener);
  take_unread_folders(found.train, on_error, listener);
  remark_on_listing(found.train, found.train_root, listener);
  warn_of_nested_classes(found.train_root, found.train, listener);
  warn_of_damaged_packs(found.train.samples, listener);
  found.identity = dataset_identity(found.train, found.train_root);
  if (!found.val_root.empty()) {
    found.val = list_image_folder(found.val_root, selection);
    remark_on_listing(found.val, found.val_root, listener);
    take_unread_folders(found.val, on_error, listener);
    warn_of_damaged_packs(found.val.samples, listener);
    match_classes(found.val, found.train.classes, found.val_root, found.train_root, listener);
    found.val_identity = dataset_identity(found.val, found.val_root);
  }
  std::set<size_t> used = found.train.left_out.patterns;
  used.insert(found.val.left_out.patterns.begin(), found.val.left_out.patterns.end());
  note_idle_patterns(selection, used, listener);
  if (found.val_root.empty()) name_validation_data(data, parts, listener);
  return found;
}

}  // namespace resflow
