// What an evaluation came to, for people and for other programs: as text, as CSV and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/evaluate/evaluation.h"
#include "graph/head/metrics.h"

namespace resflow {

// For a terminal: accuracy, a line for each class (of many classes the weakest), averages, and which classes are taken
// for which.
std::string metrics_text(const Metrics& metrics, const std::vector<std::string>& classes);

nlohmann::ordered_json metrics_json(const Metrics& metrics, const std::vector<std::string>& classes);

// A row for each picture, and behind them the broken ones: path,label,class,probability,label_probability,right,error
std::string predictions_csv(const Evaluation& evaluation);

}  // namespace resflow
