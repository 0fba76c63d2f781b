// campaign_shim: a library that is loaded before libc (LD_PRELOAD) and makes calls of a program fail, ends the program
// at one of them, or writes down what it does to files. tests/campaign/shim.py says what to do, by the environment:
//
//   RESFLOW_SHIM_CALLS   which calls count: names of calls, or groups (files, memory, threads), with commas between
//   RESFLOW_SHIM_UNDER   of calls on files, only those on a path that begins so [all]
//   RESFLOW_SHIM_AT      the k-th call that counts, from 1, meets what DO says
//   RESFLOW_SHIM_THEN    these calls meet it from then on, too [none: it is met once]
//   RESFLOW_SHIM_DO      error:ERRNO, short (half of what was asked for is read or written), signal:NUMBER
//   RESFLOW_SHIM_REPORT  this file gets a line "hit K CALL PATH" at the first call that is met, and "count N" at the
//   end RESFLOW_SHIM_TRACE   1: the report gets a line "call K CALL PATH" for each call that counts RESFLOW_SHIM_RECORD
//   this file gets all that changes files, with the data (record.c)
//
// Nothing counts before main begins and after it returns, and nothing that the library itself calls. It allocates no
// memory and leaves no descriptor open but the record's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// The function of this name that comes after the library's own, as `real`.
#define SHIM_REAL(name)                       \
  static __typeof__(&name) real;              \
  if (!real) {                                \
    shim_enter();                             \
    *(void**)&real = dlsym(RTLD_NEXT, #name); \
    shim_leave();                             \
  }

enum shim_verdict { kShimPass, kShimFail, kShimShort };

// Whether the program is in its main, and this thread not within the library.
bool shim_is_active(void);
void shim_enter(void);
void shim_leave(void);

// Called by the library's main before and after the program's.
void shim_begin(void);
void shim_end(void);
void shim_begin_memory(void);

// Counts a call. errno is set where the verdict is kShimFail. `path` may be null, `fd` -1.
enum shim_verdict shim_count(const char* call, const char* group, const char* path, int fd);

// What happened to files. Each is called after the call has succeeded.
bool shim_records(void);
void shim_record_open(const char* path, int flags, int fd);
void shim_record_data(int fd, const void* data, size_t bytes, off_t offset);  // offset -1: the descriptor's place
void shim_record_fd(const char* what, int fd, off_t length);                  // fsync, truncate
void shim_record_names(const char* what, const char* from, const char* to);
