// A measurement of the pipeline beside an earlier one, from the JSON of both (docs/bench-json.md).
//
// A part is slower where its interval lies wholly below the earlier one and its median is lower by more than the
// tolerance: the first is the noise that both have measured themselves, the second is what nobody would mind. Faster
// likewise. The product of two matrices tells whether the machine is the same as it was, and is no part of the verdict.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/bench/median_interval.h"

namespace resflow {

struct ComparedPart {
  enum class Verdict { kSame, kFaster, kSlower };
  std::string part;
  int threads = 1;
  MedianInterval before, now;
  Verdict verdict = Verdict::kSame;
  double ratio() const { return now.median / before.median; }
};

struct BenchComparison {
  std::vector<ComparedPart> parts;                 // of both, in the new one's order
  std::vector<std::string> only_before, only_now;  // "decode with 4 threads"
  double machine_ratio = 1;  // speed of the product of two matrices, now against before; 1 where not both have it

  int slower() const;  // how many parts of the pipeline are slower than before
};

// Reads the JSON of an earlier measurement. Throws Error{kData} where the file cannot be read, or is not what `bench
// pipeline --json` writes.
nlohmann::json read_bench(const std::string& path);

// Throws Error{kData}, naming `path` and each setting, where the two did not measure the same: mode, model, batch,
// image size, recipe, pictures. Returns sentences about what differs and makes the ratios speak of something else than
// the program: the CPU, its instructions. `now` may lack results.
std::vector<std::string> check_comparable(const std::string& path, const nlohmann::json& before,
                                          const nlohmann::json& now);

// `tolerance` 0.03: 3 %. Throws Error{kData} where no part is in both.
BenchComparison compare_bench(const std::string& path, const nlohmann::json& before, const nlohmann::json& now,
                              double tolerance);

// The table of ratios, what the machine did, and the verdict.
std::string comparison_text(const std::string& path, const BenchComparison& comparison, double tolerance);

}  // namespace resflow
