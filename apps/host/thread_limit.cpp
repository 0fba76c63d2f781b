#include "apps/host/thread_limit.h"

#include <oneapi/tbb/global_control.h>

#include "apps/host/console.h"
#include "apps/machine/threads.h"
#include "io/core/error.h"
#include "io/core/wording.h"

namespace resflow {

// A tbb::global_control has to be made in its place: a copy of one limits nothing.
struct ThreadLimit::Impl {
  explicit Impl(int threads) : control(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(threads)) {}
  tbb::global_control control;
};

ThreadLimit::ThreadLimit(int threads) {
  if (threads < 1) throw usage_error("--threads is {}: wanted at least 1", threads);
  const CpuLimits limits = cpu_limits();
  if (threads > limits.usable())
    warn("--threads {}: this process may use {}; more threads than that only get in each other's way", threads,
         plural(limits.usable(), "CPU", "CPUs"));
  impl_ = std::make_unique<Impl>(threads);
}

ThreadLimit::~ThreadLimit() = default;

}  // namespace resflow
