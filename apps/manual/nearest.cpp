#include "apps/manual/nearest.h"

#include <algorithm>

namespace resflow {

size_t edit_distance(std::string_view a, std::string_view b) {
  // Rows of the table of distances between beginnings: of the letter before the last, of the last, of this one.
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string nearest(std::string_view mistyped, const std::vector<std::string>& words) {
  std::string found;
  size_t least = std::max<size_t>(1, mistyped.size() / 3) + 1;
  for (const std::string& word : words) {
    const size_t distance = edit_distance(mistyped, word);
    if (distance < least) {
      least = distance;
      found = word;
    }
  }
  if (!found.empty() || mistyped.size() < 3) return found;
  const auto begun = std::ranges::find_if(words, [&](const std::string& word) { return word.starts_with(mistyped); });
  return begun == words.end() ? "" : *begun;
}

}  // namespace resflow
