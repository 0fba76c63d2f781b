#include "apps/score/fingerprint_json.h"

#include <algorithm>
#include <string_view>

#include "io/core/base64.h"
#include "io/core/setting.h"

namespace resflow {
namespace {

// Before the name of a setting in the files. It is a part of their format.
constexpr std::string_view kSettingPrefix = "--";

}  // namespace

std::string stored_name(const std::string& name) {
  return with_names(name, [](std::string_view setting) {
    std::string stored = std::string(kSettingPrefix) + std::string(setting);
    std::replace(stored.begin(), stored.end(), '_', '-');
    return stored;
  });
}

std::string name_of_stored(const std::string& stored) {
  if (!stored.starts_with(kSettingPrefix)) return stored;
  std::string name = stored.substr(kSettingPrefix.size());
  std::replace(name.begin(), name.end(), '-', '_');
  return setting(name);
}

nlohmann::ordered_json json_of_fingerprint(const Fingerprint& fingerprint) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const auto& [name, value] : fingerprint) json.push_back({stored_name(name), json_of_bytes(value)});
  return json;
}

Fingerprint fingerprint_of_json(const nlohmann::ordered_json& json) {
  Fingerprint fingerprint;
  for (const nlohmann::ordered_json& pair : json)
    fingerprint.emplace_back(name_of_stored(pair.at(0).get<std::string>()), bytes_of_json(pair.at(1)));
  return fingerprint;
}

}  // namespace resflow
