// Calls on names: what there is, and what it is called.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/campaign/shim/shim.h"

static bool fails(const char* call, const char* path, int fd) {
  return shim_count(call, "files", path, fd) == kShimFail;
}

#define FACTS(name, type)                                   \
  int name(const char* path, struct type* facts) {          \
    SHIM_REAL(name)                                         \
    return fails(#name, path, -1) ? -1 : real(path, facts); \
  }
FACTS(stat, stat)
FACTS(stat64, stat64)
FACTS(lstat, stat)
FACTS(lstat64, stat64)
FACTS(statvfs, statvfs)
FACTS(statfs, statfs)

#define FACTS_AT(name, type)                                                       \
  int name(int folder, const char* path, struct type* facts, int flags) {          \
    SHIM_REAL(name)                                                                \
    return fails("fstatat", path, folder) ? -1 : real(folder, path, facts, flags); \
  }
FACTS_AT(fstatat, stat)
FACTS_AT(fstatat64, stat64)

int statx(int folder, const char* restrict path, int flags, unsigned mask, struct statx* restrict facts) {
  SHIM_REAL(statx)
  return fails("statx", path, folder) ? -1 : real(folder, path, flags, mask, facts);
}

int access(const char* path, int mode) {
  SHIM_REAL(access)
  return fails("access", path, -1) ? -1 : real(path, mode);
}

int faccessat(int folder, const char* path, int mode, int flags) {
  SHIM_REAL(faccessat)
  return fails("faccessat", path, folder) ? -1 : real(folder, path, mode, flags);
}

ssize_t readlink(const char* path, char* target, size_t room) {
  SHIM_REAL(readlink)
  return fails("readlink", path, -1) ? -1 : real(path, target, room);
}

DIR* opendir(const char* path) {
  SHIM_REAL(opendir)
  return fails("opendir", path, -1) ? NULL : real(path);
}

DIR* fdopendir(int fd) {
  SHIM_REAL(fdopendir)
  return fails("fdopendir", NULL, fd) ? NULL : real(fd);
}

struct dirent* readdir(DIR* folder) {
  SHIM_REAL(readdir)
  return fails("readdir", NULL, dirfd(folder)) ? NULL : real(folder);
}

struct dirent64* readdir64(DIR* folder) {
  SHIM_REAL(readdir64)
  return fails("readdir", NULL, dirfd(folder)) ? NULL : real(folder);
}

#define NAMED(name, call, parameters, arguments, path, folder, what, from, to) \
  int name parameters {                                                        \
    SHIM_REAL(name)                                                            \
    if (fails(call, path, folder)) return -1;                                  \
    const int code = real arguments;                                           \
    if (code == 0) shim_record_names(what, from, to);                          \
    return code;                                                               \
  }
NAMED(rename, "rename", (const char* from, const char* to), (from, to), to, -1, "rename", from, to)
NAMED(renameat, "rename", (int a, const char* from, int b, const char* to), (a, from, b, to), to, b, "rename", from, to)
NAMED(renameat2, "renameat2", (int a, const char* from, int b, const char* to, unsigned flags), (a, from, b, to, flags),
      to, b, (flags & RENAME_EXCHANGE) != 0 ? "exchange" : "rename", from, to)
NAMED(link, "link", (const char* from, const char* to), (from, to), to, -1, "link", from, to)
NAMED(linkat, "link", (int a, const char* from, int b, const char* to, int flags), (a, from, b, to, flags), to, b,
      "link", from, to)
NAMED(symlink, "symlink", (const char* target, const char* path), (target, path), path, -1, "symlink", target, path)
NAMED(symlinkat, "symlink", (const char* target, int folder, const char* path), (target, folder, path), path, folder,
      "symlink", target, path)
NAMED(unlink, "unlink", (const char* path), (path), path, -1, "unlink", path, "")
NAMED(unlinkat, "unlink", (int folder, const char* path, int flags), (folder, path, flags), path, folder,
      (flags & AT_REMOVEDIR) != 0 ? "rmdir" : "unlink", path, "")
NAMED(remove, "unlink", (const char* path), (path), path, -1, "unlink", path, "")
NAMED(rmdir, "rmdir", (const char* path), (path), path, -1, "rmdir", path, "")
NAMED(mkdir, "mkdir", (const char* path, mode_t mode), (path, mode), path, -1, "mkdir", path, "")
NAMED(mkdirat, "mkdir", (int folder, const char* path, mode_t mode), (folder, path, mode), path, folder, "mkdir", path,
      "")
NAMED(chmod, "chmod", (const char* path, mode_t mode), (path, mode), path, -1, "chmod", path, "")
NAMED(truncate, "truncate", (const char* path, off_t length), (path, length), path, -1, "truncated", path, "")

char* getcwd(char* buffer, size_t size) {
  SHIM_REAL(getcwd)
  return fails("getcwd", NULL, -1) ? NULL : real(buffer, size);
}

char* realpath(const char* restrict path, char* restrict resolved) {
  SHIM_REAL(realpath)
  return fails("realpath", path, -1) ? NULL : real(path, resolved);
}
