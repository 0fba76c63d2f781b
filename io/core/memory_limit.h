// How much memory this process may have at all.
#pragma once

#include <cstdint>
#include <filesystem>

namespace resflow {

// The machine's memory in bytes, or less where a control group (a container, a batch system) has a limit. `root` is
// where the file systems /proc and /sys are mounted.
int64_t memory_limit(const std::filesystem::path& root = "/");

// Bytes of addresses that this process may still ask for under its own limit (ulimit -v); INT64_MAX where it has none.
int64_t addresses_left();

}  // namespace resflow
