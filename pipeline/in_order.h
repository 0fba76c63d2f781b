// Work on numbered items by several threads; the results arrive one at a time and in order.
//
// For what needs no batches of pixels (pipeline/loader.h has those): checking files, hashing them, measuring.
#pragma once

#include <oneapi/tbb/enumerable_thread_specific.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace resflow {

// Calls work(worker, i) for each i in [0, count) on up to `threads` threads, and consume(i, result) for each result,
// i = 0, 1, 2, ..., never two at once, on any of these threads. Each thread has a Worker of its own, made by default
// construction when it first needs it. consume returns false to stop early: what is under way is then dropped.
//
// Memory is bounded: at most 8 * threads results wait for an earlier one. What work or consume throws ends the run
// and leaves, once all that was under way has ended; so what is an item's own fault belongs into its result.
// REQUIRES: threads >= 1; Result is default-constructible and movable.
template <class Worker, class Result, class Work, class Consume>
void for_each_in_order(int64_t count, int threads, const Work& work, const Consume& consume) {
  struct Item {
    int64_t number = 0;
    Result result = {};
  };
  constexpr size_t kWaiting = 8;
  tbb::task_arena arena(threads, 1);
  tbb::enumerable_thread_specific<Worker> workers;
  std::atomic<bool> stopping = false;
  int64_t next = 0;
  arena.execute([&] {
    // Isolated: nobody else's cancellation may end this before its time, and a failure here ends nothing of theirs.
    tbb::task_group_context context(tbb::task_group_context::isolated);
    tbb::parallel_pipeline(static_cast<size_t>(threads) * kWaiting,
                           tbb::make_filter<void, int64_t>(tbb::filter_mode::serial_in_order,
                                                           [&](tbb::flow_control& control) {
                                                             if (next == count || stopping) {
                                                               control.stop();
                                                               return int64_t{0};
                                                             }
                                                             return next++;
                                                           }) &
                               tbb::make_filter<int64_t, Item>(tbb::filter_mode::parallel,
                                                               [&](int64_t number) {
                                                                 Item item = {.number = number};
                                                                 if (!stopping)
                                                                   item.result = work(workers.local(), number);
                                                                 return item;
                                                               }) &
                               tbb::make_filter<Item, void>(tbb::filter_mode::serial_in_order,
                                                            [&](const Item& item) {
                                                              if (!stopping && !consume(item.number, item.result))
                                                                stopping = true;
                                                            }),
                           context);
  });
}

}  // namespace resflow
