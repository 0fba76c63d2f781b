// Asking a run to stop: SIGINT (Ctrl-C), SIGTERM, SIGUSR1, and SIGHUP where the terminal goes.
//
// The first one sets a flag that the run looks at after each step, saves and leaves; the second one leaves
// at once, as the shell would have it (128 + signal). Files are always written beside and renamed, so even
// that loses nothing but the steps since the last save. A SIGHUP that comes second changes nothing: a terminal that
// goes sends it several times, and no user does.
#pragma once

#include <string>

namespace resflow {

// From now on, and to the end of the process, signals ask it to stop, and no request is ever forgotten. A command that
// looks at them calls this before its work; any other is ended by the signal, as by default. What was ignored when the
// program began stays so: SIGHUP (nohup), and the Ctrl-C that a script's terminal sends to its jobs in the background;
// a SIGINT that somebody sends them on purpose counts. The sentence on standard error is said by a thread of its own,
// so that the handler waits for nothing.
void obey_stop_signals();

bool stop_requested();
int stop_signal();  // the first one that came; 0 where none has

// Says on standard error that a command was stopped, "resflow: stopped after 3 of 5 pictures; nothing is written", and
// returns the exit code of a command that a signal ended. `what` follows the word "stopped".
int say_stopped(const std::string& what);

// A file that outgrows its limit, and a pipe whose reader has gone, become failed writes with a sentence, not the end
// of the process.
void ignore_write_signals();

}  // namespace resflow
