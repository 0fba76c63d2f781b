// Writes down all that changes files: one line of fields with tabs between, then the data of a write.
//
//   open INODE FLAGS PATH       a descriptor to write by (FLAGS as open's, in decimal)
//   data INODE OFFSET BYTES     followed by so many bytes
//   truncate INODE LENGTH
//   sync INODE                  fsync or fdatasync, of a folder, too
//   rename FROM TO INODE, exchange FROM TO INODE, link FROM TO INODE, symlink TARGET PATH INODE, unlink PATH, mkdir
//   PATH, rmdir PATH; INODE is what TO is now
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/campaign/shim/shim.h"

static pthread_mutex_t g_order = PTHREAD_MUTEX_INITIALIZER;
static int g_record = -2;  // -2: not looked for yet

bool shim_records(void) {
  if (!shim_is_active()) return false;
  if (g_record == -2) {
    const char* path = getenv("RESFLOW_SHIM_RECORD");
    const long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    // Out of the way of the program's own numbers.
    g_record = fd < 0 ? -1 : (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 700);
    if (fd >= 0) syscall(SYS_close, fd);
  }
  return g_record >= 0;
}

static void put(const void* data, size_t bytes) {
  for (const char* at = data; bytes > 0;) {
    const long written = syscall(SYS_write, g_record, at, bytes);
    if (written <= 0) abort();  // a record with a gap says nothing
    at += written;
    bytes -= (size_t)written;
  }
}

static unsigned long inode_of(int fd) {
  struct stat facts;
  return syscall(SYS_fstat, fd, &facts) == 0 ? (unsigned long)facts.st_ino : 0;
}

static void put_line(const char* line, const void* data, size_t bytes) {
  const int before = errno;
  pthread_mutex_lock(&g_order);
  put(line, strlen(line));
  put(data, bytes);
  pthread_mutex_unlock(&g_order);
  errno = before;
}

void shim_record_open(const char* path, int flags, int fd) {
  if ((flags & O_ACCMODE) == O_RDONLY || !shim_records()) return;
  char line[4200];
  snprintf(line, sizeof line, "open\t%lu\t%d\t%s\n", inode_of(fd), flags, path);
  put_line(line, NULL, 0);
}

void shim_record_data(int fd, const void* data, size_t bytes, off_t offset) {
  if (!shim_records()) return;
  if (offset < 0) offset = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) - (off_t)bytes;
  if (offset < 0) return;  // a pipe
  char line[100];
  snprintf(line, sizeof line, "data\t%lu\t%ld\t%zu\n", inode_of(fd), (long)offset, bytes);
  put_line(line, data, bytes);
}

void shim_record_fd(const char* what, int fd, off_t length) {
  if (!shim_records()) return;
  char line[100];
  snprintf(line, sizeof line, "%s\t%lu\t%ld\n", what, inode_of(fd), (long)length);
  put_line(line, NULL, 0);
}

void shim_record_names(const char* what, const char* from, const char* to) {
  if (!shim_records()) return;
  char line[8400];
  struct stat facts;
  const bool known = *to && syscall(SYS_newfstatat, AT_FDCWD, to, &facts, AT_SYMLINK_NOFOLLOW) == 0;
  snprintf(line, sizeof line, "%s\t%s\t%s\t%lu\n", what, from, to, known ? (unsigned long)facts.st_ino : 0);
  put_line(line, NULL, 0);
}
