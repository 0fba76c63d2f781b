#include "io/files/growing_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "io/core/error.h"
#include "io/files/file_errors.h"

namespace resflow {
namespace {

constexpr size_t kGathered = size_t{256} << 10;

}  // namespace

GrowingFile::GrowingFile(std::string path, FileSystem& files)
    : path_(std::move(path)), partial_(path_ + ".partial"), folder_(folder_of(path_)), files_(files) {
  file_ = files_.open(partial_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) {
    const int error = errno;
    if (is_no_permission(error)) throw usage_error("{}: no permission to write in {}", path_, folder_);
    if (error == ENOENT || error == ENOTDIR) throw usage_error("{}: there is no folder {}", path_, folder_);
    fail("be created");
  }
  // Where the file system has no locks, the user must see to it that only one program writes the file.
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    close();
    throw usage_error("{}: another program is writing it: wait for it, or write elsewhere", path_);
  }
  struct stat status {
  }, named{};
  if (::fstat(file_, &status) != 0) {
    const int error = errno;
    close();
    errno = error;
    fail("be opened");
  }
  // Between opening and locking another program may have given the file its final name.
  if (::stat(partial_.c_str(), &named) != 0 || named.st_ino != status.st_ino || named.st_dev != status.st_dev) {
    close();
    throw usage_error("{}: another program was writing it until now", path_);
  }
  size_ = status.st_size;
}

GrowingFile::~GrowingFile() { close(); }

void GrowingFile::close() {
  if (file_ >= 0) files_.close(std::exchange(file_, -1));
}

void GrowingFile::fail(const char* doing) {
  const int error = errno;
  if (is_disk_full(error))
    throw system_error("{}: the disk is full ({}), {} bytes free in {}", path_, reason_of(error),
                       std::max<int64_t>(files_.free_bytes(folder_.c_str()), 0), folder_);
  throw system_error("{}: cannot {}: {}", path_, doing, reason_of(error));
}

void GrowingFile::resize(int64_t bytes) {
  if (size_ < bytes)
    throw data_error("{}: has {} bytes, wanted at least {}: it is not the file that was left", partial_, size_, bytes);
  while (files_.ftruncate(file_, bytes) != 0)
    if (errno != EINTR) fail("be cut");
  if (::lseek(file_, bytes, SEEK_SET) < 0) fail("be written");
  size_ = bytes;
}

void GrowingFile::write(std::span<const uint8_t> bytes) {
  waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  size_ += static_cast<int64_t>(bytes.size());
  if (waiting_.size() >= kGathered) flush();
}

void GrowingFile::flush() {
  std::span<const uint8_t> bytes = waiting_;
  while (!bytes.empty()) {
    const int64_t n = files_.write(file_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("be written");
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  waiting_.clear();
}

void GrowingFile::rewrite(int64_t offset, std::string_view text) {
  if (offset < 0 || offset + static_cast<int64_t>(text.size()) > size_)
    throw internal_error("{}: {} bytes at {} are not there to be written over", path_, text.size(), offset);
  flush();
  while (!text.empty()) {
    const int64_t n = files_.pwrite(file_, text.data(), text.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("be written");
    offset += n;
    text.remove_prefix(static_cast<size_t>(n));
  }
}

void GrowingFile::sync() {
  flush();
  // A sync that failed is not tried again: the system may have dropped the pages it could not write.
  if (files_.fsync(file_) != 0) fail("be synced to the disk");
}

void GrowingFile::publish() {
  sync();
  // Renamed while it is locked, so that nobody else begins to write it meanwhile.
  if (files_.rename(partial_.c_str(), path_.c_str()) != 0) fail("be renamed into place");
  const int file = std::exchange(file_, -1);
  if (files_.close(file) != 0) fail("be closed");
  sync_folder(folder_, path_, files_);
}

void GrowingFile::discard() {
  if (file_ < 0) return;
  files_.unlink(partial_.c_str());
  close();
}

}  // namespace resflow
