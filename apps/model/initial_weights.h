// The values that training starts from when it is given weights instead of random numbers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "apps/model/structure.h"
#include "io/checkpoint/description.h"
#include "io/core/listener.h"
#include "io/core/named_array.h"

namespace resflow {

struct InitialWeightsOptions {
  std::string weights = {};            // a file of weights, or one of torchvision's entries: "resnet34:IMAGENET1K_V1"
  std::string key = {}, prefix = {};   // of several models in the file, as ModelFileOptions has them
  std::vector<std::string> skip = {};  // shell-like patterns (fnmatch) of parameter names that are left out
  std::string architecture = {};       // empty: the model that the weights fit
  StructureOptions structure = {};     // what they have to fit, and what no tensor shows
  std::vector<std::string> classes = {};  // of the data
  // Of the network's input in evaluation. 0: what the entry is evaluated at; of other weights what the model is meant
  // for.
  int image_size = 0;
  double crop_pct = 0;  // the part of the short side that the crop shows; 0: the weights' own
  uint64_t seed = 0;    // of what is initialised anew
};

struct InitialWeights {
  ModelDescription description;    // with as many classes as the data have
  int image_size = 0;              // what to train at: as the entry was; of other weights what the model is meant for
  std::vector<NamedArray> values;  // all of the model's, as Model::load takes them
  // The evaluation that goes with training from them: the weights' mean and deviation, and at image_size their ratio
  // of resize to crop, rounded down as eval_preprocessing does it (232 to 224 gives 232 at 224, 132 at 128).
  // ImageNet's, 256 to 224, where nothing is known of the weights.
  Preprocessing preprocessing;
  std::vector<std::pair<std::string, std::string>> provenance;
  // What a run tells its user: ("head", "fc.weight and fc.bias are ..."). May hold marked settings.
  std::vector<std::pair<std::string, std::string>> facts;
};

// fc.weight and fc.bias are initialised anew (graph/model/init.h) where the weights have none or another number of
// classes, and kept where they have as many; rows of classes that both have by name are kept in any case. What a
// pattern names is initialised anew. num_batches_tracked is 0 where the file has none. Anything else that does not fit
// is an Error{kData} that says how, with the first few names. Throws Error{kUsage} for an unknown entry
// or architecture, a pattern that matches nothing, and patterns that leave nothing; Error{kData} as read_weights and
// find_pretrained do, and for values that are no numbers. Warns of what model_facts() notes, and of a head that was
// kept although the data have other classes.
InitialWeights load_initial_weights(const InitialWeightsOptions& options, Listener& listener);

}  // namespace resflow
