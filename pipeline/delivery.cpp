#include "pipeline/delivery.h"

#include <utility>

namespace resflow {

Delivery::Delivery(size_t slots) : context_(tbb::task_group_context::isolated), waiting_(context_) { expect(slots); }

void Delivery::expect(size_t slots) {
  const std::lock_guard lock(mutex_);
  ready_.reserve(slots);
}

// A handle that is destroyed without having run ends the wait as well as one that has, and needs no memory for that. It
// is destroyed when the mutex is free again.

void Delivery::put(Slot* slot) {
  tbb::task_handle wake;
  const std::lock_guard lock(mutex_);
  ready_.push_back(slot);
  if (!consuming_) wake = std::move(wake_);
}

Slot* Delivery::take() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (over_) return nullptr;
      if (!consuming_ && !ready_.empty()) return pop();
      wake_ = waiting_.defer([] {});
    }
    waiting_.wait();
  }
}

Slot* Delivery::relieve() {
  const std::lock_guard lock(mutex_);
  return over_ || consuming_ || ready_.size() < 2 ? nullptr : pop();
}

void Delivery::done(bool over) {
  tbb::task_handle wake;
  const std::lock_guard lock(mutex_);
  consuming_ = false;
  over_ = over_ || over;
  if (over_ || !ready_.empty()) wake = std::move(wake_);
}

void Delivery::end() {
  tbb::task_handle wake;
  const std::lock_guard lock(mutex_);
  over_ = true;
  wake = std::move(wake_);
}

Slot* Delivery::pop() {
  Slot* slot = ready_.front();
  ready_.erase(ready_.begin());
  consuming_ = true;
  return slot;
}

}  // namespace resflow
