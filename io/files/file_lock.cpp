#include "io/files/file_lock.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <sstream>
#include <string>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/core/text.h"
#include "io/files/file_errors.h"
#include "io/files/machine_failure.h"

namespace resflow {
namespace {

constexpr size_t kMostText = 512;

std::string this_host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "this machine";
}

std::string own_text() {
  return fmt::format("process {} on {} since {:%Y-%m-%d %H:%M:%S} UTC\n", ::getpid(), this_host(),
                     fmt::gmtime(std::time(nullptr)));
}

// Whether the process that the text names was one of this machine, and is no more.
bool is_gone(const std::string& text) {
  std::istringstream words(text);
  std::string first, on, host;
  int process = 0;
  if (!(words >> first >> process >> on >> host) || first != "process" || on != "on" || process <= 0) return false;
  return this_host() == host && ::kill(process, 0) != 0 && errno == ESRCH;
}

}  // namespace

FileLock::FileLock(std::string path, const std::string& what, FileSystem& files)
    : path_(std::move(path)), files_(files) {
  constexpr int kFlags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    file_ = files_.open(path_.c_str(), kFlags | O_CREAT | O_EXCL, 0666);
    const bool is_new = file_ >= 0;
    if (!is_new && errno == EEXIST) file_ = files_.open(path_.c_str(), kFlags, 0);
    if (file_ < 0) {
      const int error = errno;
      if (error == ENOENT && !is_new && i + 1 < kTries && files_.access(folder_of(path_).c_str(), F_OK) == 0) continue;
      if (is_no_permission(error)) throw usage_error("{}: no permission to write in {}", path_, folder_of(path_));
      if (error == ELOOP) throw usage_error("{}: is a link, which nothing is written through: remove it", path_);
      throw system_error("{}: cannot be made: {}", path_, reason_of(error));
    }
    struct stat open {
    }, named{};
    const Lock lock = try_lock(files_, file_);
    if (lock == Lock::kHeldByAnother) refuse(what, "wait for it, or give another folder");
    real_ = lock == Lock::kTaken;
    // The one who had it may have removed the file before it was locked here.
    const bool known = persistently(files_, [&] { return files_.fstat(file_, &open); }) == 0 &&
                       persistently(files_, [&] { return files_.lstat(path_.c_str(), &named); }) == 0;
    if (!known && errno != ENOENT) {
      const int error = errno;
      if (is_new) files_.unlink(path_.c_str());
      files_.close(file_);
      throw Error(is_no_permission(error) ? ErrorKind::kUsage : ErrorKind::kSystem,
                  path_ + ": cannot be looked at: " + reason_of(error));
    }
    if (!known || named.st_ino != open.st_ino || named.st_dev != open.st_dev) {
      files_.close(file_);
      continue;
    }
    if (!S_ISREG(open.st_mode) || open.st_nlink > 1) {
      files_.close(file_);
      throw usage_error("{}: is in the way: remove it", path_);
    }
    if (!real_ && !is_new && !is_gone(owner())) refuse(what, "wait for it; if it is no more, remove " + path_);
    break;
  }
  if (file_ < 0) throw system_error("{}: cannot be locked", path_);
  const std::string text = own_text();
  const bool written = files_.ftruncate(file_, 0) == 0 && write_all(files_, file_, bytes_of(text), 0) == text.size();
  // A lock is one without its text, too: on a full disk it says nothing of its owner.
  if (!written && !real_) {
    const int error = errno;
    files_.unlink(path_.c_str());
    files_.close(file_);
    throw system_error("{}: cannot be written: {}", path_, reason_of(error));
  }
}

FileLock::~FileLock() {
  // While it is locked, so that nobody loses a lock that was just taken.
  files_.unlink(path_.c_str());
  files_.close(file_);
}

std::string FileLock::owner() const {
  std::string text(kMostText, '\0');
  const int64_t n = files_.pread(file_, text.data(), text.size(), 0);
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return text.substr(0, text.find('\n'));
}

void FileLock::refuse(const std::string& what, const std::string& advice) const {
  const std::string text = owner();
  files_.close(file_);
  throw usage_error("{}: is in use by {}: {}", what, text.empty() ? "another process" : printable(text), advice);
}

}  // namespace resflow
