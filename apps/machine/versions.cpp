#include "apps/machine/versions.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>
#include <linear.h>
#include <oneapi/tbb/version.h>
#include <png.h>

#include <cstdio>  // jpeglib.h needs it
#include <dnnl.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include <jpeglib.h>

#include "apps/machine/threads.h"
#include "ops/compute.h"

#define RESFLOW_TEXT_OF(x) #x
#define RESFLOW_TEXT(x) RESFLOW_TEXT_OF(x)

namespace resflow {

std::string resflow_version() { return RESFLOW_VERSION; }

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return {};
}

std::string onednn_version() {
  const dnnl_version_t* v = dnnl_version();
  return fmt::format("{}.{}.{}", v->major, v->minor, v->patch);
}

std::vector<std::pair<std::string, std::string>> library_versions() {
  return {{"oneDNN", onednn_version()},
          {"oneTBB", TBB_runtime_version()},
          {"libjpeg-turbo", RESFLOW_TEXT(LIBJPEG_TURBO_VERSION)},
          {"libpng", png_get_libpng_ver(nullptr)},
          {"liblinear", fmt::format("{}.{}", liblinear_version / 100, liblinear_version % 100)},
          {"Protobuf", google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION)}};
}

std::string version_text() {
  std::string text = fmt::format("resflow {}\n", resflow_version());
  for (const auto& [library, version] : library_versions()) text += fmt::format("{:14} {}\n", library, version);
  text += fmt::format("{:14} {}\n{:14} {}", "CPU", cpu_model(), "instructions", onednn_isa_name());
  return text;
}

std::string version_json() {
  nlohmann::ordered_json all = {{"resflow", resflow_version()}};
  for (const auto& [library, version] : library_versions()) all["libraries"][library] = version;
  all["cpu"] = cpu_model();
  all["instructions"] = onednn_isa_name();
  all["threads"] = cpu_limits().usable();
  return all.dump(2);
}

std::string run_fingerprint(int threads) {
  return fmt::format("resflow {}, oneDNN {}, {}, {}, {} threads", resflow_version(), onednn_version(), cpu_model(),
                     onednn_isa_name(), threads);
}

std::vector<std::pair<std::string, std::string>> report_versions() {
  std::vector<std::pair<std::string, std::string>> all = {{"resflow", resflow_version()}};
  for (const auto& library : library_versions()) all.push_back(library);
  all.emplace_back("CPU", cpu_model());
  all.emplace_back("instructions", onednn_isa_name());
  return all;
}

}  // namespace resflow
