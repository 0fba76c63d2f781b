#include "apps/score/facts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "io/core/base64.h"
#include "io/files/xxh3.h"

namespace resflow {
namespace {

std::string given(bool flag) { return flag ? "given" : ""; }

uint64_t hash_of(const std::vector<std::string>& texts) {
  uint64_t hash = 0;
  for (const std::string& text : texts) hash = xxh3_next(hash, text);
  return hash;
}

}  // namespace

Facts score_facts(const ScoredWith& with, const std::vector<std::string>& inputs, bool exif, DecodeMode decode,
                  Precision precision, const ScoreOutputOptions& output) {
  const Preprocessing& p = with.preprocessing;
  nlohmann::ordered_json listed = nlohmann::ordered_json::array();
  for (const std::string& input : inputs) listed.push_back(json_of_bytes(input));
  const char* dtype = output.embeddings_dtype == DType::kF16 ? "f16" : "f32";
  Facts facts = {
      {"model", fmt::format("{} with xxh3 {}", with.architecture, hex(xxh3_of_file(with.model_path)))},
      {"class names", fmt::format("{} with xxh3 {}", with.classes.size(), hex(hash_of(with.classes)))},
      {"preprocessing", fmt::format("resize {}, crop {}, {}, mean {}, deviation {}", p.resize, p.crop, p.interpolation,
                                    fmt::join(p.mean, " "), fmt::join(p.std, " "))},
      {"--exif", given(exif || p.exif)},
      {"--decode", decode == DecodeMode::kFast ? "fast" : "exact"},
      {"--precision", precision_name(precision)},
      {"--batch", fmt::format("{}", output.batch)},
      {"--format", score_format_name(output.format)},
      {"--top", fmt::format("{}", output.rows.top)},
      {"--threshold", fmt::format("{}", output.rows.threshold)},
      {"--all-scores", given(output.rows.all_scores)},
      {"--embeddings", output.embeddings.empty() ? "" : dtype},
      {"--errors", given(!output.errors.empty())},
      {"--shard", output.shard ? to_string(*output.shard) : ""},
      {"inputs", listed.dump()},
  };
  // Not there where it is not given: what was begun, or scored in shards, before it was known goes on.
  if (output.unordered) facts.emplace_back("--unordered", given(true));
  return facts;
}

}  // namespace resflow
