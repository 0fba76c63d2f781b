// What the writers of files have in common: which failures say what, calls that are gone on with until all is done, and
// the folder that a name lies in.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "io/files/file.h"

namespace resflow {

inline bool is_disk_full(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG; }
inline bool is_no_permission(int error) { return error == EACCES || error == EPERM || error == EROFS; }
// The file system has no such thing as was asked of it: links, locks, the exchange of two names.
inline bool is_not_supported(int error) {
  return error == ENOSYS || error == EINVAL || error == ENOTSUP || error == EOPNOTSUPP || error == ENOLCK;
}

// Writes all of `bytes`: at `offset`, or where the file stands where that is negative. Returns how many were written;
// where that are fewer, errno says why.
inline size_t write_all(FileSystem& files, int file, std::span<const uint8_t> bytes, int64_t offset = -1) {
  size_t done = 0;
  while (done < bytes.size()) {
    const uint8_t* const from = bytes.data() + done;
    const size_t count = bytes.size() - done;
    const int64_t n = offset < 0 ? files.write(file, from, count)
                                 : files.pwrite(file, from, count, offset + static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = EIO;  // nothing was taken, and nothing said why: to ask again might never end
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

// Returns when what was written is on the disk; false, with errno, where it cannot be. Only a sync that a signal
// interrupted is begun again: after a failed one the system may have dropped the pages that it could not write.
inline bool sync_file(FileSystem& files, int file) {
  int failed = 0;
  do failed = files.fsync(file);
  while (failed != 0 && errno == EINTR);
  return failed == 0;
}

// A signal may interrupt the closing of a file, which is closed all the same. False, with errno, where it failed.
inline bool close_file(FileSystem& files, int file) { return files.close(file) == 0 || errno == EINTR; }

enum class Lock { kTaken, kHeldByAnother, kNotSupported };

// Takes a lock (flock) without waiting. A file system without locks says so in one of many ways.
Lock try_lock(FileSystem& files, int file, bool shared = false);

std::string folder_of(const std::string& path);  // "." where the path names none

// A name that was made, renamed or removed in the folder is so after a crash, too. Throws Error{kSystem} about `path`.
void sync_folder(const std::string& folder, const std::string& path, FileSystem& files);

}  // namespace resflow
