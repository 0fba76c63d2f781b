// Facts of a scoring as a journal and a shard's footer hold them: [["--top", "3"], ...].
#pragma once

#include <nlohmann/json.hpp>

#include "apps/score/journal.h"

namespace resflow {

nlohmann::ordered_json json_of_facts(const Facts& facts);
// Throws Error{kData} or nlohmann's exceptions.
Facts facts_of_json(const nlohmann::ordered_json& json);

}  // namespace resflow
