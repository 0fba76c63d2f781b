#include "io/files/growing_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "io/core/error.h"
#include "io/files/file_errors.h"
#include "io/files/machine_failure.h"
#include "io/files/output_place.h"
#include "io/files/partial_file.h"

namespace resflow {
namespace {

constexpr size_t kGathered = size_t{256} << 10;

}  // namespace

GrowingFile::GrowingFile(std::string path, FileSystem& files, Begin begin)
    : path_(std::move(path)),
      place_(std::make_unique<OutputPlace>(output_place(path_, files))),
      files_(files),
      begin_(begin) {
  if (place_->through) {
    open_through();
  } else if (begin_ == Begin::kAnew) {
    PartialFile partial = make_partial(*place_, files_);
    file_ = partial.file;
    lock_ = partial.lock;
    if (file_ < 0) fail_to_open();
    partial_ = std::move(partial.path);
  } else {
    open_partial();
    try {
      check_partial();
    } catch (...) {
      close();
      throw;
    }
  }
}

void GrowingFile::open_through() {
  file_ = place_->descriptor >= 0 ? ::fcntl(place_->descriptor, F_DUPFD_CLOEXEC, 3)
                                  : files_.open(place_->path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC, 0);
  if (file_ < 0) fail_to_open();
}

void GrowingFile::open_partial() {
  partial_ = place_->path + kPartialEnding;
  const unsigned mode = place_->former ? place_->former->st_mode & 0777U : 0666U;
  // O_NONBLOCK: opening a named pipe must not wait for somebody who reads it.
  constexpr int kFlags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  file_ = files_.open(partial_.c_str(), kFlags | O_CREAT | O_EXCL, mode | 0600U);
  if (file_ < 0 && errno == EEXIST) file_ = files_.open(partial_.c_str(), kFlags, 0);
  if (file_ < 0) fail_to_open();
}

void GrowingFile::check_partial() {
  struct stat status {
  }, named{};
  if (persistently(files_, [&] { return files_.fstat(file_, &status); }) != 0) fail("be opened");
  if (!S_ISREG(status.st_mode)) throw usage_error("{}: is in the way, and is no file: remove it", partial_);
  const Lock lock = try_lock(files_, file_);
  if (lock == Lock::kHeldByAnother)
    throw usage_error("{}: another program is writing it: wait for it, or write elsewhere", path_);
  locked_ = lock == Lock::kTaken;
  // Between opening and locking another program may have given the file its final name.
  const bool known = persistently(files_, [&] { return files_.lstat(partial_.c_str(), &named); }) == 0;
  if (!known && errno != ENOENT) fail("be opened");
  if (!known || named.st_ino != status.st_ino || named.st_dev != status.st_dev)
    throw usage_error("{}: another program was writing it until now", path_);
  // Somebody may have put a second name of a file here that is not to be written.
  if (status.st_nlink > 1)
    throw usage_error("{}: has a second name (a hard link), and what is written here would be there, too: remove it",
                      partial_);
  size_ = status.st_size;
}

void GrowingFile::fail_to_open() {
  const int error = errno;
  if (place_->through && is_no_permission(error)) throw usage_error("{}: no permission to write to it", path_);
  if (is_no_permission(error)) throw usage_error("{}: no permission to write in {}", path_, place_->folder);
  if (error == ENOENT || error == ENOTDIR) throw usage_error("{}: there is no folder {}", path_, place_->folder);
  if (error == ELOOP) throw usage_error("{}: is a link, which nothing is written through: remove it", partial_);
  if (error == ENXIO || error == EISDIR) throw usage_error("{}: is in the way, and is no file: remove it", partial_);
  if (error == EBADF) throw usage_error("{}: is closed", path_);
  errno = error;
  fail("be created");
}

GrowingFile::~GrowingFile() {
  if (begin_ == Begin::kAnew) discard();
  close();
}

void GrowingFile::close() {
  if (file_ >= 0) files_.close(std::exchange(file_, -1));
  if (lock_ >= 0) files_.close(std::exchange(lock_, -1));
}

void GrowingFile::fail(const char* doing) {
  const int error = errno;
  if (is_disk_full(error))
    throw system_error("{}: the disk is full ({}), {} bytes free in {}", path_, reason_of(error),
                       std::max<int64_t>(files_.free_bytes(place_->folder.c_str()), 0), place_->folder);
  throw system_error("{}: cannot {}: {}", path_, doing, reason_of(error));
}

void GrowingFile::resize(int64_t bytes) {
  if (place_->through) {
    size_ = bytes;
    return;
  }
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
  if (write_all(files_, file_, waiting_) < waiting_.size()) fail("be written");
  waiting_.clear();
}

void GrowingFile::rewrite(int64_t offset, std::string_view text) {
  if (offset < 0 || offset + static_cast<int64_t>(text.size()) > size_)
    throw internal_error("{}: {} bytes at {} are not there to be written over", path_, text.size(), offset);
  flush();
  if (write_all(files_, file_, bytes_of(text), offset) < text.size()) fail("be written");
}

void GrowingFile::sync() {
  flush();
  if (place_->through) return;
  if (!sync_file(files_, file_)) fail("be synced to the disk");
  // What is said to be safe must have its name after a crash, too; a killed program may have made it and not synced it.
  if (begin_ == Begin::kWhereItWasLeft && !std::exchange(has_safe_name_, true))
    sync_folder(place_->folder, path_, files_);
}

void GrowingFile::publish() {
  sync();
  if (!place_->through) {
    if (begin_ == Begin::kWhereItWasLeft && place_->former) keep_mode(file_, *place_->former, files_);
    // Renamed while it is locked, so that nobody else begins to write it meanwhile.
    if (files_.rename(partial_.c_str(), place_->path.c_str()) != 0) fail("be renamed into place");
  }
  const int file = std::exchange(file_, -1);
  const bool closed = close_file(files_, file);
  const int error = errno;
  close();
  errno = error;
  if (!closed) fail("be closed");
  if (!place_->through) sync_folder(place_->folder, path_, files_);
}

void GrowingFile::discard() {
  if (file_ < 0) return;
  if (!partial_.empty()) files_.unlink(partial_.c_str());
  close();
}

}  // namespace resflow
