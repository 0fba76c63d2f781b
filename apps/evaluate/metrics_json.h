// The figures of an evaluation as JSON, for other programs.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "graph/head/metrics.h"

namespace resflow {

// Of more classes there is no matrix, only the pairs that occur: 21,841 classes would make half a billion numbers.
inline constexpr size_t kMatrixClasses = 1000;

// {"pictures": ..., "accuracy": ..., "classes": [{...}, ...], "confusion": [[...], ...],
// "confusion_pairs": [[true class, said class, pictures], ...], "calibration": [{...}, ...]}.
// Pairs hold places in "classes". `classes` are the names, in the model's order.
nlohmann::ordered_json metrics_json(const Metrics& metrics, const std::vector<std::string>& classes);

}  // namespace resflow
