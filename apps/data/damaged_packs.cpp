#include "apps/data/damaged_packs.h"

#include <fmt/format.h>

#include <set>

#include "io/pack/reader.h"

namespace resflow {

void warn_of_damaged_packs(const std::vector<Sample>& samples, Listener& listener) {
  std::set<const PackReader*> said;
  for (const Sample& sample : samples) {
    if (!sample.pack || sample.pack->damage().empty() || !said.insert(sample.pack.get()).second) continue;
    listener.warn(fmt::format("{}: {}", sample.pack->path(), sample.pack->damage()));
  }
}

}  // namespace resflow
