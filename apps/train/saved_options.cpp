#include "apps/train/saved_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "apps/train/option_conditions.h"
#include "apps/train/option_table.h"
#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/toml_value.h"

namespace resflow {
namespace {

using SavedRow = Option<TrainOptions>;

// Names of the data sets' identities among the saved options.
constexpr const char* kDataIdentity = "DATA";
constexpr const char* kValIdentity = "validation data";

// "image-size"
std::string dashed(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string saved_name(const std::string& name) { return "--" + dashed(name); }

const std::string* find_saved(const SavedOptions& saved, const std::string& name) {
  const auto found = std::find_if(saved.begin(), saved.end(), [&](const auto& o) { return o.first == name; });
  return found == saved.end() ? nullptr : &found->second;
}

}  // namespace

SavedOptions saved_options(const TrainOptions& options) {
  SavedOptions saved;
  for (const SavedRow* row : saved_option_table()) saved.emplace_back(saved_name(row->name), text_of(*row, options));
  return saved;
}

SavedOptions saved_options(const TrainOptions& options, const TrainingData& data) {
  SavedOptions saved = saved_options(options);
  saved.emplace_back(kDataIdentity, data.identity);
  saved.emplace_back(kValIdentity, data.val_identity);
  return saved;
}

std::string saved_value(const SavedOptions& saved, const std::string& name) {
  const std::string* value = find_saved(saved, saved_name(name));
  return value == nullptr ? "" : *value;
}

void adopt_saved(TrainOptions& options, const SavedOptions& saved) {
  std::vector<std::string> conflicts;
  for (const SavedRow* row : saved_option_table()) {
    const std::string* kept = find_saved(saved, saved_name(row->name));
    // A run from before there was the option had what is its default now.
    const std::string before = kept == nullptr ? text_of(*row, TrainOptions{}) : *kept, now = text_of(*row, options);
    if (!options.given.contains(row->name))
      set_text(row->at(options), row->name, before);
    else if (!row->may_change && now != before)
      conflicts.push_back(
          fmt::format("{} was {}, now {}", setting(row->name), before.empty() ? "not given" : before, now));
  }
  // Half a cosine over 10 epochs and half one over 20 make none.
  const bool whole = options.schedule == "cosine" || options.schedule == "onecycle";
  const std::string* epochs = find_saved(saved, saved_name("epochs"));
  if (whole && options.given.contains("epochs") && epochs != nullptr && *epochs != fmt::format("{}", options.epochs))
    conflicts.push_back(fmt::format("{} was {} and is part of {} {}, now {}", setting("epochs"), *epochs,
                                    setting("schedule"), options.schedule, options.epochs));
  if (!conflicts.empty())
    throw usage_error("{}: the run began with other options: {}; leave them out, or start anew with another {}",
                      setting("resume"), fmt::join(conflicts, "; "), setting("out"));
}

void check_saved(const TrainingState& state, const std::string& path) {
  const auto is_known = [](const std::string& name) {
    const auto& rows = saved_option_table();
    return name == kDataIdentity || name == kValIdentity ||
           std::any_of(rows.begin(), rows.end(), [&](const SavedRow* row) { return saved_name(row->name) == name; });
  };
  constexpr const char* kAdvice = "it cannot go on with the run: take the resflow that wrote the file, or a newer one";
  for (const auto& [name, value] : state.options)
    if (!is_known(name))
      throw data_error("{}: was made with {}, which this resflow does not know: {}", path, printable(name), kAdvice);
  if (!state.unknown.empty())
    throw data_error("{}: this resflow does not know {}: {}", path, state.unknown.front(), kAdvice);
  TrainOptions options;
  try {
    adopt_saved(options, state.options);
    // Whether this CPU is fit for the precision is no matter of the file.
    options.force_precision = options.precision == "bf16";
    resolve(options);
  } catch (const Error& error) {
    throw data_error("{}: its run cannot have been: {}", path, error.marked());
  }
}

void check_same_data(const SavedOptions& saved, const TrainingData& data) {
  const auto check = [&](const char* name, const std::string& root, const std::string& now) {
    const std::string* kept = find_saved(saved, name);
    const std::string before = kept == nullptr ? "" : *kept;
    if (before != now)
      throw usage_error(
          "{}: {} is not the run's: it was {}, {} now is {}; give the run's data, or start anew with another {}",
          setting("resume"), name, before.empty() ? "none" : before, root.empty() ? "it" : root,
          now.empty() ? "none" : now, setting("out"));
  };
  check(kDataIdentity, data.train_root, data.identity);
  check(kValIdentity, data.val_root, data.val_identity);
}

std::string train_config(const TrainOptions& options) {
  std::string text =
      "# All that this run was told, and what stood for the rest. It is repeated by\n"
      "#   resflow train --config THIS-FILE --out ANOTHER-FOLDER\n";
  const auto add = [&](std::string_view key, const std::string& value) {
    text += fmt::format("{} = {}\n", key, value);
  };
  // From any folder.
  const auto absolute = [](const std::string& path) {
    std::error_code unknown;  // there may be no current folder any more
    const std::string whole = std::filesystem::absolute(path, unknown).string();
    return toml_value(unknown ? path : whole);
  };
  add("data", absolute(options.data));
  if (!options.val.empty()) add("val", absolute(options.val));
  for (const SavedRow* row : saved_option_table())
    // A value that stands for "not given" would be given if it stood in the file.
    if (!is_none(*row, text_of(*row, options)) && why_useless(*row, options).empty())
      add(dashed(row->name), toml_of(value_of(*row, options)));
  return text;
}

}  // namespace resflow
