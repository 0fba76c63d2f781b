// The fingerprint of a scoring as a journal and a shard's footer hold it: [["--top", "3"], ...] (docs/score-files.md).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "apps/score/fingerprint.h"

namespace resflow {

nlohmann::ordered_json json_of_fingerprint(const Fingerprint& fingerprint);
// Throws Error{kData} or nlohmann's exceptions.
Fingerprint fingerprint_of_json(const nlohmann::ordered_json& json);

// How those files spell a name: setting("all_scores") is "--all-scores" there, other names are as they are.
std::string stored_name(const std::string& name);
std::string name_of_stored(const std::string& stored);

}  // namespace resflow
