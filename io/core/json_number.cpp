#include "io/core/json_number.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "io/core/error.h"
#include "io/core/text.h"

namespace resflow {
namespace {

Error no_number(const nlohmann::ordered_json& value) {
  using Json = nlohmann::ordered_json;
  const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return data_error("{} is no whole number, or too large a one", printable(text));
}

}  // namespace

int64_t int64_of_json(const nlohmann::ordered_json& value) {
  if (!value.is_number_integer()) throw no_number(value);
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (value.is_number_unsigned() && value.get<uint64_t>() > kMost) throw no_number(value);
  return value.get<int64_t>();
}

int int_of_json(const nlohmann::ordered_json& value) {
  const int64_t number = int64_of_json(value);
  if (number < std::numeric_limits<int>::min() || number > std::numeric_limits<int>::max()) throw no_number(value);
  return static_cast<int>(number);
}

}  // namespace resflow
