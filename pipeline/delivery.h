// Finished batches on their way from the flow graph to whoever consumes them, one at a time.
//
// The thread that called run() consumes. While it waits for a batch it works on pictures, and one that is slow keeps it
// from coming; where batches may come in any order a worker then relieves it.
#pragma once

#include <oneapi/tbb/task_group.h>

#include <cstddef>
#include <mutex>
#include <vector>

#include "pipeline/loader_flow.h"

namespace resflow {

class Delivery {
 public:
  // So many batches may be there at once.
  explicit Delivery(size_t slots);
  void expect(size_t slots);

  // From a node's body: allocates nothing, throws nothing.
  void put(Slot* slot);

  // Of the thread that called run(): the next batch; until there is one it works on whatever its arena has to do.
  // Nothing when it is over.
  Slot* take();

  // Of a worker: the next batch where nobody consumes and a second one has become ready since, so that the thread
  // above must be busy with a picture for longer than a batch takes; else nothing. Less patience would have a worker
  // compute, while that thread, which cannot help in another arena, has little to do.
  Slot* relieve();

  // What take() or relieve() gave is consumed. `over`: there is no more to be taken.
  void done(bool over);

 private:
  Slot* pop();

  // Isolated: nobody else's cancellation may end a wait before its time.
  tbb::task_group_context context_;
  tbb::task_group waiting_;
  std::mutex mutex_;
  std::vector<Slot*> ready_;  // in order
  tbb::task_handle wake_;     // while it exists, waiting_.wait() does not return
  bool consuming_ = false, over_ = false;
};

}  // namespace resflow
