#include "io/files/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <thread>
#include <utility>

#include "io/core/error.h"
#include "io/files/file_errors.h"
#include "io/files/machine_failure.h"

namespace resflow {

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

bool FileSystem::pause(int failed) {
  constexpr std::array kPauses = {0.1, 0.25, 0.5};
  if (failed > std::ssize(kPauses)) return false;
  sleep(kPauses[static_cast<size_t>(failed - 1)]);
  return true;
}
void FileSystem::sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }
int FileSystem::allocate(int file, int64_t bytes) { return ::fallocate(file, FALLOC_FL_KEEP_SIZE, 0, bytes); }
int FileSystem::flock(int file, int operation) { return ::flock(file, operation); }
int FileSystem::stat(const char* path, struct stat* status) { return ::stat(path, status); }
int FileSystem::lstat(const char* path, struct stat* status) { return ::lstat(path, status); }
int FileSystem::fstat(int file, struct stat* status) { return ::fstat(file, status); }
int FileSystem::fchmod(int file, unsigned mode) { return ::fchmod(file, mode); }
int FileSystem::fchown(int file, unsigned owner, unsigned group) { return ::fchown(file, owner, group); }
int FileSystem::access(const char* path, int mode) { return ::faccessat(AT_FDCWD, path, mode, AT_EACCESS); }
int FileSystem::mkdir(const char* path, unsigned mode) { return ::mkdir(path, mode); }
int FileSystem::rmdir(const char* path) { return ::rmdir(path); }
int FileSystem::exchange(const char* one, const char* other) {
  return ::renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}

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
  return with_fresh_file(files, [&] {
    const InputFile file(path, files);
    const auto bytes = static_cast<size_t>(file.size());
    try {
      if (buffer.size() < bytes) buffer.resize(bytes);
    } catch (const std::exception&) {
      throw data_error("{}: its {} bytes do not fit into memory", path, bytes);
    }
    file.read(0, {buffer.data(), bytes});
    return std::span<const uint8_t>(buffer.data(), bytes);
  });
}

}  // namespace resflow
