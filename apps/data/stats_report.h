// A data set's statistics for people, and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "apps/data/stats.h"

namespace resflow {

// For a terminal. Long lists are cut, and say so; their sentences mark the setting "json", whose file has all.
std::string data_stats_text(const DataStats& stats, const DataStatsOptions& options);

// {"mean": [...], "std": [...], "parts": {"train": {...}, ...}, "same_content": [...], ...}; nothing is cut.
nlohmann::ordered_json data_stats_json(const DataStats& stats, const DataStatsOptions& options);

}  // namespace resflow
