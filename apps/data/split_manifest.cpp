#include "apps/data/split_manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "io/core/error.h"
#include "io/core/utf8.h"
#include "io/files/file.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kMadeBy = "resflow split";

// File names are bytes, and JSON is UTF-8: a name that is no UTF-8 becomes {"hex": "..."}.
Json name_json(const std::string& name) {
  if (is_utf8(name)) return name;
  std::string hex;
  for (const char c : name) hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return {{"hex", hex}};
}

std::string json_name(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  const auto hex = json.at("hex").get<std::string>();
  std::string name;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) name += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return name;
}

// Whether `place` lies below the folder. A manifest that somebody else wrote could say another place.
bool is_safe(const std::string& place) {
  const fs::path path(place);
  return !place.empty() && place.find('\0') == std::string::npos && path.is_relative() &&
         std::none_of(path.begin(), path.end(),
                      [](const fs::path& step) { return step == ".." || step == "." || step.empty(); });
}

}  // namespace

std::string manifest_text(const SplitJob& job, const std::vector<SplitMade>& files) {
  Json json;
  json["made_by"] = kMadeBy;
  json["version"] = 1;
  json["data"] = name_json(job.data);
  json["how"] = split_how_name(job.how);
  json["val"] = job.plan.val;
  json["test"] = job.plan.test;
  json["stratify"] = job.plan.stratify;
  json["group_duplicates"] = job.group_duplicates;
  json["seed"] = job.plan.seed;
  json["files"] = Json::array();
  for (const SplitMade& made : files) {
    Json file;
    file["place"] = name_json(made.place);
    if (!made.source.empty()) file["source"] = name_json(made.source);
    if (made.bytes >= 0) file["bytes"] = made.bytes;
    json["files"].push_back(file);
  }
  return json.dump(1) + "\n";
}

std::optional<SplitManifest> read_manifest(const fs::path& folder) {
  try {
    std::vector<uint8_t> buffer;
    const auto bytes = read_file((folder / kSplitManifest).string(), buffer);
    const Json json = Json::parse(bytes.begin(), bytes.end());
    if (json.at("made_by") != kMadeBy || json.at("version") != 1) return std::nullopt;
    SplitManifest manifest = {.how = split_how(json.at("how").get<std::string>()), .files = {}};
    for (const Json& file : json.at("files")) {
      SplitMade made = {.place = json_name(file.at("place")), .source = {}};
      if (!is_safe(made.place)) return std::nullopt;
      if (file.contains("source")) made.source = json_name(file.at("source"));
      made.bytes = file.value("bytes", int64_t{-1});
      manifest.files.push_back(std::move(made));
    }
    return manifest;
  } catch (const Error&) {
    return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const std::logic_error&) {  // hexadecimal digits that are none
    return std::nullopt;
  }
}

bool lies_within(const SplitManifest& manifest, const std::string& data) {
  return std::all_of(manifest.files.begin(), manifest.files.end(), [&](const SplitMade& made) {
    const std::string below = data.ends_with('/') ? data : data + "/";
    return made.source.starts_with(below) && is_safe(made.source.substr(below.size()));
  });
}

}  // namespace resflow
