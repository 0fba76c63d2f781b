#include "apps/score/facts_json.h"

#include <string>

#include "io/core/base64.h"

namespace resflow {

nlohmann::ordered_json json_of_facts(const Facts& facts) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& [name, value] : facts) json.push_back({name, json_of_bytes(value)});
  return json;
}

Facts facts_of_json(const nlohmann::ordered_json& json) {
  Facts facts;
  for (const auto& fact : json) facts.emplace_back(fact.at(0).get<std::string>(), bytes_of_json(fact.at(1)));
  return facts;
}

}  // namespace resflow
