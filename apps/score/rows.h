// A scored picture as text: a row of a table, or a line of JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace resflow {

// One picture's outcome: a probability a class, in the model's order, or why there are none.
struct ScoredPicture {
  std::string_view name;
  std::string_view error = {};
  std::span<const double> probabilities = {};  // empty where there is an error
  std::span<const float> features = {};  // of the pooled features, where they were asked for and there is no error
};

struct RowOptions {
  int top = 1;              // classes a row, the most probable first
  double threshold = 0;     // of them only those of at least this probability
  bool all_scores = false;  // and every class's probability
};

class RowText {
 public:
  virtual ~RowText() = default;
  virtual std::string header() const { return {}; }
  // With its line feed, at the end of `text`.
  virtual void append(const ScoredPicture& picture, std::string& text) const = 0;
};

// path,class,probability,error; with more classes a row path,class,probability,class_2,probability_2,...,error. Six
// decimals. With all scores a column a class, named like it, before the error, with all digits of f32.
// REQUIRES: 1 <= top <= number of classes.
std::unique_ptr<RowText> make_csv_rows(std::vector<std::string> classes, const RowOptions& options);

// {"path": "a.jpg", "classes": [{"class": "cat", "probability": 0.75}], "scores": {"cat": 0.75, ...}}, or
// {"path": "b.jpg", "error": "..."}; f32's digits. A path that is no UTF-8 is there as path_base64, too, byte for byte,
// and shows U+FFFD in `path`.
// REQUIRES: as make_csv_rows.
std::unique_ptr<RowText> make_jsonl_rows(const std::vector<std::string>& classes, const RowOptions& options);

// What the classes are called where names must differ: one that comes again, or is `taken`, gets its number, "crane
// (517)".
std::vector<std::string> distinct_names(const std::vector<std::string>& classes, std::vector<std::string> taken = {});

// path,error and a line feed.
std::string error_csv_header();
std::string error_csv_row(const ScoredPicture& picture);

}  // namespace resflow
