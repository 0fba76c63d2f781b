#include "io/files/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <thread>
#include <utility>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/files/file_errors.h"
#include "io/files/machine_failure.h"

namespace resflow {

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

void sync_folder(const std::string& folder, const std::string& path, FileSystem& files) {
  const int open = files.open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  const int failed = open < 0 ? -1 : files.fsync(open);
  const int error = errno;
  if (open >= 0) files.close(open);
  // Some file systems know no sync of folders.
  if (failed != 0 && error != EINVAL)
    throw system_error("{}: written, but its folder cannot be synced to the disk: {}", path, reason_of(error));
}

int FileSystem::open(const char* path, int flags, unsigned mode) { return ::open(path, flags, mode); }
int64_t FileSystem::pread(int file, void* bytes, size_t count, int64_t offset) {
  return ::pread(file, bytes, count, offset);
}
int64_t FileSystem::write(int file, const void* bytes, size_t count) { return ::write(file, bytes, count); }
int64_t FileSystem::pwrite(int file, const void* bytes, size_t count, int64_t offset) {
  return ::pwrite(file, bytes, count, offset);
}
int FileSystem::fsync(int file) { return ::fsync(file); }
int FileSystem::ftruncate(int file, int64_t bytes) { return ::ftruncate(file, bytes); }
int FileSystem::close(int file) { return ::close(file); }
int FileSystem::rename(const char* from, const char* to) { return ::rename(from, to); }
int FileSystem::link(const char* from, const char* to) { return ::link(from, to); }
int FileSystem::unlink(const char* path) { return ::unlink(path); }
int64_t FileSystem::free_bytes(const char* folder) {
  struct statvfs disk {};
  if (::statvfs(folder, &disk) != 0) return -1;
  // Some network and user-space file systems report no sizes at all.
  if (disk.f_blocks == 0) {
    errno = ENOSYS;
    return -1;
  }
  return static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
}

int FileSystem::fstat(int file, struct stat* status) { return ::fstat(file, status); }
bool FileSystem::pause(int failed) {
  constexpr std::array kPauses = {0.1, 0.25, 0.5};
  if (failed > std::ssize(kPauses)) return false;
  sleep(kPauses[static_cast<size_t>(failed - 1)]);
  return true;
}
void FileSystem::sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

FileSystem& machine_files() {
  static FileSystem files;
  return files;
}

namespace {

// What is thrown where the system refuses to open or to read the file.
[[noreturn]] void refuse(const std::string& path, const char* doing, int error) {
  if (is_machine_failure(error)) throw system_error("{}: cannot be {}: {}", path, doing, reason_of(error));
  if (is_no_permission(error)) throw UnreadableFile(path + ": no permission to read it");
  throw UnreadableFile(path + ": cannot be " + doing + ": " + reason_of(error));
}

// The open file is no more the one that its server knows by this name: it may be when it is opened anew.
class StaleFile : public Error {
 public:
  explicit StaleFile(const std::string& path)
      : Error(ErrorKind::kSystem, path + ": cannot be read: " + reason_of(ESTALE)) {}
};

}  // namespace

InputFile::InputFile(const std::string& path, FileSystem& files) : path_(path), files_(files) {
  // O_NONBLOCK: opening a named pipe must not wait for somebody who writes to it.
  file_ = persistently(files_, [&] { return files_.open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0); });
  if (file_ < 0) refuse(path, "opened", errno);
  struct stat status {};
  const bool known = persistently(files_, [&] { return files_.fstat(file_, &status); }) == 0;
  if (known && S_ISREG(status.st_mode)) {
    size_ = status.st_size;
    return;
  }
  const int error = errno;
  files_.close(file_);
  if (!known) refuse(path, "opened", error);
  throw data_error("{}: is {}, wanted a file", path, S_ISDIR(status.st_mode) ? "a folder" : "a device or a pipe");
}

InputFile::~InputFile() { files_.close(file_); }

void InputFile::will_be_read_in_order() const { ::posix_fadvise(file_, 0, 0, POSIX_FADV_SEQUENTIAL); }

void InputFile::read(int64_t offset, std::span<uint8_t> bytes) const {
  size_t done = 0;
  while (done < bytes.size()) {
    const int64_t n = persistently(files_, [&] {
      const int64_t read =
          files_.pread(file_, bytes.data() + done, bytes.size() - done, offset + static_cast<int64_t>(done));
      if (read < 0 && errno == ESTALE) throw StaleFile(path_);
      return read;
    });
    if (n < 0) refuse(path_, "read", errno);
    if (n == 0) {
      throw data_error("{}: became shorter while it was read: {} bytes, wanted {}", path_,
                       offset + static_cast<int64_t>(done), offset + static_cast<int64_t>(bytes.size()));
    }
    done += static_cast<size_t>(n);
  }
}

