#include "apps/options/config_file.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <sstream>

#include "io/core/base64.h"
#include "io/core/error.h"
#include "io/core/utf8.h"

namespace resflow {
namespace {

// The text that the option gets to parse. Nothing where a TOML value cannot be an option's value.
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
  // Paths may be any bytes, texts of TOML are UTF-8 (io/core/toml_value.h).
  if (const auto* bytes = node.as_table())
    if (const auto encoded = bytes->get_as<std::string>("base64"); encoded != nullptr && bytes->size() == 1)
      return {from_base64(encoded->get())};
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
    table = toml::parse(without_byte_order_mark(text.str()));
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
    std::vector<std::string> words;
    try {
      words = words_of(node);
    } catch (const Error& error) {
      throw usage_error("{}:{}: {}: {}", path, line, name, error.what());
    }
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

}  // namespace resflow
