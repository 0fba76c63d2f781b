// Memory that cannot be had. (libc's own names are called: to look them up would itself allocate.)
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>

#include "tests/campaign/shim/shim.h"

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* block, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

static bool refused(const char* call) { return shim_count(call, "memory", NULL, -1) == kShimFail; }

void* malloc(size_t bytes) { return refused("malloc") ? NULL : __libc_malloc(bytes); }
void* calloc(size_t count, size_t bytes) { return refused("calloc") ? NULL : __libc_calloc(count, bytes); }
void* realloc(void* block, size_t bytes) { return refused("realloc") ? NULL : __libc_realloc(block, bytes); }
void* memalign(size_t alignment, size_t bytes) {
  return refused("memalign") ? NULL : __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  return refused("aligned_alloc") ? NULL : __libc_memalign(alignment, bytes);
}
int posix_memalign(void** block, size_t alignment, size_t bytes) {
  const int before = errno;
  if (refused("posix_memalign")) {
    errno = before;
    return ENOMEM;
  }
  void* made = __libc_memalign(alignment, bytes);
  if (!made && bytes > 0) return ENOMEM;
  *block = made;
  return 0;
}