std::span<const uint8_t> read_file(const std::string& path, std::vector<uint8_t>& buffer, FileSystem& files) {
  Attempts attempts(files);
  for (;;) {
    const InputFile file(path, files);
    const auto bytes = static_cast<size_t>(file.size());
    try {
      if (buffer.size() < bytes) buffer.resize(bytes);
    } catch (const std::exception&) {
      throw data_error("{}: its {} bytes do not fit into memory", path, bytes);
    }
    try {
      file.read(0, {buffer.data(), bytes});
      return {buffer.data(), bytes};
    } catch (const StaleFile&) {
      if (!attempts.again(ESTALE)) throw;
    }
  }
}

AtomicFile::AtomicFile(std::string path, int64_t bytes, FileSystem& files)
    : path_(std::move(path)), partial_(path_ + ".partial"), folder_(folder_of(path_)), files_(files), needed_(bytes) {
  const int64_t free = files_.free_bytes(folder_.c_str());
  if (free >= 0 && free < needed_) {
    throw system_error("{}: the disk is full: {} bytes needed, {} free in {}; free some, or save elsewhere", path_,
                       needed_, free, folder_);
  }
  file_ = files_.open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file_ >= 0) return;
  const int error = errno;
  if (is_no_permission(error)) throw usage_error("{}: no permission to write in {}", path_, folder_);
  if (error == ENOENT || error == ENOTDIR) throw usage_error("{}: there is no folder {}", path_, folder_);
  fail("be created");
}

AtomicFile::~AtomicFile() {
  if (committed_) return;
  if (file_ >= 0) files_.close(file_);
  files_.unlink(partial_.c_str());
}

void AtomicFile::fail(const char* doing) {
  const int error = errno;
  if (is_disk_full(error)) {
    if (needed_ == 0 || needed_ < written_)  // how much it would be was not known
      throw system_error("{}: the disk is full ({}) after {} bytes in {}; the previous file is unchanged", path_,
                         reason_of(error), written_, folder_);
    // What was written so far still takes its place.
    const int64_t free = std::max<int64_t>(files_.free_bytes(folder_.c_str()), 0) + written_;
    throw system_error("{}: the disk is full ({}): {} bytes needed, {} free in {}; the previous file is unchanged",
                       path_, reason_of(error), needed_, free, folder_);
  }
  throw system_error("{}: cannot {}: {}; the previous file is unchanged", path_, doing, reason_of(error));
}

void AtomicFile::write(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const int64_t n = files_.write(file_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("be written");
    written_ += n;
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

void AtomicFile::rewrite(int64_t offset, std::span<const uint8_t> bytes) {
  if (offset < 0 || offset + static_cast<int64_t>(bytes.size()) > written_)
    throw internal_error("{}: {} bytes at {} are not there to be written over", path_, bytes.size(), offset);
  while (!bytes.empty()) {
    const int64_t n = files_.pwrite(file_, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("be written");
    offset += n;
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

void AtomicFile::commit(int generations) {
  // A sync that failed is not tried again: the system may have dropped the pages it could not write.
  if (files_.fsync(file_) != 0) fail("be synced to the disk");
  const int file = std::exchange(file_, -1);
  if (files_.close(file) != 0) fail("be closed");
  if (generations > 1) keep_previous(generations);
  if (files_.rename(partial_.c_str(), path_.c_str()) != 0) fail("be renamed into place");
  committed_ = true;
  sync_folder(folder_, path_, files_);
}

void AtomicFile::keep_previous(int generations) {
  const auto generation = [this](int n) { return path_ + "." + std::to_string(n); };
  for (int n = generations - 1; n > 1; --n) {
    if (files_.rename(generation(n - 1).c_str(), generation(n).c_str()) != 0 && errno != ENOENT)
      fail("keep its previous generations");
  }
  // A second name for the previous file, so that at every moment there is a whole file at `path`.
  const std::string second = path_ + ".previous", first = generation(1);
  files_.unlink(second.c_str());
  if (files_.link(path_.c_str(), second.c_str()) == 0) {
    const int failed = files_.rename(second.c_str(), first.c_str());
    const int error = errno;
    // Renaming one of two names of the same file to the other does nothing at all.
    files_.unlink(second.c_str());
    errno = error;
    if (failed != 0) fail("keep its previous generation");
    return;
  }
  if (errno == ENOENT) return;  // there is no previous file
  // Not every file system has links.
  if (files_.rename(path_.c_str(), first.c_str()) != 0) fail("keep its previous generation");
}

void replace_file(const std::string& path, std::span<const uint8_t> bytes, FileSystem& files) {
  AtomicFile file(path, static_cast<int64_t>(bytes.size()), files);
  file.write(bytes);
  file.commit();
}

void replace_text_file(const std::string& path, std::string_view text) { replace_file(path, bytes_of(text)); }

void check_can_be_written(const std::string& path) {
  if (!path.empty()) const AtomicFile file(path, 0);
}

}  // namespace resflow
