// Threads that cannot be made, and waits that are cut short.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/file.h>

#include "tests/campaign/shim/shim.h"

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*), void* argument) {
  SHIM_REAL(pthread_create)
  const int before = errno;
  if (shim_count("pthread_create", "threads", NULL, -1) == kShimFail) {
    const int error = errno;
    errno = before;
    return error;
  }
  return real(thread, attributes, body, argument);
}

int poll(struct pollfd* fds, nfds_t count, int timeout) {
  SHIM_REAL(poll)
  return shim_count("poll", "files", NULL, count > 0 ? fds[0].fd : -1) == kShimFail ? -1 : real(fds, count, timeout);
}

int flock(int fd, int operation) {
  SHIM_REAL(flock)
  return shim_count("flock", "files", NULL, fd) == kShimFail ? -1 : real(fd, operation);
}
