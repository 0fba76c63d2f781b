// AtomicFile and what stands on it (io/files/file.h).
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/files/file.h"
#include "io/files/file_errors.h"
#include "io/files/output_place.h"
#include "io/files/partial_file.h"

namespace resflow {

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Lock try_lock(FileSystem& files, int file, bool shared) {
  int failed = 0;
  do failed = files.flock(file, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
  while (failed != 0 && errno == EINTR);
  return failed == 0 ? Lock::kTaken : errno == EWOULDBLOCK ? Lock::kHeldByAnother : Lock::kNotSupported;
}

void sync_folder(const std::string& folder, const std::string& path, FileSystem& files) {
  const int open = files.open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  const bool synced = open >= 0 && sync_file(files, open);
  const int error = errno;
  if (open >= 0) files.close(open);
  // Some file systems know no sync of folders, and a folder that may be written in need not be one that may be read.
  if (!synced && !is_not_supported(error) && !(open < 0 && error == EACCES))
    throw system_error("{}: written, but its folder cannot be synced to the disk: {}", path, reason_of(error));
}

AtomicFile::AtomicFile(std::string path, int64_t bytes, FileSystem& files)
    : path_(std::move(path)),
      place_(std::make_unique<OutputPlace>(output_place(path_, files))),
      files_(files),
      needed_(bytes) {
  if (place_->through) {
    open_through();
    return;
  }
  PartialFile partial = make_partial(*place_, files_);
  file_ = partial.file;
  lock_ = partial.lock;
  if (file_ < 0) fail_to_open();
  partial_ = std::move(partial.path);
  try {
    reserve();
  } catch (...) {
    files_.close(file_);
    files_.unlink(partial_.c_str());
    if (lock_ >= 0) files_.close(lock_);
    throw;
  }
}

void AtomicFile::fail_to_open() {
  const int error = errno;
  if (is_no_permission(error)) throw usage_error("{}: no permission to write in {}", path_, place_->folder);
  if (error == ENOENT || error == ENOTDIR) throw usage_error("{}: there is no folder {}", path_, place_->folder);
  if (error == ENAMETOOLONG) throw usage_error("{}: name too long", path_);
  errno = error;
  fail("be created");
}

void AtomicFile::open_through() {
  // A descriptor is not opened anew, because it would begin at the file's start then and not behind what was written.
  file_ = place_->descriptor >= 0 ? ::fcntl(place_->descriptor, F_DUPFD_CLOEXEC, 3)
                                  : files_.open(place_->path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC, 0);
  if (file_ >= 0) return;
  const int error = errno;
  if (error == EBADF) throw usage_error("{}: is closed", path_);
  if (is_no_permission(error)) throw usage_error("{}: no permission to write to it", path_);
  throw system_error("{}: cannot be opened: {}", path_, reason_of(error));
}

// Where it looks as if the disk were too small, the file system itself says whether it is: what is free for this user
// differs from what it tells where there are quotas, or space that is reserved for root.
void AtomicFile::reserve() {
  const int64_t free = files_.free_bytes(place_->folder.c_str());
  if (free < 0 || free >= needed_ || files_.allocate(file_, needed_) == 0 || !is_disk_full(errno)) return;
  throw system_error("{}: the disk is full: {} bytes needed, {} free in {}; free some, or save elsewhere", path_,
                     needed_, free, place_->folder);
}

AtomicFile::~AtomicFile() {
  if (!committed_) {
    if (file_ >= 0) files_.close(file_);
    // While it is locked, so that nobody takes it for one that was left.
    if (!partial_.empty()) files_.unlink(partial_.c_str());
  }
  if (lock_ >= 0) files_.close(lock_);
}

void AtomicFile::fail(const char* doing) {
  const int error = errno;
  const std::string after = place_->through ? ""
                            : moved_generations_
                                ? "; the previous file is still there, as are the generations before it"
                                : "; the previous file is unchanged";
  if (is_disk_full(error)) {
    if (needed_ == 0 || needed_ < written_)  // how much it would be was not known
      throw system_error("{}: the disk is full ({}) after {} bytes in {}{}", path_, reason_of(error), written_,
                         place_->folder, after);
    // What was written so far still takes its place.
    const int64_t free = std::max<int64_t>(files_.free_bytes(place_->folder.c_str()), 0) + written_;
    throw system_error("{}: the disk is full ({}): {} bytes needed, {} free in {}{}", path_, reason_of(error), needed_,
                       free, place_->folder, after);
  }
  throw system_error("{}: cannot {}: {}{}", path_, doing, reason_of(error), after);
}

void AtomicFile::write(std::span<const uint8_t> bytes) {
  const size_t done = write_all(files_, file_, bytes);
  written_ += static_cast<int64_t>(done);
  if (done < bytes.size()) fail("be written");
}

void AtomicFile::rewrite(int64_t offset, std::span<const uint8_t> bytes) {
  if (offset < 0 || offset + static_cast<int64_t>(bytes.size()) > written_)
    throw internal_error("{}: {} bytes at {} are not there to be written over", path_, bytes.size(), offset);
  if (write_all(files_, file_, bytes, offset) < bytes.size()) fail("be written");
}

void AtomicFile::commit(int generations) {
  if (!place_->through && !sync_file(files_, file_)) fail("be synced to the disk");
  if (!close_file(files_, std::exchange(file_, -1))) fail("be closed");
  if (place_->through) {
    committed_ = true;
    return;
  }
  if (generations > 1) keep_previous(generations);
  if (files_.rename(partial_.c_str(), place_->path.c_str()) != 0) fail("be renamed into place");
  committed_ = true;
  sync_folder(place_->folder, path_, files_);
}

void AtomicFile::keep_previous(int generations) {
  const auto generation = [this](int n) { return place_->path + "." + std::to_string(n); };
  for (int n = generations - 1; n > 1; --n) {
    if (files_.rename(generation(n - 1).c_str(), generation(n).c_str()) == 0)
      moved_generations_ = true;
    else if (errno != ENOENT)
      fail("keep its previous generations");
  }
  // A second name for the previous file, so that at every moment there is a whole file at `path`.
  const std::string second = place_->path + ".previous", first = generation(1);
  files_.unlink(second.c_str());
  if (files_.link(place_->path.c_str(), second.c_str()) == 0) {
    const int failed = files_.rename(second.c_str(), first.c_str());
    const int error = errno;
    // Renaming one of two names of the same file to the other does nothing at all.
    files_.unlink(second.c_str());
    errno = error;
    if (failed != 0) fail("keep its previous generation");
    moved_generations_ = true;
    return;
  }
  if (errno == ENOENT) return;  // there is no previous file
  copy_previous(first);         // not every file system has links
  moved_generations_ = true;
}

void AtomicFile::copy_previous(const std::string& to) {
  constexpr size_t kPiece = size_t{4} << 20;
  const InputFile from(place_->path, files_);
  AtomicFile copy(to, from.size(), files_);
  if (place_->former) keep_mode(copy.file_, *place_->former, files_);
  std::vector<uint8_t> piece(std::min(kPiece, static_cast<size_t>(from.size())));
  for (int64_t at = 0; at < from.size(); at += static_cast<int64_t>(piece.size())) {
    if (from.size() - at < static_cast<int64_t>(piece.size())) piece.resize(static_cast<size_t>(from.size() - at));
    from.read(at, piece);
    copy.write(piece);
  }
  copy.commit();
}

void replace_file(const std::string& path, std::span<const uint8_t> bytes, FileSystem& files) {
  AtomicFile file(path, static_cast<int64_t>(bytes.size()), files);
  file.write(bytes);
  file.commit();
}

void replace_text_file(const std::string& path, std::string_view text, FileSystem& files) {
  replace_file(path, bytes_of(text), files);
}

}  // namespace resflow
