// How much memory this process may have at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>

namespace resflow {

inline constexpr int64_t kNoMemoryLimit = std::numeric_limits<int64_t>::max();

// The limit in bytes of the control group (v1 or v2) of this process, its ancestors' included, read below `root`.
// kNoMemoryLimit where there is none or it cannot be read.
int64_t cgroup_memory_limit(const std::filesystem::path& root = "/");

// The machine's memory in bytes.
int64_t machine_memory();

// The machine's, or less where a control group (a container, a batch system) has a limit.
int64_t usable_memory();

// The limit in bytes of the addresses of this process (ulimit -v); kNoMemoryLimit where it has none.
int64_t address_space_limit();

// What this process has in use, in bytes; zeros where the system does not say.
struct MemoryInUse {
  int64_t mapped = 0;    // of its addresses
  int64_t resident = 0;  // of the machine's memory
};
MemoryInUse memory_in_use();

// Bytes of addresses that this process may still ask for under its own limit (ulimit -v); kNoMemoryLimit where it has
// none.
int64_t addresses_left();

}  // namespace resflow
