// A scored picture as text: a row of a table, or a line of JSON.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/score/scored_picture.h"

namespace resflow {

struct RowOptions {
  int top = 1;              // classes a row, the most probable first; 0: rows say nothing of classes
  double threshold = 0;     // classes that are less probable are left out of the row
  bool all_scores = false;  // the row also has the probability of every class
};

class RowText {
 public:
  virtual ~RowText() = default;
  virtual std::string header() const { return {}; }
  // With its line feed, at the end of `text`.
  virtual void append(const ScoredPicture& picture, std::string& text) const = 0;
};

// A header and rows of path,class,probability,error, or with several classes a row of
// path,class,probability,class_2,probability_2,...,error. Probabilities have six decimals. Where all scores are asked
// for, each class has a column of its name before the error, with all digits of f32.
// REQUIRES: 0 <= top <= number of classes.
std::unique_ptr<RowText> make_csv_rows(std::vector<std::string> classes, const RowOptions& options);

// {"path": "a.jpg", "classes": [{"class": "cat", "probability": 0.75}], "scores": {"cat": 0.75, ...}}, or
// {"path": "b.jpg", "error": "..."}. Numbers have the digits of f32. A path that is no UTF-8 shows U+FFFD in `path` for
// each byte that is no character, and stands byte for byte in a further key, path_base64.
// REQUIRES: as make_csv_rows.
std::unique_ptr<RowText> make_jsonl_rows(const std::vector<std::string>& classes, const RowOptions& options);

// What the classes are called where no two names may be equal: a class whose name has come before, or is `taken`, gets
// its number behind it, "crane (517)".
std::vector<std::string> distinct_names(const std::vector<std::string>& classes, std::vector<std::string> taken = {});

// path,error and a line feed.
std::string error_csv_header();
std::string error_csv_row(const ScoredPicture& picture);

}  // namespace resflow
