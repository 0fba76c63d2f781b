// An option as a checkpoint keeps it, and as a configuration file does: its name, and its value as text.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <ios>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "apps/train/toml_value.h"
#include "io/core/error.h"

namespace resflow {

template <class Options>
struct OptionField {
  std::string name;  // "--hflip"
  bool fixed;        // decides the bits of a run: a resumed one cannot change it
  std::function<std::string(const Options&)> get;
  std::function<void(Options&, const std::string&)> set;  // Throws Error{kData} for a text that is no such value.
  std::function<std::string(const Options&)> toml;
};

template <class T>
T parse_option(const std::string& name, const std::string& text) {
  std::istringstream stream(text);
  T value{};
  if (!(stream >> std::boolalpha >> value) || !(stream >> std::ws).eof())
    throw data_error("the checkpoint's {} is \"{}\": it cannot be resumed", name, text);
  return value;
}

template <class Options, class T>
OptionField<Options> option_field(const char* name, bool fixed, T Options::*member) {
  return {name, fixed, [member](const Options& o) { return fmt::format("{}", o.*member); },
          [member, name](Options& o, const std::string& text) {
            if constexpr (std::is_same_v<T, std::string>)
              o.*member = text;
            else
              o.*member = parse_option<T>(name, text);
          },
          [member](const Options& o) { return toml_value(o.*member); }};
}

// Values hold no white space, so that one space keeps them apart.
template <class Options, class T>
OptionField<Options> option_list_field(const char* name, bool fixed, std::vector<T> Options::*member) {
  return {name, fixed, [member](const Options& o) { return fmt::format("{}", fmt::join(o.*member, " ")); },
          [member, name](Options& o, const std::string& text) {
            std::vector<T> values;
            std::istringstream stream(text);
            for (std::string value; stream >> value;) values.push_back(parse_option<T>(name, value));
            o.*member = std::move(values);
          },
          [member](const Options& o) { return toml_value(o.*member); }};
}

// The same option where the options that it belongs to are a part of larger ones.
template <class Whole, class Part>
OptionField<Whole> option_of_part(const OptionField<Part>& field, Part Whole::*part) {
  return {field.name, field.fixed, [field, part](const Whole& o) { return field.get(o.*part); },
          [field, part](Whole& o, const std::string& text) { field.set(o.*part, text); },
          [field, part](const Whole& o) { return field.toml(o.*part); }};
}

}  // namespace resflow
