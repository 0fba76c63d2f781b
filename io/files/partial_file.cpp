#include "io/files/partial_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <set>

#include "io/core/error.h"
#include "io/files/file_errors.h"
#include "io/files/machine_failure.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr size_t kRandomDigits = 8;

uint32_t random_number() {
  static std::atomic<uint32_t> count = 0;
  uint32_t number = 0;
  if (::getrandom(&number, sizeof number, GRND_NONBLOCK) != static_cast<ssize_t>(sizeof number))
    number = static_cast<uint32_t>(std::time(nullptr)) * 2654435761U;
  return number + count++;
}

// PATH as far as there is room in a name for what stands behind it.
std::string stem_of(const OutputPlace& place) {
  constexpr size_t kRoom = 40;
  std::string name = fs::path(place.path).filename().string();
  if (name.size() + kRoom > NAME_MAX) {
    name.resize(NAME_MAX - kRoom);
    // Not in the middle of a character.
    while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0x80U) != 0) name.pop_back();
  }
  return name + ".";
}

// The process that the name of a partial file of `stem` says, 0 where it is none.
int64_t process_of(const std::string& name, const std::string& stem) {
  const std::string ending = kPartialEnding;
  if (!name.starts_with(stem) || !name.ends_with(ending) || name.size() < stem.size() + ending.size()) return 0;
  const std::string middle = name.substr(stem.size(), name.size() - stem.size() - ending.size());
  const size_t dash = middle.find('-');
  if (dash == 0 || dash == std::string::npos || dash > 10 || middle.size() != dash + 1 + kRandomDigits) return 0;
  const auto all_of = [&](size_t from, size_t to, const char* among) {
    return middle.find_first_not_of(among, from) >= to;
  };
  if (!all_of(0, dash, "0123456789") || !all_of(dash + 1, middle.size(), "0123456789abcdef")) return 0;
  return std::stoll(middle.substr(0, dash));
}

enum class Found { kThis, kAnother, kUnknown };  // unknown: errno says why

// What `path` names: the open file, or another one or none.
Found find_at(const std::string& path, int file, FileSystem& files) {
  struct stat named {
  }, open{};
  const bool known = persistently(files, [&] { return files.fstat(file, &open); }) == 0;
  if (!known) return Found::kUnknown;
  if (persistently(files, [&] { return files.lstat(path.c_str(), &named); }) != 0)
    return errno == ENOENT ? Found::kAnother : Found::kUnknown;
  return named.st_ino == open.st_ino && named.st_dev == open.st_dev ? Found::kThis : Found::kAnother;
}

void remove_if_stale(const std::string& path, int64_t process, FileSystem& files) {
  constexpr time_t kDay = 86400;
  const int file = files.open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
  if (file < 0) return;
  struct stat status {};
  if (files.fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
    const Lock lock = try_lock(files, file);
    const bool forgotten = lock == Lock::kNotSupported && status.st_mtime + kDay < std::time(nullptr) &&
                           ::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH;
    if (lock == Lock::kTaken || forgotten) files.unlink(path.c_str());
  }
  files.close(file);
}

}  // namespace

void keep_mode(int file, const struct stat& former, FileSystem& files) {
  unsigned mode = former.st_mode & 0777U;
  struct stat now {};
  if (files.fstat(file, &now) != 0) return;
  if ((now.st_uid != former.st_uid || now.st_gid != former.st_gid) &&
      files.fchown(file, former.st_uid, former.st_gid) != 0 && now.st_gid != former.st_gid &&
      files.fchown(file, static_cast<unsigned>(-1), former.st_gid) != 0) {
    // What was for the former group is not for this one, unless it is for everybody.
    mode &= 0707U | ((mode & 07U) << 3U);
  }
  // Not every file system has modes; the file was made with no wider one.
  if ((now.st_mode & 0777U) != mode) files.fchmod(file, mode);
}

PartialFile make_partial(const OutputPlace& place, FileSystem& files) {
  constexpr int kTries = 100;
  remove_stale_partials(place, files);
  const std::string start = (fs::path(place.folder) / stem_of(place)).string() + std::to_string(::getpid()) + "-";
  const unsigned mode = place.former ? place.former->st_mode & 0777U : 0666U;
  for (int i = 0; i < kTries; ++i) {
    PartialFile partial = {.path = fmt::format("{}{:08x}{}", start, random_number(), kPartialEnding)};
    partial.file = files.open(partial.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (partial.file < 0 && errno == EEXIST) continue;
    if (partial.file < 0) return partial;
    // Before it was locked, another program that looks for what was left may have taken it for that.
    if (try_lock(files, partial.file) == Lock::kHeldByAnother) {
      files.close(partial.file);
      continue;
    }
    if (const Found found = find_at(partial.path, partial.file, files); found != Found::kThis) {
      const int error = errno;
      // Nobody else makes a file of this name.
      if (found == Found::kUnknown) files.unlink(partial.path.c_str());
      files.close(partial.file);
      if (found == Found::kAnother) continue;
      errno = error;
      return {};
    }
    partial.lock = ::fcntl(partial.file, F_DUPFD_CLOEXEC, 0);
    if (place.former) keep_mode(partial.file, *place.former, files);
    return partial;
  }
  errno = EEXIST;
  return {};
}

void remove_stale_partials(const OutputPlace& place, FileSystem& files) {
  static std::mutex mutex;
  static std::set<std::string> looked_at;
  {
    const std::lock_guard lock(mutex);
    if (!looked_at.insert(place.path).second) return;
  }
  const std::string stem = stem_of(place);
  std::error_code error;
  for (fs::directory_iterator at(place.folder, error), end; !error && at != end; at.increment(error))
    if (const int64_t process = process_of(at->path().filename().string(), stem); process > 0)
      remove_if_stale(at->path().string(), process, files);
}

}  // namespace resflow
