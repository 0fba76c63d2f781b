// split.json: which files a split made, and where they came from.
//
// Anybody may have written one: what it says is believed no farther than the split's own folder reaches.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/data/split_folder.h"

namespace resflow {

inline constexpr const char* kSplitManifest = "split.json";

// A file that a split made.
struct SplitMade {
  std::string place;   // below the split's folder; no step of it is ".."
  std::string source;  // absolute; none of a list
  int64_t bytes = -1;  // of copies and lists
};

struct SplitManifest {
  SplitHow how = SplitHow::kSymlink;
  std::vector<SplitMade> files;
};

std::string manifest_text(const SplitJob& job, const std::vector<SplitMade>& files);

// That of the split that made the folder; nothing where no split made it.
std::optional<SplitManifest> read_manifest(const std::filesystem::path& folder);

// Whether all sources are absolute and lie below `data`, as those do that a split of `data` wrote.
bool lies_within(const SplitManifest& manifest, const std::string& data);

}  // namespace resflow
