// Taking a split away again: only what its manifest names, only what is still as the split made it, and through no
// link.
#pragma once

#include <filesystem>
#include <string>

#include "apps/data/split_manifest.h"

namespace resflow {

enum class SplitState {
  kWhole,         // and its sources are where they were
  kUnfinished,    // of a run that was killed: a copy may have begun only
  kSourcesMoved,  // into the split that replaces it, where they are now
};

// Why removing the split in `folder` would lose anything: "FILE was changed"; empty where it would not.
std::string why_not_removable(const std::filesystem::path& folder, const SplitManifest& manifest, SplitState state);

// Takes away what the manifest names and the folders that are empty then. What is left stops nothing but keeps its
// folders. Returns whether the folder is gone.
bool remove_split(const std::filesystem::path& folder, const SplitManifest& manifest);

// Moved files go back to where they were below `data`. Throws Error{kSystem} where one cannot.
// REQUIRES: lies_within(manifest, data).
void move_back(const std::filesystem::path& folder, const SplitManifest& manifest, const std::string& data);

}  // namespace resflow
