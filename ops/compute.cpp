#include "ops/compute.h"

#include "io/core/error.h"

namespace resflow {
namespace {

int checked(int threads) {
  if (threads < 1) throw usage_error("{} compute threads: wanted at least 1", threads);
  return threads;
}

}  // namespace

Compute::Compute(int threads, Isa isa)
    : threads_(checked(threads)),
      isa_(isa),
      // One slot is the caller's: the thread that calls run() works in the arena.
      arena_(threads, 1, tbb::task_arena::priority::high),
      engine_(dnnl::engine::kind::cpu, 0),
      stream_(engine_) {}

}  // namespace resflow
