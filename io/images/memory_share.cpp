#include "io/images/memory_share.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "io/core/memory_limit.h"

namespace resflow {
namespace {

struct Shares {
  // An eighth of the memory: the rest is for the model, for batches and for pictures that need no share.
  const int64_t all = std::clamp<int64_t>(usable_memory() / 8, int64_t{256} << 20, int64_t{8} << 30);
  std::mutex mutex;
  std::condition_variable changed;
  int64_t taken = 0;
  int waiting_for_all = 0;  // nobody begins before them, or they would wait for ever
};

Shares& shares() {
  static Shares instance;
  return instance;
}

thread_local int64_t own = 0;  // of this thread

}  // namespace

bool MemoryShare::held() { return own > 0; }

void MemoryShare::take(int64_t bytes, const StopAsked& stop) {
  if (bytes <= kLargeBytes) return;
  Shares& all = shares();
  const int64_t wanted = std::min(bytes, all.all);
  if (own >= wanted || (own > 0 && bytes != kAll)) return;
  constexpr auto kPatience = std::chrono::milliseconds(100);
  std::unique_lock lock(all.mutex);
  // Two that each kept what they have and waited for the rest would wait for each other.
  const int64_t had = own;
  all.taken -= had;
  own = 0;
  if (had > 0) all.changed.notify_all();
  const bool alone = wanted == all.all;
  if (alone) ++all.waiting_for_all;
  bool stopped = false;
  while (!stopped && (alone ? all.taken > 0 : all.waiting_for_all > 0 || all.taken + wanted > all.all))
    if (all.changed.wait_for(lock, kPatience) == std::cv_status::timeout && stop) stopped = stop();
  if (alone) --all.waiting_for_all;
  // A share around this one ends later, and gives back what is said here.
  own = stopped ? had : wanted;
  all.taken += own;
  if (stopped) {
    all.changed.notify_all();
    throw DecodingStopped();
  }
  bytes_ = own - had;
}

void MemoryShare::give_back() {
  if (bytes_ == 0) return;
  Shares& all = shares();
  {
    const std::lock_guard lock(all.mutex);
    all.taken -= bytes_;
  }
  own -= bytes_;
  bytes_ = 0;
  all.changed.notify_all();
}

ShortageWatch::ShortageWatch() { errno = 0; }
bool ShortageWatch::seen() const { return errno == ENOMEM; }

}  // namespace resflow
