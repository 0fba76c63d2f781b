// What a measurement says about the process that made it, for JSON files.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace resflow {

int64_t peak_rss_bytes();  // of this process so far

// {"versions": {...}, "cpu": ..., "isa": ..., "peak_rss_bytes": ...}: what every report holds.
nlohmann::ordered_json process_report();

// Whole or not at all. Throws as AtomicFile does.
void write_json(const std::string& path, const nlohmann::ordered_json& report);

}  // namespace resflow
