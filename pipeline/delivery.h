// Finished batches on their way from the flow graph to whoever consumes them, one at a time.
//
// The thread that called run() consumes. While there is no batch for it, it works on pictures as the other threads do.
// If such a picture takes long, finished batches wait for it. Where batches may come in any order, a worker then
// consumes in its place.
#pragma once

#include <oneapi/tbb/task_group.h>

#include <cstddef>
#include <mutex>
#include <vector>

#include "pipeline/loader_flow.h"

namespace resflow {

class Delivery {
 public:
  // `slots` is how many batches may be finished and not consumed at one time, so that put() needs no memory.
  explicit Delivery(size_t slots);
  void expect(size_t slots);

  // From a node's body: allocates nothing, throws nothing.
  void put(Slot* slot);

  // For the thread that called run(): the next batch. Until there is one, the thread works on whatever its arena has to
  // do. Null when the run is over.
  Slot* take();

  // For a worker: the next batch if nobody consumes and at least two are ready, else null. Two ready batches show that
  // the thread of take() has been busy with a picture for longer than a batch takes. With one alone it would soon come
  // by itself; if a worker consumed then, that thread, which cannot help in the consumer's arena, would have little to
  // do.
  Slot* relieve();

  // The batch that take() or relieve() gave has been consumed. With `over`, take() and relieve() give no more.
  void done(bool over);

  // Ends the run from any thread, whatever is under way: take() and relieve() give no more.
  void end();

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
