#include "apps/train/option.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ios>
#include <sstream>
#include <type_traits>

#include "io/core/error.h"
#include "io/core/toml_value.h"

namespace resflow {
namespace {

template <class T>
struct IsList : std::false_type {};
template <class T>
struct IsList<std::vector<T>> : std::true_type {};

template <class T>
T parse(const std::string& name, const std::string& text) {
  std::istringstream stream(text);
  T value{};
  if (!(stream >> std::boolalpha >> value) || !(stream >> std::ws).eof())
    throw data_error("the checkpoint's {} is \"{}\": it cannot be resumed", setting(name), text);
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
        } else if constexpr (std::is_same_v<T, std::string>) {
          *v = text;
        } else {
          *v = parse<T>(name, text);
        }
      },
      value);
}

}  // namespace resflow
