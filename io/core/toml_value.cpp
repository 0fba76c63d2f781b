#include "io/core/toml_value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "io/core/base64.h"
#include "io/core/utf8.h"

namespace resflow {
namespace {

template <class T>
std::string list_value(const std::vector<T>& list) {
  std::vector<std::string> values;
  values.reserve(list.size());
  for (const T& value : list) values.push_back(toml_value(value));
  return fmt::format("[{}]", fmt::join(values, ", "));
}

}  // namespace

std::string toml_value(const std::string& text) {
  if (!is_utf8(text)) return fmt::format("{{base64 = \"{}\"}}", base64(text));
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      quoted += fmt::format("\\{}", c);
    else if (byte < 0x20 || byte == 0x7F)
      quoted += fmt::format("\\u{:04X}", byte);
    else
      quoted += c;
  }
  return quoted + "\"";
}

std::string toml_value(bool value) { return value ? "true" : "false"; }
std::string toml_value(double value) { return fmt::format("{}", value); }
std::string toml_value(int value) { return fmt::format("{}", value); }
std::string toml_value(int64_t value) { return fmt::format("{}", value); }
std::string toml_value(uint64_t value) {
  const std::string digits = fmt::format("{}", value);
  return value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ? toml_value(digits) : digits;
}

std::string toml_value(const std::vector<std::string>& texts) { return list_value(texts); }
std::string toml_value(const std::vector<int64_t>& values) { return list_value(values); }
std::string toml_value(const std::vector<double>& values) { return list_value(values); }

}  // namespace resflow
