// All that shapes the rows of a scoring, in words: a run is gone on with, and shards are merged, only where all of it
// is the same.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace resflow {

// Pairs of name and value, in order: ("model", "resnet18 with xxh3 0123456789abcdef"), (setting("top"), "3"), ... The
// name of a setting is marked (io/core/setting.h).
using Fingerprint = std::vector<std::pair<std::string, std::string>>;

// The first pair that differs, as "top 1" and "top 3", with the setting marked; nothing where all are the same.
struct Difference {
  std::string first, second;
};
std::optional<Difference> first_difference(const Fingerprint& first, const Fingerprint& second);

// As journals and shards have it in their files (docs/score-files.md).
nlohmann::ordered_json json_of_fingerprint(const Fingerprint& fingerprint);
Fingerprint fingerprint_of_json(const nlohmann::ordered_json& json);  // Throws Error{kData} or nlohmann's exceptions.

// How those files spell a name: setting("all_scores") is "--all-scores" there, other names are as they are.
std::string stored_name(const std::string& name);
std::string name_of_stored(const std::string& stored);

}  // namespace resflow
