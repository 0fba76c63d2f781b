// An evaluation that is made up.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "apps/evaluate/evaluation.h"

namespace resflow::testing {

// Answers to `pictures` pictures, all of the file `path`. Most of them are right.
inline Evaluation answers(size_t classes, int pictures, const std::string& path) {
  std::mt19937 random(static_cast<unsigned>(classes));
  Evaluation e;
  e.probabilities = ProbabilityTable(classes);
  for (size_t k = 0; k < classes; ++k) e.classes.push_back("class " + std::to_string(k));
  for (int i = 0; i < pictures; ++i) {
    const size_t label = random() % classes, said = random() % 4 == 0 ? random() % classes : label;
    const double top = 0.5 + 0.4999 * static_cast<double>(random() % 1000) / 1000;
    std::vector<double> row(classes, (1 - top) / static_cast<double>(classes - 1));
    row[said] = top;
    e.samples.push_back({path, static_cast<int>(label)});
    e.probabilities.add(row);
  }
  return e;
}

}  // namespace resflow::testing
