// Whole numbers of foreign JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

namespace resflow {

// Throw Error{kData} for what is no whole number, or none that fits: the JSON library converts any number, and what a
// larger one or a fraction becomes is anybody's guess.
int64_t int64_of_json(const nlohmann::ordered_json& value);
int int_of_json(const nlohmann::ordered_json& value);

}  // namespace resflow
