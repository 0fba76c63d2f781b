// All that shapes the rows of a scoring, in words: a run is gone on with, and shards are merged, only where all of it
// is the same.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace resflow {

// Pairs of name and value, in order: ("model", "resnet18 with xxh3 0123456789abcdef"), (setting("top"), "3"), ... The
// name of a setting is marked (io/core/setting.h).
using Fingerprint = std::vector<std::pair<std::string, std::string>>;

// The first pair that differs, as "top 1" and "top 3", with the setting marked; nothing where all are the same.
struct Difference {
  std::string first, second;
};
std::optional<Difference> first_difference(const Fingerprint& first, const Fingerprint& second);

}  // namespace resflow
