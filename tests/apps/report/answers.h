// An evaluation that is made up.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "apps/evaluate/evaluation.h"

namespace resflow::testing {

// An evaluation holds its pictures' samples where they lie; this one has them with it.
struct MadeEvaluation : Evaluation {
  void add(const Sample& sample, const std::vector<double>& probabilities) {
    answers.push_back(answer_of(probabilities, sample.label));
    answered.push_back(static_cast<int64_t>(all.size()));
    all.push_back(sample);
    samples = all;
  }
  std::vector<Sample> all = {};
};

// Answers to `pictures` pictures, all of the file `path`. Most of them are right.
inline MadeEvaluation answers(size_t classes, int pictures, const std::string& path) {
  std::mt19937 random(static_cast<unsigned>(classes));
  MadeEvaluation e;
  for (size_t k = 0; k < classes; ++k) e.classes.push_back("class " + std::to_string(k));
  for (int i = 0; i < pictures; ++i) {
    const size_t label = random() % classes, said = random() % 4 == 0 ? random() % classes : label;
    const double top = 0.5 + 0.4999 * static_cast<double>(random() % 1000) / 1000;
    std::vector<double> row(classes, (1 - top) / static_cast<double>(classes - 1));
    row[said] = top;
    e.add({path, static_cast<int>(label)}, row);
  }
  return e;
}

}  // namespace resflow::testing
