// The photographs of a training run: what to learn from and what to check with.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "io/core/listener.h"
#include "io/pictures/dataset.h"
#include "pipeline/loader.h"

namespace resflow {

struct TrainingData {
  std::string train_root, val_root;  // val_root is empty where there is no validation data
  Dataset train, val;                // both with the classes of `train`
  std::string identity;              // tells data sets apart: counts and a hash of classes and file names
  std::string val_identity;
};

// `data` is an ImageFolder or a pack of one, or holds train/ (and val/) that are folders. `val` names other validation
// data; may be empty. `selection` says what is left out of both. Validation pictures are matched by class name. Warns
// of what does not match, of classes without a picture, of folders that nobody made, of damaged packs, and of folders
// that cannot be read; under OnError::kStop these are an Error{kData}. Throws as list_image_folder does, and
// Error{kData} for fewer than two classes or no class in common.
TrainingData load_training_data(const std::string& data, const std::string& val, Listener& listener,
                                OnError on_error = OnError::kSkip, const Selection& selection = {});

// Stands for the sizes and times of the pictures' files, or of the packs that they are in: another text says that some
// were changed since.
std::string files_state(const TrainingData& data);

// What the sentences of match_classes say, and what else it knows: "OWNER has no such class", "no pictures of ant to
// PURPOSE with".
struct MatchWords {
  std::string owner = "training", purpose = "validate";
  std::map<std::string, std::string> other_names = {};  // of classes, which folders may have: name to class
};

// Labels of `data` become those of `classes`, by name; pictures of other classes are taken out. Warns of what does not
// match. `root` and `classes_of` are for sentences: where the pictures and the classes are from.
// Throws Error{kData} where there is no class in common.
void match_classes(Dataset& data, const std::vector<std::string>& classes, const std::string& root,
                   const std::string& classes_of, Listener& listener, const MatchWords& words = {});

// How many pictures and classes there are, and a hash of the classes' names and of the files' names below `root`. Of a
// pack whose pictures were shrunk the hash is also of how they were.
std::string dataset_identity(const Dataset& dataset, const std::string& root);

}  // namespace resflow
