#include "apps/host/pinning.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <hwloc.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <type_traits>

#include "apps/host/console.h"
#include "apps/machine/threads.h"
#include "io/core/error.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

struct Free {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
  void operator()(hwloc_bitmap_t set) const { hwloc_bitmap_free(set); }
};
using Topology = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, Free>;
using CpuSet = std::unique_ptr<std::remove_pointer_t<hwloc_bitmap_t>, Free>;

[[noreturn]] void fail(const char* what) {
  throw internal_error("--pin: hwloc cannot {}: {}", what, std::strerror(errno));
}

Topology read_topology(const std::string& synthetic) {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) fail("begin");
  Topology topology(raw);
  if (!synthetic.empty() && hwloc_topology_set_synthetic(raw, synthetic.c_str()) != 0) fail("read this notation");
  if (hwloc_topology_load(raw) != 0) fail("read the machine");
  return topology;
}

// hwloc leaves CPUs that the cgroup forbids out of a topology, but not CPUs that the affinity mask forbids.
CpuSet usable_cpus(hwloc_topology_t topology) {
  CpuSet set(hwloc_bitmap_dup(hwloc_topology_get_allowed_cpuset(topology)));
  if (hwloc_topology_is_thissystem(topology) == 0) return set;
  const CpuSet mask(hwloc_bitmap_alloc());
  if (hwloc_get_cpubind(topology, mask.get(), HWLOC_CPUBIND_PROCESS) != 0) fail("read the affinity mask");
  hwloc_bitmap_and(set.get(), set.get(), mask.get());
  return set;
}

std::vector<int> numbers(hwloc_const_bitmap_t set) {
  std::vector<int> all;
  for (int i = hwloc_bitmap_first(set); i >= 0; i = hwloc_bitmap_next(set, i)) all.push_back(i);
  return all;
}

// The cores, node by node. The first ones are of as few nodes as together have `threads` cores.
std::vector<Core> by_node(const std::vector<Core>& cores, size_t threads) {
  std::map<int, std::vector<Core>> nodes;
  for (const Core& core : cores) nodes[core.node].push_back(core);
  std::vector<std::vector<Core>> ordered;
  ordered.reserve(nodes.size());
  for (auto& [node, its] : nodes) ordered.push_back(std::move(its));
  std::ranges::stable_sort(ordered, std::ranges::greater(), &std::vector<Core>::size);
  // What is still wanted of the last node may be had from a smaller node as well.
  size_t left = threads;
  for (auto first = ordered.begin(); first != ordered.end() && left > 0; ++first) {
    auto smallest = first;
    for (auto it = first; it != ordered.end() && it->size() >= left; ++it)
      if (it->size() < smallest->size()) smallest = it;
    std::rotate(first, smallest, std::next(smallest));
    left -= std::min(left, first->size());
  }
  std::vector<Core> all;
  for (const std::vector<Core>& its : ordered) all.insert(all.end(), its.begin(), its.end());
  return all;
}

std::string listed(const std::vector<int>& numbers) {
  if (numbers.size() == 1) return fmt::format(" {}", numbers[0]);
  return fmt::format("s {} and {}", fmt::join(numbers.begin(), std::prev(numbers.end()), ", "), numbers.back());
}

void bind(const Pinning& pinning) {
  const Topology topology = read_topology("");
  const CpuSet set(hwloc_bitmap_alloc());
  for (const int cpu : pinning.cpus) hwloc_bitmap_set(set.get(), static_cast<unsigned>(cpu));
  if (hwloc_set_cpubind(topology.get(), set.get(), HWLOC_CPUBIND_PROCESS) != 0) fail("bind this process");
}

}  // namespace

std::vector<Core> usable_cores(const std::string& synthetic) {
  const Topology topology = read_topology(synthetic);
  const CpuSet usable = usable_cpus(topology.get());
  // Some virtual machines do not say which CPUs share a core.
  const bool has_cores = hwloc_get_nbobjs_by_type(topology.get(), HWLOC_OBJ_CORE) > 0;
  const hwloc_obj_type_t type = has_cores ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
  std::vector<Core> cores;
  for (hwloc_obj_t object = hwloc_get_next_obj_by_type(topology.get(), type, nullptr); object != nullptr;
       object = hwloc_get_next_obj_by_type(topology.get(), type, object)) {
    const CpuSet its(hwloc_bitmap_dup(object->cpuset));
    hwloc_bitmap_and(its.get(), its.get(), usable.get());
    if (hwloc_bitmap_iszero(its.get()) == 0)
      cores.push_back({.node = std::max(0, hwloc_bitmap_first(object->nodeset)), .cpus = numbers(its.get())});
  }
  return cores;
}

Pinning choose_cpus(const std::vector<Core>& cores, int threads) {
  const auto wanted = static_cast<size_t>(threads);
  const std::vector<Core> ordered = by_node(cores, wanted);
  size_t deepest = 0;
  for (const Core& core : ordered) deepest = std::max(deepest, core.cpus.size());
  Pinning pinning;
  std::set<int> nodes;
  for (size_t depth = 0; depth < deepest; ++depth) {
    for (const Core& core : ordered) {
      if (pinning.cpus.size() == wanted || depth >= core.cpus.size()) continue;
      pinning.cpus.push_back(core.cpus[depth]);
      pinning.cores += depth == 0 ? 1 : 0;
      nodes.insert(core.node);
    }
  }
  std::ranges::sort(pinning.cpus);
  pinning.nodes.assign(nodes.begin(), nodes.end());
  return pinning;
}

std::string pinning_sentence(const Pinning& pinning, int threads) {
  return fmt::format("{} to CPU{}: {} of NUMA node{}", plural(threads, "thread", "threads"), listed(pinning.cpus),
                     plural(pinning.cores, "core", "cores"), listed(pinning.nodes));
}

int pin_threads(int threads) {
  const std::vector<Core> cores = usable_cores();
  if (cores.empty()) throw internal_error("--pin: hwloc finds no CPU that this process may use");
  if (threads == 0) threads = std::min(static_cast<int>(cores.size()), cpu_limits().usable());
  const Pinning pinning = choose_cpus(cores, threads);
  bind(pinning);
  print_error_line("pinned     " + pinning_sentence(pinning, threads));
  return threads;
}

}  // namespace resflow
