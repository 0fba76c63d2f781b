#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/score/rows.h"
#include "graph/head/probabilities.h"
#include "io/core/base64.h"
#include "io/core/utf8.h"

namespace resflow {
namespace {

// The text in quotes. What is no UTF-8 in it becomes U+FFFD.
std::string json_text(std::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

class JsonlRows : public RowText {
 public:
  JsonlRows(const std::vector<std::string>& classes, const RowOptions& options) : options_(options) {
    classes_.reserve(classes.size());
    for (const std::string& name : classes) classes_.push_back(json_text(name));
    if (!options.all_scores) return;
    keys_.reserve(classes.size());
    for (const std::string& name : distinct_names(classes)) keys_.push_back(json_text(name));
  }

  // The line is put together here, not by the JSON library, because that is slow with objects of a thousand keys, and
  // writes numbers with the digits of f64.
  void append(const ScoredPicture& picture, std::string& text) const override {
    auto out = std::back_inserter(text);
    fmt::format_to(out, "{{\"path\": {}", json_text(picture.name));
    if (!is_utf8(picture.name)) fmt::format_to(out, ", \"path_base64\": \"{}\"", base64(picture.name));
    const std::span<const double> p = picture.probabilities;
    if (!picture.error.empty()) {
      fmt::format_to(out, ", \"error\": {}", json_text(picture.error));
    } else if (options_.top > 0) {
      text += ", \"classes\": [";
      const char* comma = "";
      for (const int k : top_classes(p, options_.top)) {
        const auto at = static_cast<size_t>(k);
        if (p[at] < options_.threshold) break;
        fmt::format_to(out, "{}{{\"class\": {}, \"probability\": {}}}", std::exchange(comma, ", "), classes_[at],
                       static_cast<float>(p[at]));
      }
      text += ']';
    }
    if (!p.empty() && options_.all_scores) {
      text += ", \"scores\": {";
      for (size_t k = 0; k < keys_.size(); ++k)
        fmt::format_to(out, "{}{}: {}", k == 0 ? "" : ", ", keys_[k], static_cast<float>(p[k]));
      text += '}';
    }
    text += "}\n";
  }

 private:
  std::vector<std::string> classes_, keys_;  // as they stand in the text
  RowOptions options_;
};

}  // namespace

std::unique_ptr<RowText> make_jsonl_rows(const std::vector<std::string>& classes, const RowOptions& options) {
  return std::make_unique<JsonlRows>(classes, options);
}

}  // namespace resflow
