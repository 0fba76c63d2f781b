// The parts of a labelled folder of photographs: itself, or train/, val/ and test/ within it.
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

// True where the folder holds folders: a part, rather than a class that happens to be called "train".
bool holds_folders(const std::string& folder);

}  // namespace resflow
