#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "apps/score/rows.h"
#include "graph/head/probabilities.h"
#include "io/formats/csv.h"

namespace resflow {
namespace {

class CsvRows : public RowText {
 public:
  CsvRows(std::vector<std::string> classes, const RowOptions& options)
      : classes_(std::move(classes)), options_(options) {}

  std::string header() const override {
    std::vector<std::string> columns = {"path"};
    for (int k = 1; k <= options_.top; ++k) {
      const std::string number = k == 1 ? "" : fmt::format("_{}", k);
      columns.push_back("class" + number);
      columns.push_back("probability" + number);
    }
    std::vector<std::string> scores;
    if (options_.all_scores) {
      std::vector<std::string> taken = columns;
      taken.emplace_back("error");
      scores = distinct_names(classes_, std::move(taken));
    }
    columns.insert(columns.end(), scores.begin(), scores.end());
    columns.emplace_back("error");
    std::string text;
    for (const std::string& column : columns) text += (text.empty() ? "" : ",") + csv_field(column);
    return text + "\n";
  }

  void append(const ScoredPicture& picture, std::string& text) const override {
    text += csv_field(picture.name);
    const std::span<const double> p = picture.probabilities;
    const bool has_classes = !p.empty() && options_.top > 0;
    const std::vector<int> best = has_classes ? top_classes(p, options_.top) : std::vector<int>();
    auto out = std::back_inserter(text);
    for (size_t k = 0; k < static_cast<size_t>(options_.top); ++k) {
      const size_t at = k < best.size() ? static_cast<size_t>(best[k]) : 0;
      if (k < best.size() && p[at] >= options_.threshold)
        fmt::format_to(out, ",{},{:.6f}", csv_field(classes_[at]), p[at]);
      else
        text += ",,";
    }
    for (size_t k = 0; options_.all_scores && k < classes_.size(); ++k) {
      text += ',';
      if (!p.empty()) fmt::format_to(out, "{}", static_cast<float>(p[k]));
    }
    text += ',';
    text += csv_field(picture.error);
    text += '\n';
  }

 private:
  std::vector<std::string> classes_;
  RowOptions options_;
};

}  // namespace

std::unique_ptr<RowText> make_csv_rows(std::vector<std::string> classes, const RowOptions& options) {
  return std::make_unique<CsvRows>(std::move(classes), options);
}

}  // namespace resflow
