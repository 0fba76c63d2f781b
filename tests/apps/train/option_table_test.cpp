// The table of training's options, and what reads it.
//
// Covers: apps/options/option_row apps/train/option_conditions apps/train/saved_options
// Covers: apps/options/structure_options apps/train/structure_table
#include "apps/train/option_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <set>
#include <type_traits>
#include <variant>

#include "apps/commands.h"
#include "apps/options/option_row.h"
#include "apps/train/option_conditions.h"
#include "apps/train/saved_options.h"
#include "io/core/error.h"
#include "tests/io/expect_error.h"

namespace resflow {
namespace {

const Option<TrainOptions>& row(const std::string& name) { return *find_option(train_option_table(), name); }

TEST(TrainOptionTable, HasEveryOptionOfTheCommandLineOnce) {
  CLI::App command("", "train");
  command.set_help_flag();
  const Action action = add_train(command);
  std::multiset<std::string> offered, rows;
  for (const CLI::Option* option : command.get_options()) offered.insert(option->get_name());
  for (const auto& option : train_option_table()) rows.insert(command_line_name(option.name, option.positional));
  EXPECT_EQ(offered, rows);
}

TEST(TrainOptionTable, NamesOnlyOptionsThatThereAre) {
  for (const auto& option : train_option_table()) {
    if (!option.needs.option.empty()) {
      EXPECT_NE(find_option(train_option_table(), option.needs.option), nullptr) << option.name;
    }
    for (const auto& [group] : option.excludes)
      for (const std::string& other : group)
        EXPECT_NE(find_option(train_option_table(), other), nullptr) << option.name;
    for (size_t open = option.help.find('{'); open != std::string::npos; open = option.help.find('{', open + 1)) {
      const std::string other = option.help.substr(open + 1, option.help.find('}', open) - open - 1);
      EXPECT_NE(find_option(train_option_table(), other), nullptr) << option.help;
    }
  }
}

// The order of a checkpoint's options is a matter of its bits.
TEST(TrainOptionTable, PlacesInACheckpointAreOneToTheLast) {
  int place = 0;
  for (const auto* option : saved_option_table()) EXPECT_EQ(option->place, ++place) << option->name;
  EXPECT_EQ(place, 78);
  const SavedOptions saved = saved_options(TrainOptions{});
  EXPECT_EQ(saved.front().first, "--model");
  EXPECT_EQ(saved.back().first, "--std");
  EXPECT_EQ(saved_value(saved, "image_size"), "0");
  EXPECT_EQ(saved_value(saved, "images"), "");
}

// Of each kind of value those that are written or read in some way of their own.
template <class T>
std::vector<T> edges() {
  using L = std::numeric_limits<T>;
  if constexpr (std::is_same_v<T, bool>)
    return {false, true};
  else if constexpr (std::is_integral_v<T>)
    return {0, 1, L::min(), L::max()};
  else if constexpr (std::is_floating_point_v<T>)
    return {0,        -1,   0.1 + 0.2,       1e-5,          1e22,           1e-300, L::max(), L::lowest(),
            L::min(), -0.0, L::denorm_min(), L::infinity(), -L::infinity(), 1.0 / 3};
  else if constexpr (std::is_same_v<T, std::string>)
    return {"", "word", "two words", " ", "a\nb\t\"c\"", "caf\xE9", "{}", "inf"};
  else if constexpr (std::is_same_v<T, std::vector<std::string>>)
    return {{}, {"conv1"}, {"layer1.*", "bn?"}};  // no white space: resolve() sees to it
  else {
    T all = {};
    for (const auto value : edges<typename T::value_type>()) all.push_back(value);
    return {{}, all};
  }
}

// A run whose checkpoint cannot be read back could never be resumed.
TEST(TrainOptionTable, WhatACheckpointKeepsIsReadBackToTheBit) {
  for (const auto* option : saved_option_table()) {
    TrainOptions one, other;
    std::visit(
        [&](auto* value) {
          using T = std::decay_t<decltype(*value)>;
          for (const T& edge : edges<T>()) {
            *value = edge;
            const std::string text = text_of(*option, one);
            set_text(option->at(other), option->name, text);
            EXPECT_EQ(text_of(*option, other), text) << option->name;
            EXPECT_EQ(*std::get<T*>(option->at(other)), edge) << option->name << " " << text;
          }
        },
        option->at(one));
  }
}

TrainingState state_of(const TrainOptions& options) {
  TrainingState state;
  state.options = saved_options(options);
  return state;
}

TEST(TrainOptionTable, ARunOfANewerResflowIsNotGoneOnWith) {
  TrainOptions options;
  options.clip_norm = std::numeric_limits<double>::infinity();
  resolve(options);
  TrainingState state = state_of(options);
  check_saved(state, "last.resflow");
  state.options.emplace_back("DATA", "9 pictures");
  state.options.emplace_back("validation data", "");
  check_saved(state, "last.resflow");
  state.options.emplace_back("--future", "on");
  testing::expect_error(ErrorKind::kData,
                        {"last.resflow: was made with --future, which this resflow does not know", "newer"},
                        [&] { check_saved(state, "last.resflow"); });
  state.options.pop_back();
  state.unknown = {"field 13 of its training"};
  testing::expect_error(ErrorKind::kData, {"does not know field 13 of its training"},
                        [&] { check_saved(state, "last.resflow"); });
}

// It is the file's fault, not that of whoever says --resume.
TEST(TrainOptionTable, WhatNoRunCanHaveIsTheFilesFault) {
  TrainOptions usual;
  resolve(usual);
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"--batch", "-5"},
                                                                                    {"--batch", "99999999999"},
                                                                                    {"--lr", "-3"},
                                                                                    {"--lr", "nan"},
                                                                                    {"--lr", "inf"},
                                                                                    {"--epochs", "4611686018427387904"},
                                                                                    {"--image-size", "2147483647"},
                                                                                    {"--clip-norm", "-2"},
                                                                                    {"--clip-norm", "nan"},
                                                                                    {"--threads", "-2"},
                                                                                    {"--nesterov", "maybe"},
                                                                                    {"--seed", "-1"},
                                                                                    {"--optimizer", "lion"},
                                                                                    {"--mode", "dance"},
                                                                                    {"--hflip", "7"}}) {
    SCOPED_TRACE(name + " " + value);
    TrainingState state = state_of(usual);
    for (auto& [saved, text] : state.options)
      if (saved == name) text = value;
    testing::expect_error(ErrorKind::kData, {"last.resflow: its run cannot have been"},
                          [&] { check_saved(state, "last.resflow"); });
  }
}

