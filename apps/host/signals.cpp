#include "apps/host/signals.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>
#include <thread>

#include "apps/host/console.h"
#include "apps/host/stream.h"

namespace resflow {
namespace {

constexpr std::array<int, 4> kSignals = {SIGINT, SIGTERM, SIGUSR1, SIGHUP};
std::atomic<int> first_signal{0};
std::atomic<int> wake{-1};  // an eventfd: a write to it never waits
std::atomic<bool> is_in_background{false};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch it");

void on_signal(int signal, siginfo_t* info, void* /*context*/) {
  // What a terminal sends comes from the kernel, what a program sends has a code of at most 0.
  if (signal == SIGINT && is_in_background && info->si_code > 0) return;
  const int error = errno;
  int none = 0;
  if (first_signal.compare_exchange_strong(none, signal)) {
    const uint64_t once = 1;
    // Where it fails, the sentence is missing.
    [[maybe_unused]] const ssize_t written = ::write(wake, &once, sizeof once);
  } else if (signal != SIGHUP) {
    ::_exit(128 + signal);
  }
  errno = error;
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kSignals) sigaddset(&set, signal);
  return set;
}

// Starts the thread that says the sentence when a signal has come. It takes no signals itself, and is never joined: it
// waits as long as the process lives.
void start_speaker() {
  wake = ::eventfd(0, EFD_CLOEXEC);
  if (wake < 0) return;
  const sigset_t set = stop_signals();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &set, &before);
  try {
    std::thread([] {
      uint64_t count = 0;
      while (::read(wake, &count, sizeof count) < 0)
        if (errno != EINTR) return;
      write_stream(STDERR_FILENO, "\nresflow: stopping after this step; once more leaves at once\n");
    }).detach();
  } catch (const std::system_error&) {
    // Signals are obeyed all the same.
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

void obey_stop_signals() {
  static std::atomic<bool> begun{false};
  if (begun.exchange(true)) return;
  start_speaker();
  for (const int signal : kSignals) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    const bool ignored = before.sa_handler == SIG_IGN;
    if (signal == SIGHUP && ignored) continue;
    if (signal == SIGINT) is_in_background = ignored;
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_RESTART | SA_SIGINFO;  // reads and writes under way go on
    action.sa_mask = stop_signals();
    sigaction(signal, &action, nullptr);
  }
}

bool stop_requested() { return first_signal != 0; }
int stop_signal() { return first_signal; }

int say_stopped(const std::string& what) {
  complain("stopped" + what);
  return 128 + stop_signal();
}

void ignore_write_signals() {
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace resflow
