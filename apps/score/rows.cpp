#include "apps/score/rows.h"

#include <fmt/format.h>

#include <iterator>
#include <unordered_set>

#include "io/formats/csv.h"

namespace resflow {

std::vector<std::string> distinct_names(const std::vector<std::string>& classes, std::vector<std::string> taken) {
  std::unordered_set<std::string> used(std::make_move_iterator(taken.begin()), std::make_move_iterator(taken.end()));
  std::vector<std::string> names;
  names.reserve(classes.size());
  for (size_t i = 0; i < classes.size(); ++i) {
    std::string name = classes[i];
    while (!used.insert(name).second) name += fmt::format(" ({})", i);
    names.push_back(std::move(name));
  }
  return names;
}

std::string error_csv_header() { return "path,error\n"; }

std::string error_csv_row(const ScoredPicture& picture) {
  return csv_field(picture.name) + "," + csv_field(picture.error) + "\n";
}

}  // namespace resflow
