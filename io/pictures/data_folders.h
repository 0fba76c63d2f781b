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
// Upper and lower case are alike, training/ is as train/, valid/ and validation/ are as val/, testing/ is as test/; of
// several the usual name goes first.
std::vector<DataPart> data_parts(const std::string& data);

// Folders beside `parts` whose names say that they are others, which nobody takes without being told: validation_set/.
std::vector<DataPart> untaken_parts(const std::string& data, const std::vector<DataPart>& parts);

// Folders whose names say that they are parts of a data set, where a listing would take them for classes.
struct MistakenParts {
  std::vector<DataPart> parts;  // by the names "train", "val", "test": train first, where there is one
  bool labelled = false;        // these hold folders, which are the classes
  bool parted = false;          // data_parts() of `above` finds them
  std::string above;            // the folder that they lie in: `root` or its only folder
};

// Where all folders of `root` (stray ones aside: is_stray_folder()) are called like parts (train, Train, training_set,
// val, valid, validation, test, test_set, ...), and more than one kind of them is there, or where that is so of the
// only folder in it. parts is empty where it is not so.
MistakenParts mistaken_parts(const std::string& root);

// The names of the folders within the folders of `root`, where these hold no pictures but each the same two or more
// folders: the classes may be a level deeper. Else empty.
std::vector<std::string> repeated_folders(const std::string& root);

// The folder or pack to evaluate a model with: DATA/val (by the names that data_parts() knows) where that holds class
// folders, and else DATA itself. Where the model has a class of that name, it holds the pictures of that class.
std::string evaluation_root(const std::string& data, const std::vector<std::string>& classes);

// True where the folder holds folders (stray ones aside): a part, rather than a class that happens to be called
// "train". Here and below Error{kSystem} where the machine fails; a folder that is absent or may not be read holds
// nothing.
bool holds_folders(const std::string& folder);

// True for a folder of class folders: it holds folders, and no pictures beside them.
bool holds_classes(const std::string& folder);

// True where pictures of `root`, a folder or a pack, are labelled with at least one of `classes`: there is a folder of
// its name, or the pack lists it. Throws Error{kData} for a damaged pack.
bool has_class_of(const std::string& root, const std::vector<std::string>& classes);

}  // namespace resflow
