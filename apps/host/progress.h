// The line that says how far a long job is: rate, details, time left.
//
// A terminal gets one line that is rewritten, anything else a line now and then. Nothing is shown in the
// first two seconds, so a short job stays quiet. One thread at a time may call update(). What cannot be written is
// lost.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>

namespace resflow {

struct ProgressLineOptions {
  std::string label;                   // "epoch 2/10"
  std::string unit = "images";         // what is counted
  int64_t total = 0;                   // 0: not known; nothing is said of the time left then
  int64_t first = 0;                   // done before this job began (a resumed epoch)
  double seconds_after = 0;            // known to come after `total` is reached; added to the time left of the whole
  int out = STDERR_FILENO;             // a descriptor
  bool terminal = false;               // rewrite one line
  std::function<double()> clock = {};  // seconds; the steady clock where empty
};

// True where the descriptor `out` is a terminal that can rewrite a line.
bool is_terminal(int out);

class ProgressLine {
 public:
  explicit ProgressLine(ProgressLineOptions options);
  ~ProgressLine();  // takes the rewritten line away
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `details` as in "loss 1.234  accuracy 0.512".
  void update(int64_t done, const std::string& details = {});

  // Takes the rewritten line away until the next update.
  void hide();

  double rate() const;  // a second, over the last ten seconds or so; 0 before anything is known

 private:
  std::string line(const std::string& details) const;

  ProgressLineOptions options_;
  int64_t done_ = 0;
  double start_ = 0, shown_ = -1;
  bool on_screen_ = false;
  std::deque<std::pair<double, int64_t>> recent_;  // (time, done), the window of rate()
};

}  // namespace resflow
