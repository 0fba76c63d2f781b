#include "apps/score/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/core/text.h"

namespace resflow {
namespace {

// "top 3"; "model resnet18 with xxh3 ..."
std::string shown(const std::pair<std::string, std::string>& pair) {
  constexpr size_t kShown = 200;
  return fmt::format("{} {}", pair.first, pair.second.empty() ? "not given" : printable(pair.second, kShown));
}

}  // namespace

std::optional<Difference> first_difference(const Fingerprint& first, const Fingerprint& second) {
  for (size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    const bool has_first = i < first.size(), has_second = i < second.size();
    if (has_first && has_second && first[i] == second[i]) continue;
    if (!has_first) return Difference{shown({second[i].first, ""}), shown(second[i])};
    if (!has_second || first[i].first != second[i].first)
      return Difference{shown(first[i]), shown({first[i].first, ""})};
    return Difference{shown(first[i]), shown(second[i])};
  }
  return std::nullopt;
}

}  // namespace resflow
