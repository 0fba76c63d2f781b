#include "io/pictures/streamed_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "io/files/machine_failure.h"

namespace resflow {
namespace {

constexpr int kPollMilliseconds = 100;
constexpr int64_t kLeastSkip = 262'144;  // less is as well read

}  // namespace

StreamedFile::StreamedFile(const std::string& path, std::function<bool()> stop) : stop_(std::move(stop)) {
  if (path == "-") {
    file_ = STDIN_FILENO;
    return;
  }
  // Without O_NONBLOCK open() itself waits for a writer, and nobody can be asked. The descriptor is our own: nobody
  // else's reads are changed by it.
  file_ = persistently(machine_files(), [&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  if (file_ < 0) {
    error_ = errno;
    return;
  }
  struct stat status {};
  seekable_ = ::fstat(file_, &status) == 0 && S_ISREG(status.st_mode);
}

StreamedFile::~StreamedFile() {
  if (file_ > STDIN_FILENO) ::close(file_);
}

bool StreamedFile::ask_to_stop() {
  stopped_ = stopped_ || (stop_ && stop_());
  return stopped_;
}

// False where it is to stop. A pipe with a name is silent before its first writer comes, and has ended once the last
// one has gone; a read alone would take the one for the other.
bool StreamedFile::wait() {
  for (;;) {
    if (ask_to_stop()) return false;
    pollfd wait = {.fd = file_, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wait, 1, kPollMilliseconds);
    // Whatever else is wrong with the file, the read says it.
    if (ready > 0 || (ready < 0 && errno != EINTR && errno != EAGAIN)) return true;
  }
}

std::optional<size_t> StreamedFile::read(std::span<std::byte> bytes) {
  if (error_ != 0) return std::nullopt;
  Attempts attempts(machine_files());
  for (;;) {
    if (!wait()) return 0;
    const ssize_t count = ::read(file_, bytes.data(), bytes.size());
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EAGAIN || attempts.again(errno)) continue;
    error_ = errno;
    return std::nullopt;
  }
}

int64_t StreamedFile::skip(int64_t bytes) {
  const int64_t whole = bytes / kLeastSkip * kLeastSkip;
  if (!seekable_ || whole == 0) return 0;
  const off_t before = ::lseek(file_, 0, SEEK_CUR);
  const off_t after = before < 0 ? before : ::lseek(file_, whole, SEEK_CUR);
  return after < 0 ? 0 : after - before;
}

}  // namespace resflow
