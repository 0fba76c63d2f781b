// Which folder DATA means: a labelled folder of photographs, or one of train/, val/ and test/ within it.
#pragma once

#include <string>
#include <vector>

namespace resflow {

struct DataPart {
  std::string name;  // "train", "val", "test"
  std::string root;  // a folder of class folders
};

// What `resflow train DATA` takes: where `data` holds a train/ with class folders it is that, with val/ and test/ where
// they have class folders, too; else `data` itself is the training part. Looks no further: listing says what is wrong.
std::vector<DataPart> data_parts(const std::string& data);

// The folder or pack to evaluate a model with: DATA/val where that holds class folders, and else DATA itself. Where the
// model has a class of the name "val", DATA/val holds the pictures of that class.
std::string evaluation_root(const std::string& data, const std::vector<std::string>& classes);

// True where the folder holds folders: a part, rather than a class that happens to be called "train". Here and below
// Error{kSystem} where the machine fails; a folder that is absent or may not be read holds nothing.
bool holds_folders(const std::string& folder);

// True for a folder of class folders: it holds folders, and no pictures beside them.
bool holds_classes(const std::string& folder);

// True where pictures of `root`, a folder or a pack, are labelled with at least one of `classes`: there is a folder of
// its name, or the pack lists it. Throws Error{kData} for a damaged pack.
bool has_class_of(const std::string& root, const std::vector<std::string>& classes);

}  // namespace resflow
