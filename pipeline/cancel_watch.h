// Notices that a flow graph was cancelled though no body of it threw: by oneTBB itself, which found no memory for a
// task between two nodes. Its tokens are lost then, and whoever waits for what they carry would wait for ever.
#pragma once

#include <oneapi/tbb/task_group.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace resflow {

class CancelWatch {
 public:
  // Calls `cancelled` once, from a thread of its own, some time after the context was cancelled. REQUIRES: both live as
  // long as this.
  CancelWatch(tbb::task_group_context& context, std::function<void()> cancelled)
      : context_(context), cancelled_(std::move(cancelled)) {
    try {
      thread_ = std::thread([this] { watch(); });
    } catch (const std::system_error&) {  // no more threads: everything else works without it
    }
  }
  ~CancelWatch() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  CancelWatch(const CancelWatch&) = delete;
  CancelWatch& operator=(const CancelWatch&) = delete;

 private:
  void watch() {
    constexpr auto kEvery = std::chrono::milliseconds(250);
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, kEvery, [this] { return over_; })) {
      if (!context_.is_group_execution_cancelled()) continue;
      cancelled_();
      return;
    }
  }

  tbb::task_group_context& context_;
  std::function<void()> cancelled_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace resflow
