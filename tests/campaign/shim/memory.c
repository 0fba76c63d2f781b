// Memory that cannot be had. (libc's own names are called: to look them up would itself allocate.)
//
// What some libraries allocate for themselves is left alone: they go on with null pointers, which no program can mend.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#undef strdup
#undef strndup

#include "tests/campaign/shim/shim.h"

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* block, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

static struct { uintptr_t begin, end; } g_spared[64];
static int g_spared_count = 0;
// Who called operator new: malloc is called by libstdc++ then.
static _Thread_local void* t_caller __attribute__((tls_model("initial-exec"))) = NULL;

static int spare(struct dl_phdr_info* library, size_t size, void* names) {
  (void)size;
  for (const char* at = names; *at;) {
    const size_t length = strcspn(at, ",");
    char name[64] = "/";
    if (length > 0 && length < sizeof name - 1) strncat(name, at, length);
    at += length + (at[length] == ',');
    if (length == 0 || !strstr(library->dlpi_name, name)) continue;
    for (int i = 0; i < library->dlpi_phnum && g_spared_count < 64; ++i) {
      const ElfW(Phdr)* part = &library->dlpi_phdr[i];
      if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0) continue;
      g_spared[g_spared_count].begin = library->dlpi_addr + part->p_vaddr;
      g_spared[g_spared_count].end = library->dlpi_addr + part->p_vaddr + part->p_memsz;
      ++g_spared_count;
    }
  }
  return 0;
}

void shim_begin_memory(void) {
  char* names = getenv("RESFLOW_SHIM_SPARE");
  if (names) dl_iterate_phdr(spare, names);
}

static bool refused(const char* call, void* caller) {
  if (t_caller) caller = t_caller;
  t_caller = NULL;
  if (!shim_is_active()) return false;
  for (int i = 0; i < g_spared_count; ++i)
    if ((uintptr_t)caller >= g_spared[i].begin && (uintptr_t)caller < g_spared[i].end) return false;
  return shim_count(call, "memory", NULL, -1) == kShimFail;
}

#define CALLER __builtin_return_address(0)

void* malloc(size_t bytes) { return refused("malloc", CALLER) ? NULL : __libc_malloc(bytes); }
void* calloc(size_t count, size_t bytes) { return refused("calloc", CALLER) ? NULL : __libc_calloc(count, bytes); }
void* realloc(void* block, size_t bytes) { return refused("realloc", CALLER) ? NULL : __libc_realloc(block, bytes); }
void* memalign(size_t alignment, size_t bytes) {
  return refused("memalign", CALLER) ? NULL : __libc_memalign(alignment, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  return refused("aligned_alloc", CALLER) ? NULL : __libc_memalign(alignment, bytes);
}
int posix_memalign(void** block, size_t alignment, size_t bytes) {
  const int before = errno;
  if (refused("posix_memalign", CALLER)) {
    errno = before;
    return ENOMEM;
  }
  void* made = __libc_memalign(alignment, bytes);
  if (!made && bytes > 0) return ENOMEM;
  *block = made;
  return 0;
}

// What libc allocates for a library is that library's.
#define COPY(name, parameters, arguments) \
  char* name parameters {                 \
    SHIM_REAL(name)                       \
    t_caller = CALLER;                    \
    char* made = real arguments;          \
    t_caller = NULL;                      \
    return made;                          \
  }
COPY(strdup, (const char* text), (text))
COPY(strndup, (const char* text, size_t bytes), (text, bytes))

// operator new in its forms, by the names that C++ gives them. An exception passes through.
#define NEW(name, parameters, arguments) \
  void* name parameters;                 \
  void* name parameters {                \
    SHIM_REAL(name)                      \
    t_caller = CALLER;                   \
    void* made = real arguments;         \
    t_caller = NULL;                     \
    return made;                         \
  }
NEW(_Znwm, (size_t bytes), (bytes))
NEW(_Znam, (size_t bytes), (bytes))
NEW(_ZnwmRKSt9nothrow_t, (size_t bytes, const void* nothrow), (bytes, nothrow))
NEW(_ZnamRKSt9nothrow_t, (size_t bytes, const void* nothrow), (bytes, nothrow))
NEW(_ZnwmSt11align_val_t, (size_t bytes, size_t alignment), (bytes, alignment))
NEW(_ZnamSt11align_val_t, (size_t bytes, size_t alignment), (bytes, alignment))
