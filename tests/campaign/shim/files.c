// Calls on what is open: reading, writing, saving, and opening itself.
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/campaign/shim/shim.h"

static bool fails(const char* call, const char* path, int fd) {
  return shim_count(call, "files", path, fd) == kShimFail;
}

static mode_t mode_of(int flags, va_list rest) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                  \
  int name(const char* path, int flags, ...) {      \
    SHIM_REAL(name)                                 \
    va_list rest;                                   \
    va_start(rest, flags);                          \
    const mode_t mode = mode_of(flags, rest);       \
    va_end(rest);                                   \
    if (fails("open", path, -1)) return -1;         \
    const int fd = real(path, flags, mode);         \
    if (fd >= 0) shim_record_open(path, flags, fd); \
    return fd;                                      \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                       \
  int name(int folder, const char* path, int flags, ...) { \
    SHIM_REAL(name)                                        \
    va_list rest;                                          \
    va_start(rest, flags);                                 \
    const mode_t mode = mode_of(flags, rest);              \
    va_end(rest);                                          \
    if (fails("openat", path, folder)) return -1;          \
    const int fd = real(folder, path, flags, mode);        \
    if (fd >= 0) shim_record_open(path, flags, fd);        \
    return fd;                                             \
  }
OPENAT(openat)
OPENAT(openat64)

// What sources compiled with _FORTIFY_SOURCE call.
int __open_2(const char* path, int flags) { return open(path, flags); }
int __open64_2(const char* path, int flags) { return open64(path, flags); }
int __openat_2(int folder, const char* path, int flags) { return openat(folder, path, flags); }
int __openat64_2(int folder, const char* path, int flags) { return openat64(folder, path, flags); }

static int flags_of(const char* mode) {
  if (mode[0] == 'r') return O_RDONLY;
  return O_WRONLY | O_CREAT | (mode[0] == 'w' ? O_TRUNC : O_APPEND);
}

#define FOPEN(name)                                                 \
  FILE* name(const char* path, const char* mode) {                  \
    SHIM_REAL(name)                                                 \
    if (fails("fopen", path, -1)) return NULL;                      \
    FILE* file = real(path, mode);                                  \
    if (file) shim_record_open(path, flags_of(mode), fileno(file)); \
    return file;                                                    \
  }
FOPEN(fopen)
FOPEN(fopen64)

#define READ(name, parameters, arguments)                                   \
  ssize_t name parameters {                                                 \
    SHIM_REAL(name)                                                         \
    const enum shim_verdict verdict = shim_count(#name, "files", NULL, fd); \
    if (verdict == kShimFail) return -1;                                    \
    if (verdict == kShimShort && bytes > 1) bytes /= 2;                     \
    return real arguments;                                                  \
  }
READ(read, (int fd, void* data, size_t bytes), (fd, data, bytes))
READ(pread, (int fd, void* data, size_t bytes, off_t offset), (fd, data, bytes, offset))
READ(pread64, (int fd, void* data, size_t bytes, off64_t offset), (fd, data, bytes, offset))
ssize_t __read_chk(int fd, void* data, size_t bytes, size_t room) { return (void)room, read(fd, data, bytes); }
ssize_t __pread_chk(int fd, void* data, size_t bytes, off_t offset, size_t room) {
  return (void)room, pread(fd, data, bytes, offset);
}
ssize_t __pread64_chk(int fd, void* data, size_t bytes, off64_t offset, size_t room) {
  return (void)room, pread64(fd, data, bytes, offset);
}

#define WRITE(name, parameters, arguments, at)                              \
  ssize_t name parameters {                                                 \
    SHIM_REAL(name)                                                         \
    const enum shim_verdict verdict = shim_count(#name, "files", NULL, fd); \
    if (verdict == kShimFail) return -1;                                    \
    if (verdict == kShimShort && bytes > 1) bytes /= 2;                     \
    const ssize_t done = real arguments;                                    \
    if (done > 0) shim_record_data(fd, data, (size_t)done, at);             \
    return done;                                                            \
  }
WRITE(write, (int fd, const void* data, size_t bytes), (fd, data, bytes), -1)
WRITE(pwrite, (int fd, const void* data, size_t bytes, off_t offset), (fd, data, bytes, offset), offset)
WRITE(pwrite64, (int fd, const void* data, size_t bytes, off64_t offset), (fd, data, bytes, offset), offset)

ssize_t writev(int fd, const struct iovec* parts, int count) {
  SHIM_REAL(writev)
  const enum shim_verdict verdict = shim_count("writev", "files", NULL, fd);
  if (verdict == kShimFail) return -1;
  if (verdict == kShimShort && count > 1) --count;
  const ssize_t done = real(fd, parts, count);
  // A record needs them one after the other.
  ssize_t left = done;
  for (int i = 0; i < count && left > 0; ++i) {
    const ssize_t here = (ssize_t)parts[i].iov_len < left ? (ssize_t)parts[i].iov_len : left;
    shim_record_data(fd, parts[i].iov_base, (size_t)here, shim_records() ? lseek(fd, 0, SEEK_CUR) - left : 0);
    left -= here;
  }
  return done;
}

#define ON_FD(name, what)                       \
  int name(int fd) {                            \
    SHIM_REAL(name)                             \
    if (fails(#name, NULL, fd)) return -1;      \
    const int code = real(fd);                  \
    if (code == 0) shim_record_fd(what, fd, 0); \
    return code;                                \
  }
ON_FD(fsync, "sync")
ON_FD(fdatasync, "sync")

int close(int fd) {
  SHIM_REAL(close)
  if (!fails("close", NULL, fd)) return real(fd);
  // A descriptor is gone, whatever close answers.
  const int error = errno;
  real(fd);
  errno = error;
  return -1;
}

#define TRUNCATE(name, type)                                      \
  int name(int fd, type length) {                                 \
    SHIM_REAL(name)                                               \
    if (fails("ftruncate", NULL, fd)) return -1;                  \
    const int code = real(fd, length);                            \
    if (code == 0) shim_record_fd("truncate", fd, (off_t)length); \
    return code;                                                  \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

off_t lseek(int fd, off_t offset, int whence) {
  SHIM_REAL(lseek)
  return fails("lseek", NULL, fd) ? -1 : real(fd, offset, whence);
}

ssize_t sendfile(int out, int in, off_t* offset, size_t bytes) {
  SHIM_REAL(sendfile)
  return fails("sendfile", NULL, out) ? -1 : real(out, in, offset, bytes);
}

ssize_t copy_file_range(int in, off64_t* from, int out, off64_t* to, size_t bytes, unsigned flags) {
  SHIM_REAL(copy_file_range)
  return fails("copy_file_range", NULL, out) ? -1 : real(in, from, out, to, bytes, flags);
}

int fchmod(int fd, mode_t mode) {
  SHIM_REAL(fchmod)
  return fails("fchmod", NULL, fd) ? -1 : real(fd, mode);
}

#define FACTS(name, type)                                 \
  int name(int fd, struct type* facts) {                  \
    SHIM_REAL(name)                                       \
    return fails(#name, NULL, fd) ? -1 : real(fd, facts); \
  }
FACTS(fstat, stat)
FACTS(fstat64, stat64)
FACTS(fstatvfs, statvfs)
FACTS(fstatfs, statfs)
