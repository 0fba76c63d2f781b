// What training runs leave, compared.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "io/checkpoint/checkpoint.h"
#include "tests/apps/program.h"

namespace resflow::testing {

// history.csv without its seconds, the seventh column.
inline std::string timeless_history(const std::string& run) {
  std::istringstream text(read_text(run + "/history.csv"));
  std::string kept;
  for (std::string line; std::getline(text, line);) {
    std::istringstream fields(line);
    int column = 0;
    for (std::string field; std::getline(fields, field, ',');)
      if (++column != 7) kept += field + ",";
    kept += "\n";
  }
  return kept;
}

inline void expect_same_arrays(const std::vector<NamedArray>& a, const std::vector<NamedArray>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_TRUE(a[i].array == b[i].array) << a[i].name;
  }
}

// Everything that a run leaves but the times.
inline void expect_same_run(const std::string& a, const std::string& b) {
  for (const char* file : {"/last.resflow", "/best.resflow"}) {
    SCOPED_TRACE(file);
    const Checkpoint x = load_checkpoint(a + file), y = load_checkpoint(b + file);
    EXPECT_TRUE(x.model == y.model);
    EXPECT_TRUE(x.preprocessing == y.preprocessing);
    EXPECT_EQ(x.classes, y.classes);
    expect_same_arrays(x.parameters, y.parameters);
    expect_same_arrays(x.optimizer, y.optimizer);
    EXPECT_EQ(x.training.epoch, y.training.epoch);
    EXPECT_EQ(x.training.next_batch, y.training.next_batch);
    EXPECT_EQ(x.training.step, y.training.step);
    EXPECT_EQ(x.training.best_val_accuracy, y.training.best_val_accuracy);
    EXPECT_EQ(x.training.options, y.training.options);
  }
  EXPECT_EQ(timeless_history(a), timeless_history(b));
}

inline TrainingState cursor(const std::string& run) {
  const std::string file = run + "/last.resflow";
  return std::filesystem::exists(file) ? read_checkpoint_summary(file).checkpoint.training : TrainingState{};
}

}  // namespace resflow::testing
