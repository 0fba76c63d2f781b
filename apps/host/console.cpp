#include "apps/host/console.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include "io/core/error.h"

namespace resflow {

void warn(const std::string& sentence) { fmt::print(stderr, "resflow: warning: {}\n", sentence); }

void note(const std::string& sentence) { fmt::print(stderr, "resflow: note: {}\n", sentence); }

void flush_output() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw system_error("standard output: {}: what was printed is not complete", std::strerror(errno));
}

void print_rows(std::string_view text) {
  // The signal comes to the thread that writes, and waits here until it is taken back.
  sigset_t pipe_signal, before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const bool done = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  const bool gone = !done && errno == EPIPE;
  if (gone) {
    const timespec at_once{};
    while (sigtimedwait(&pipe_signal, nullptr, &at_once) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (gone) throw ReaderGone();
  if (!done) flush_output();
}

}  // namespace resflow
