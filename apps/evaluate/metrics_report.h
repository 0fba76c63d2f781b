// What an evaluation came to, as text and as CSV. As JSON it is in metrics_json.h.
#pragma once

#include <string>
#include <vector>

#include "apps/evaluate/evaluation.h"
#include "graph/head/metrics.h"

namespace resflow {

// For a terminal: accuracy, a line for each class (of many classes the weakest), averages, and which classes are taken
// for which.
std::string metrics_text(const Metrics& metrics, const std::vector<std::string>& classes);

// Replaces `path`: a row for each picture, and behind them the broken ones,
// path,label,class,probability,label_probability,right,error. Throws as AtomicFile does (io/files/file.h).
void write_predictions_csv(const Evaluation& evaluation, const std::string& path);

}  // namespace resflow
