// Threads stay on cores of their own, near each other.
//
//   usable_cores() -> choose_cpus() -> the process's affinity mask, which threads to come inherit
#pragma once

#include <string>
#include <vector>

namespace resflow {

// A core and those of its hardware threads that this process may use: the affinity mask and the cgroup's set of CPUs.
struct Core {
  int node = 0;           // NUMA node, the machine's number
  std::vector<int> cpus;  // the machine's numbers
};

// From hwloc, in the machine's order. `synthetic` is a machine in hwloc's notation ("numa:2 core:4 pu:2"), of which
// everything may be used; empty: this one. Throws Error{kInternal} where hwloc cannot read it.
std::vector<Core> usable_cores(const std::string& synthetic = "");

struct Pinning {
  std::vector<int> cpus;   // ascending
  std::vector<int> nodes;  // NUMA nodes of these, ascending
  int cores = 0;           // of these; fewer than CPUs where hardware threads share one
};

// CPUs for `threads` threads: one of each core, of as few NUMA nodes as have enough cores; a core's other hardware
// threads only where there are more threads than cores. Fewer than `threads` where there are no more. REQUIRES: cores
// not empty, threads >= 1.
Pinning choose_cpus(const std::vector<Core>& cores, int threads);

// "2 threads to CPUs 0 and 1: 2 cores of NUMA node 0"
std::string pinning_sentence(const Pinning& pinning, int threads);

// Binds this process and says so on standard error. `threads` is 0 for one a core, as far as the cgroup's quota goes.
// Returns the number of threads. Call it before anything computes.
int pin_threads(int threads);

}  // namespace resflow
