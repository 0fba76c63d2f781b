// Asking a run to stop: SIGINT (Ctrl-C), SIGTERM and SIGUSR1.
//
// The first one sets a flag that the run looks at after each step, saves and leaves; the second one leaves
// at once, as the shell would have it (128 + signal). Files are always written beside and renamed, so even
// that loses nothing but the steps since the last save.
#pragma once

#include <string>

namespace resflow {

// Installs the handlers for the life of the object.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
};

bool stop_requested();
int stop_signal();  // the first one that came; 0 where none has

// Says on standard error that a command was stopped, "resflow: stopped after 3 of 5 pictures; nothing is written", and
// returns the exit code of a command that a signal ended. `what` follows the word "stopped".
int say_stopped(const std::string& what);

// A file that outgrows its limit becomes a failed write with a sentence, not the end of the process.
void ignore_file_size_signal();

}  // namespace resflow
