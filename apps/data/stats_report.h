// A data set's statistics for people, and for programs.
#pragma once

#include <nlohmann/json.hpp>

#include "apps/data/stats.h"

namespace resflow {

// On standard output. Long lists are cut, and say so.
void print_data_stats(const DataStats& stats, const DataStatsOptions& options);

// {"mean": [...], "std": [...], "parts": {"train": {...}, ...}, "same_content": [...], ...}; nothing is cut.
nlohmann::ordered_json data_stats_json(const DataStats& stats, const DataStatsOptions& options);

}  // namespace resflow
