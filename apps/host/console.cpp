#include "apps/host/console.h"

#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <ctime>

#include "io/core/error.h"
#include "io/files/file.h"

namespace resflow {

void warn(const std::string& sentence) { fmt::print(stderr, "resflow: warning: {}\n", sentence); }

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

void replace_text_file(const std::string& path, const std::string& text) {
  replace_file(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

void check_can_be_written(const std::string& path) {
  if (!path.empty()) const AtomicFile file(path, 0);
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  const auto s = static_cast<int64_t>(std::llround(seconds));
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string format_bytes(double bytes) {
  if (bytes < 1e3) return fmt::format("{:.0f} B", bytes);
  if (bytes < 1e6) return fmt::format("{:.1f} KB", bytes / 1e3);
  if (bytes < 1e9) return fmt::format("{:.1f} MB", bytes / 1e6);
  return fmt::format("{:.2f} GB", bytes / 1e9);
}

std::string format_count(int64_t n) {
  std::string digits = std::to_string(n);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > (n < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<size_t>(at), 1, ',');
  return digits;
}

std::string format_rate(double value) {
  return value < 1000 ? fmt::format("{:.1f}", value) : format_count(static_cast<int64_t>(value + 0.5));
}

std::string plural(int64_t n, const std::string& singular, const std::string& plural_form) {
  return format_count(n) + " " + (n == 1 ? singular : plural_form);
}

}  // namespace resflow
