// What a file of weights is, from its header alone.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/model/model_file.h"

namespace resflow {

struct FileView {
  ModelFacts facts;
  int64_t bytes = 0;                   // of the file
  std::optional<Checkpoint> training;  // of a resflow checkpoint, without tensors
  bool asked = false;                  // the caller named the model that the tensors are compared with
  bool verified = false;               // all values were read, and the file is whole
  std::string not_finite;              // of a verified file: the values that are not finite
};

// `verify` reads all values. Throws as model_facts does, and with `verify` as read_weights and load_checkpoint do.
FileView view_file(const std::string& name, const ModelFileOptions& options, bool verify, Listener& listener);

std::string file_text(const FileView& view);  // for a terminal
nlohmann::ordered_json file_json(const FileView& view);

}  // namespace resflow
