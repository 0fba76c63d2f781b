// How much memory this process may use, and whether what is planned fits.
//
// Who takes more than a container allows is killed by the kernel without a word, hours later perhaps: so it is said
// before the first step.
#pragma once

#include <cstdint>
#include <string>

#include "io/core/listener.h"
#include "io/core/memory_limit.h"

namespace resflow {

struct MemoryLimit {
  int64_t bytes = kNoMemoryLimit;
  int64_t used = 0;   // of it, by this process now
  std::string whose;  // "this container", "this process" (RLIMIT_AS), "this machine"
  int64_t left() const { return bytes - used; }
};
// The one that leaves least.
MemoryLimit memory_limit();

// Memory that is planned and not yet in use, in bytes.
struct PlannedMemory {
  int64_t fixed = 0;  // whatever the batch
  int64_t batch = 0;  // in proportion to the batch
  int64_t shown = 0;  // what sentences call it: with what is in use already, like the parameters
};

// Of a network that scores: so many parameters, which are in use already, and their folded copies; and the activations.
PlannedMemory scoring_memory(int64_t parameters, int64_t activation_bytes);

// "memory 1.3 GB planned, this container may have 1.00 GB: batch 16 would fit", with the setting marked; empty where it
// fits. A tenth of what is left is kept for all that is not planned. `batch` is the batch that was planned for.
std::string memory_sentence(const PlannedMemory& planned, int batch, const MemoryLimit& limit);

// Warns where it does not fit into memory_limit().
void warn_of_low_memory(const PlannedMemory& planned, int batch, Listener& listener);

}  // namespace resflow
