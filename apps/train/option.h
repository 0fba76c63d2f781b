// A row of a table of options: all that the command line, a TOML file, a checkpoint and the checks have to know of one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace resflow {

// Where an option's value lies.
using OptionValue = std::variant<bool*, int*, int64_t*, uint64_t*, double*, std::string*, std::vector<std::string>*,
                                 std::vector<int64_t>*, std::vector<double>*>;

// The modes of training in which an option does something, to be combined.
enum OptionModes : unsigned {
  kInNetwork = 1,   // finetune, partial, scratch
  kInFeatures = 2,  // features
  kInSvm = 4,       // svm
  kInCopies = 8,    // features and svm, where there are augmented copies of the pictures
  kInAll = kInNetwork | kInFeatures | kInSvm,
};

// Another option that has to have one of some values.
struct OptionNeed {
  std::string option;  // empty: nothing is needed
  std::vector<std::string> values;
};

// Options that cannot be used beside another one; one sentence names them.
struct OptionGroup {
  std::vector<std::string> options;
};

// What is known of an option but where its value lies.
struct OptionFacts {
  std::string name;  // of the setting, which is the member's: "image_size"
  // Another option's name stands in braces. Empty where several subcommands have the option: apps/options/common.h has
  // the words then.
  std::string help = {};
  std::string none = {};    // the value, as text, that stands for "not given"; an empty text or list always does
  bool positional = false;  // on the command line
  bool commas = true;       // of a list: the command line divides it at commas

  // What a checkpoint keeps is in the order of these places, which no option may leave. 0: checkpoints do not keep it.
  int place = 0;
  bool may_change = false;  // when a run is resumed; other options decide the bits of the run

  unsigned modes = kInAll;
  OptionNeed needs = {};
  std::vector<OptionGroup> excludes = {};
};

template <class Options>
struct Option : OptionFacts {
  std::function<OptionValue(Options&)> at;
};

template <class Member>
struct OwnerOf;
template <class Options, class T>
struct OwnerOf<T Options::*> {
  using type = Options;
};
// For Option::at, like option_at<&TrainOptions::lr>.
template <auto member>
OptionValue option_at(typename OwnerOf<decltype(member)>::type& options) {
  return &(options.*member);
}

// The same option where the options that it belongs to are a part of larger ones.
template <class Whole, class Part>
Option<Whole> option_of_part(const Option<Part>& part, Part Whole::*member) {
  return {part, [at = part.at, member](Whole& whole) { return at(whole.*member); }};
}

// The value as a checkpoint keeps it: "0.1", "true", of a list "layer1 layer2".
std::string text_of(const OptionValue& value);
// The value as a TOML file has it.
std::string toml_of(const OptionValue& value);
// The inverse of text_of(). Throws Error{kData} for a text that is no such value; `name` is for the sentence.
void set_text(const OptionValue& value, const std::string& name, const std::string& text);

template <class Options>
OptionValue value_of(const Option<Options>& option, const Options& options) {
  return option.at(const_cast<Options&>(options));  // NOLINT(cppcoreguidelines-pro-type-const-cast): to be read only
}
template <class Options>
std::string text_of(const Option<Options>& option, const Options& options) {
  return text_of(value_of(option, options));
}

// True where `text` stands for "not given".
template <class Options>
bool is_none(const Option<Options>& option, const std::string& text) {
  return text.empty() || text == option.none;
}

// The row called `name`; nullptr where there is none.
template <class Options>
const Option<Options>* find_option(const std::vector<Option<Options>>& table, const std::string& name) {
  for (const Option<Options>& option : table)
    if (option.name == name) return &option;
  return nullptr;
}

}  // namespace resflow
