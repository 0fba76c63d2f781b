// What resflow inspect says about a file of weights, from its header alone.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/model/model_file.h"

namespace resflow {

struct FileView {
  ModelFacts facts;
  int64_t bytes = 0;                   // of the file
  std::optional<Checkpoint> training;  // of a resflow checkpoint, without tensors
  bool asked = false;                  // for the model that the tensors are compared with
  // By --verify: all values were read, and are whole; those that are not finite.
  bool verified = false;
  std::string not_finite;
};

// `verify` reads all values. Throws as model_facts, and where it verifies as read_weights and load_checkpoint do.
FileView view_file(const std::string& name, const ModelFileOptions& options, bool verify, Listener& listener);

void print_file(const FileView& view);
nlohmann::ordered_json file_json(const FileView& view);

}  // namespace resflow
