// What this program is made of and runs on: for --version, reports, and the fingerprint of a run.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace resflow {

std::string resflow_version();
std::string cpu_model();  // "AMD EPYC"; empty where the system does not say
std::string onednn_version();

// (library, version) of everything linked.
std::vector<std::pair<std::string, std::string>> library_versions();

// What --version prints, as lines and as JSON.
std::string version_text();
std::string version_json();

// The same fingerprint, data and options give the same bits.
std::string run_fingerprint(int threads);

// What all reports end with: resflow, libraries, CPU.
std::vector<std::pair<std::string, std::string>> report_versions();

}  // namespace resflow
