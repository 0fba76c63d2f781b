// Whom a long job tells what it does, and whom it asks whether to go on.
//
// Every job takes one. The library never writes to the terminal, never looks at signals and keeps no global state for
// this: a program derives its own Listener, and a caller who wants to hear nothing passes silent().
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace resflow {

struct ProgressState {
  std::string label = {};       // "epoch 2/10"
  std::string unit = "images";  // what is counted
  int64_t total = 0;            // 0: not known
  int64_t first = 0;            // done before this job began (a resumed epoch)
  double seconds_after = 0;     // known to come after `total` is reached
  int64_t done = 0;
  std::string details = {};  // "loss 1.234  accuracy 0.512"
};

// One thread at a time calls each of these but stop(), which any thread may call at any time. Sentences may hold marked
// settings (io/core/setting.h).
class Listener {
 public:
  virtual ~Listener() = default;
  // A line of the job's own account: "epoch 3/10  train loss 0.4178 ...".
  virtual void say(const std::string& /*line*/) {}
  // A sentence on something that was assumed or chosen.
  virtual void note(const std::string& /*sentence*/) {}
  // A sentence on something that is probably not as it was meant.
  virtual void warn(const std::string& /*sentence*/) {}
  virtual void progress(const ProgressState& /*state*/) {}
  // What progress() spoke of has ended, in whatever way.
  virtual void progress_ended() {}
  // True asks the job to save what it has and to return; it says that it was stopped.
  virtual bool stop() { return false; }
};

// One that hears nothing and never asks to stop.
Listener& silent();

// What a job keeps while something long goes on:
//
//   Progress progress(listener, {.label = "packing", .total = pictures});
//   for (...) progress.update(++done);
class Progress {
 public:
  Progress(Listener& listener, ProgressState state) : listener_(listener), state_(std::move(state)) {
    state_.done = state_.first;
    listener_.progress(state_);
  }
  ~Progress() { listener_.progress_ended(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int64_t done, std::string details = {}) {
    state_.done = done;
    state_.details = std::move(details);
    listener_.progress(state_);
  }

 private:
  Listener& listener_;
  ProgressState state_;
};

}  // namespace resflow
