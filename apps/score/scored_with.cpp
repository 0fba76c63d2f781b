#include "apps/score/scored_with.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "io/core/base64.h"
#include "io/core/setting.h"
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

Fingerprint score_fingerprint(const ScoredWith& with, const ScoreOutputOptions& output) {
  const Preprocessing& p = with.preprocessing;
  nlohmann::ordered_json listed = nlohmann::ordered_json::array();
  for (const std::string& input : with.inputs) listed.push_back(json_of_bytes(input));
  const char* dtype = output.embeddings_dtype == DType::kF16 ? "f16" : "f32";
  Fingerprint fingerprint = {
      {"model", fmt::format("{} with xxh3 {}", with.architecture, hex(xxh3_of_file(with.model_path)))},
      {"class names", fmt::format("{} with xxh3 {}", with.classes.size(), hex(hash_of(with.classes)))},
      {"preprocessing", fmt::format("resize {}, crop {}, {}, mean {}, deviation {}", p.resize, p.crop, p.interpolation,
                                    fmt::join(p.mean, " "), fmt::join(p.std, " "))},
      {setting("exif"), given(with.exif || p.exif)},
      {setting("decode"), with.decode == DecodeMode::kFast ? "fast" : "exact"},
      {setting("precision"), precision_name(with.precision)},
      {setting("batch"), fmt::format("{}", with.batch)},
      {setting("format"), score_format_name(output.format)},
      {setting("top"), fmt::format("{}", output.rows.top)},
      {setting("threshold"), fmt::format("{}", output.rows.threshold)},
      {setting("all_scores"), given(output.rows.all_scores)},
      {setting("embeddings"), output.embeddings.empty() ? "" : dtype},
      {setting("errors"), given(!output.errors.empty())},
      {setting("shard"), output.shard ? to_string(*output.shard) : ""},
      {"inputs", listed.dump()},
  };
  // They are not in the fingerprints of runs and shards that were begun before there were such settings; those can go
  // on.
  if (with.accept.truncated || p.take_truncated) fingerprint.emplace_back(setting("truncated"), "take");
  if (with.accept.scale_grey16 || p.scale_grey16) fingerprint.emplace_back(setting("grey16"), "scale");
  if (with.accept.max_pixels != kMaxPixels)
    fingerprint.emplace_back(setting("max_pixels"), fmt::format("{}", with.accept.max_pixels));
  if (output.unordered) fingerprint.emplace_back(setting("unordered"), given(true));
  return fingerprint;
}

}  // namespace resflow
