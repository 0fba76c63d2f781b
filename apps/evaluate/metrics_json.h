// The figures of an evaluation as JSON, for other programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "graph/head/metrics.h"

namespace resflow {

// {"pictures": ..., "accuracy": ..., "classes": [{...}, ...], "confusion": [[...], ...], "calibration": [{...}, ...]}.
// `classes` are the names, in the model's order.
nlohmann::ordered_json metrics_json(const Metrics& metrics, const std::vector<std::string>& classes);

}  // namespace resflow
