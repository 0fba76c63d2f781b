#include "apps/options/config_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <toml++/toml.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

#include "io/core/error.h"

namespace resflow {
namespace {

template <class T>
std::string list_value(const std::vector<T>& list) {
  std::vector<std::string> values;
  values.reserve(list.size());
  for (const T& value : list) values.push_back(toml_value(value));
  return fmt::format("[{}]", fmt::join(values, ", "));
}

// What the option gets to read; nothing for what is no value of an option.
std::vector<std::string> words_of(const toml::node& node) {
  if (const auto* list = node.as_array()) {
    std::vector<std::string> words;
    for (const toml::node& entry : *list) {
      const std::vector<std::string> one = words_of(entry);
      if (one.size() != 1) return {};
      words.push_back(one.front());
    }
    return words;
  }
  if (const auto* text = node.as_string()) return {text->get()};
  if (const auto* integer = node.as_integer()) return {fmt::format("{}", integer->get())};
  if (const auto* number = node.as_floating_point()) return {fmt::format("{}", number->get())};
  if (const auto* flag = node.as_boolean()) return {flag->get() ? "true" : "false"};
  return {};
}

CLI::Option* option_of(CLI::App& command, const std::string& key) {
  if (CLI::Option* option = command.get_option_no_throw("--" + key)) return option;
  std::string positional = key;
  std::transform(positional.begin(), positional.end(), positional.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  CLI::Option* option = command.get_option_no_throw(positional);
  return option != nullptr && option->get_positional() ? option : nullptr;
}

}  // namespace

void apply_config(CLI::App& command, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) throw usage_error("--config {}: cannot be read", path);
  toml::table table;
  try {
    table = toml::parse(text.str());
  } catch (const toml::parse_error& error) {
    throw usage_error("{}:{}: is no TOML: {}", path, error.source().begin.line, error.description());
  }
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const auto line = node.source().begin.line;
    CLI::Option* option = option_of(command, name);
    if (option == nullptr || name == "config" || name == "help")
      throw usage_error("{}:{}: {} is no option of {}: see resflow {} --help", path, line, name, command.get_name(),
                        command.get_name());
    if (option->count() > 0) continue;
    const std::vector<std::string> words = words_of(node);
    if (words.empty() && !(node.is_array() && node.as_array()->empty()))
      throw usage_error("{}:{}: {} wanted a number, a text, true, false, or a list of such", path, line, name);
    if (words.empty() || (option->get_items_expected_max() == 0 && words.front() == "false")) continue;
    try {
      for (const std::string& word : words) option->add_result(word);
      option->run_callback();
    } catch (const CLI::Error& error) {
      throw usage_error("{}:{}: {}: {}", path, line, name, error.what());
    }
  }
}

std::string toml_value(const std::string& text) {
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
