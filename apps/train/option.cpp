#include "apps/train/option.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <sstream>
#include <system_error>
#include <type_traits>

#include "io/core/error.h"
#include "io/core/toml_value.h"

namespace resflow {
namespace {

template <class T>
struct IsList : std::false_type {};
template <class T>
struct IsList<std::vector<T>> : std::true_type {};

// The inverse of fmt's "{}".
template <class T>
T parse(const std::string& name, const std::string& text) {
  T value{};
  bool is_value = false;
  if constexpr (std::is_same_v<T, std::string>) {
    value = text;
    is_value = true;
  } else if constexpr (std::is_same_v<T, bool>) {
    value = text == "true";
    is_value = value || text == "false";
  } else {
    const char* end = text.data() + text.size();
    const auto [read, error] = std::from_chars(text.data(), end, value);
    is_value = error == std::errc() && read == end;
  }
  if (!is_value) throw data_error("the checkpoint's {} is \"{}\": it cannot be resumed", setting(name), text);
  return value;
}

}  // namespace

std::string text_of(const OptionValue& value) {
  return std::visit(
      [](const auto* v) {
        // Values hold no white space, so that one space keeps them apart.
        if constexpr (IsList<std::decay_t<decltype(*v)>>::value)
          return fmt::format("{}", fmt::join(*v, " "));
        else
          return fmt::format("{}", *v);
      },
      value);
}

std::string toml_of(const OptionValue& value) {
  return std::visit([](const auto* v) { return toml_value(*v); }, value);
}

void set_text(const OptionValue& value, const std::string& name, const std::string& text) {
  std::visit(
      [&](auto* v) {
        using T = std::decay_t<decltype(*v)>;
        if constexpr (IsList<T>::value) {
          v->clear();
          std::istringstream stream(text);
          for (std::string word; stream >> word;) v->push_back(parse<typename T::value_type>(name, word));
        } else {
          *v = parse<T>(name, text);
        }
      },
      value);
}

}  // namespace resflow
