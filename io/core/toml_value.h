// Values as a TOML file has them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace resflow {

std::string toml_value(const std::string& text);
std::string toml_value(bool value);
std::string toml_value(double value);
std::string toml_value(int value);
std::string toml_value(int64_t value);
std::string toml_value(uint64_t value);  // a text above 2^63, which no integer of TOML reaches
std::string toml_value(const std::vector<std::string>& texts);
std::string toml_value(const std::vector<int64_t>& values);
std::string toml_value(const std::vector<double>& values);

}  // namespace resflow
