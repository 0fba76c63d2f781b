#include "apps/host/stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>

#include "apps/host/signals.h"

namespace resflow {
namespace {

constexpr int kPollMilliseconds = 100;
constexpr int64_t kPatienceMilliseconds = 1000;  // with a reader that does not read, once the program is to stop
std::atomic<int64_t> stop_seen_at{0};            // when a writer first saw that it is to stop; 0: not yet

int64_t steady_milliseconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

bool is_out_of_patience() {
  if (!stop_requested()) return false;
  const int64_t now = steady_milliseconds();
  int64_t since = 0;
  if (stop_seen_at.compare_exchange_strong(since, now)) since = now;
  return now - since > kPatienceMilliseconds;
}

// Returns 0 once `file` takes a piece, or ETIMEDOUT.
int wait_for_room(int file) {
  for (;;) {
    pollfd wait = {.fd = file, .events = POLLOUT, .revents = 0};
    // An error of poll() is found again by the write.
    const int ready = ::poll(&wait, 1, kPollMilliseconds);
    if (ready > 0 || (ready < 0 && errno != EINTR && errno != EAGAIN)) return 0;
    if (is_out_of_patience()) return ETIMEDOUT;
  }
}

}  // namespace

bool reserve_standard_streams() {
  // open() takes the lowest number that is free. Standard input that can only be written, and output that can only be
  // read, say of every use that they are no files.
  constexpr int kModes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int file = STDIN_FILENO; file <= STDERR_FILENO; ++file) {
    if (::fcntl(file, F_GETFD) >= 0 || errno != EBADF) continue;
    if (::open("/dev/null", kModes[file]) != file) return false;
  }
  return true;
}

int write_stream(int file, std::string_view text) {
  while (!text.empty()) {
    if (const int error = wait_for_room(file); error != 0) return error;
    // A pipe that has room takes so much at once.
    const ssize_t count = ::write(file, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return errno;
    if (count == 0) return EIO;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return 0;
}

int64_t StoppableFiles::write(int file, const void* bytes, size_t count) {
  struct stat status {};
  if (::fstat(file, &status) != 0 || S_ISREG(status.st_mode)) return FileSystem::write(file, bytes, count);
  const int error = write_stream(file, {static_cast<const char*>(bytes), count});
  if (error == ETIMEDOUT) throw ReaderStalls();
  errno = error;
  return error == 0 ? static_cast<int64_t>(count) : -1;
}

}  // namespace resflow
