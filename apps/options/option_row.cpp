#include "apps/options/option_row.h"

#include <cctype>
#include <type_traits>
#include <variant>

#include "apps/host/terminal_listener.h"

namespace resflow {
namespace {

// With the command line's names in place of those in braces.
std::string named(const std::string& help) {
  std::string text;
  size_t at = 0;
  for (size_t open = help.find('{'); open != std::string::npos; open = help.find('{', at)) {
    const size_t close = help.find('}', open);
    text += help.substr(at, open - at) + option_name(help.substr(open + 1, close - open - 1));
    at = close + 1;
  }
  return text + help.substr(at);
}

template <class T>
struct IsListValue : std::false_type {};
template <class T>
struct IsListValue<std::vector<T>> : std::true_type {};

}  // namespace

std::string command_line_name(const std::string& name, bool positional) {
  if (!positional) return option_name(name);
  std::string letters = name;
  for (char& c : letters) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return letters;
}

void declare_option(CLI::App& command, const std::string& name, const std::string& help, OptionValue value,
                    bool show_default, bool commas) {
  const std::string words = named(help);
  std::visit(
      [&](auto* v) {
        using T = std::decay_t<decltype(*v)>;
        if constexpr (std::is_same_v<T, bool>) {
          command.add_flag(name, *v, words);
        } else {
          CLI::Option* option = command.add_option(name, *v, words);
          if constexpr (IsListValue<T>::value) {
            if (commas) option->delimiter(',');
            option->allow_extra_args(false);  // CLI11 would take the words after a list for more of it
          }
          if (show_default) option->capture_default_str();
        }
      },
      value);
}

}  // namespace resflow