TEST(TrainOptionTable, SaysWhatWouldDoNothing) {
  TrainOptions options = {.mode = "scratch"};
  const auto why = [&](const std::string& name) { return without_marks(why_useless(row(name), options)); };
  EXPECT_EQ(why("step_size"), "step_size goes with schedule step, not none");
  EXPECT_EQ(why("gamma"), "gamma goes with schedule step or multistep or plateau, not none");
  EXPECT_EQ(why("ra_ops"), "ra_ops goes with auto_augment randaugment, not none");
  EXPECT_EQ(why("svm_c"), "svm_c goes with mode svm, not scratch");
  EXPECT_EQ(why("augment_copies"), "augment_copies goes with mode features or svm, not scratch");
  EXPECT_EQ(why("data"), "");
  EXPECT_EQ(why("hflip"), "");
  options.mode = "features";
  EXPECT_EQ(why("hflip"), "hflip does nothing with mode features: leave it out");
  EXPECT_EQ(why("ema"), "ema does nothing with mode features: leave it out");
  EXPECT_EQ(why("epochs"), "");
  options.augment_copies = 1;
  EXPECT_EQ(why("hflip"), "");
  EXPECT_EQ(why("mixup"), "mixup does nothing with mode features: leave it out");
  options.mode = "svm";
  EXPECT_EQ(why("epochs"), "epochs does nothing with mode svm: leave it out");
  EXPECT_EQ(why("svm_c"), "");
}

TEST(TrainOptionTable, SomeExcludeEachOther) {
  const auto refused = [](const TrainOptions& options, const std::string& why) {
    testing::expect_error(ErrorKind::kUsage, {why}, [&] { check_exclusions(options); });
  };
  refused({.resume = true, .overwrite = true}, "resume and overwrite: one or the other");
  refused({.resume = true, .lr_find = true}, "lr_find and resume: one or the other");
  refused({.lr_find = true, .repeat = 2}, "lr_find goes with neither folds nor repeat");
  refused({.folds = 2, .repeat = 2}, "folds and repeat: one or the other");
  EXPECT_NO_THROW(check_exclusions({.resume = true, .folds = 2}));
}

TEST(TrainOptionTable, AConfigurationHasWhatMeansSomething) {
  TrainOptions options = {.data = "/photos", .freeze = {}, .milestones = {3, 5}};
  options.schedule = "multistep";
  resolve(options);
  const std::string config = train_config(options);
  for (const char* line : {"\ndata = \"/photos\"\n", "\nmilestones = [3, 5]\n", "\nlr = 0.001\n", "\nbatch = 32\n"})
    EXPECT_THAT(config, ::testing::HasSubstr(line));
  for (const char* key : {"\nval", "\nmomentum", "\nstep-size", "\nlr-backbone", "\nsvm-c", "\nweights", "\nout"})
    EXPECT_THAT(config, ::testing::Not(::testing::HasSubstr(key)));
}

}  // namespace
}  // namespace resflow
