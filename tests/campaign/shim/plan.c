// Which calls count, which of them is met, and what happens to it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/campaign/shim/shim.h"

static const char* g_calls = "";
static const char* g_under = "";
static const char* g_report = NULL;
static const char* g_then = "";
static long g_at = 0;
static bool g_trace = false, g_short = false;
static int g_error = 0, g_signal = 0;

static atomic_bool g_in_main = false;
static atomic_long g_count = 0;
static _Thread_local int t_depth __attribute__((tls_model("initial-exec"))) = 0;

void shim_enter(void) { ++t_depth; }
void shim_leave(void) { --t_depth; }
bool shim_is_active(void) { return t_depth == 0 && atomic_load_explicit(&g_in_main, memory_order_relaxed); }

static const char* setting(const char* name) {
  const char* value = getenv(name);
  return value ? value : "";
}

void shim_begin(void) {
  g_calls = setting("RESFLOW_SHIM_CALLS");
  g_under = setting("RESFLOW_SHIM_UNDER");
  g_report = getenv("RESFLOW_SHIM_REPORT");
  g_at = atol(setting("RESFLOW_SHIM_AT"));
  g_then = setting("RESFLOW_SHIM_THEN");
  g_trace = strcmp(setting("RESFLOW_SHIM_TRACE"), "1") == 0;
  const char* what = setting("RESFLOW_SHIM_DO");
  if (strncmp(what, "error:", 6) == 0) g_error = atoi(what + 6);
  if (strncmp(what, "signal:", 7) == 0) g_signal = atoi(what + 7);
  g_short = strcmp(what, "short") == 0;
  shim_begin_memory();
  atomic_store(&g_in_main, true);
}

// Through the kernel alone: the library's own calls must not meet themselves.
static void report(const char* format, const char* call, long k, const char* path) {
  if (!g_report) return;
  char line[4600];
  const int length = snprintf(line, sizeof line, format, k, call, path);
  const long fd = syscall(SYS_openat, AT_FDCWD, g_report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  syscall(SYS_write, fd, line, length < (int)sizeof line ? (size_t)length : sizeof line - 1);
  syscall(SYS_close, fd);
}

void shim_end(void) {
  if (!atomic_exchange(&g_in_main, false)) return;
  const int before = errno;
  report("count %ld%s%s\n", "", atomic_load(&g_count), "");
  errno = before;
}

static bool is_listed(const char* list, const char* call, const char* group) {
  for (const char* at = list; *at;) {
    const size_t length = strcspn(at, ",");
    if ((strlen(call) == length && strncmp(at, call, length) == 0) ||
        (strlen(group) == length && strncmp(at, group, length) == 0))
      return true;
    at += length + (at[length] == ',');
  }
  return false;
}

// The path of a descriptor, as the kernel names it.
static const char* path_of(const char* path, int fd, char* buffer, size_t size) {
  if (path && path[0] == '/') return path;
  if (fd < 0) return path ? path : "-";
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const long length = syscall(SYS_readlinkat, AT_FDCWD, link, buffer, size - 1);
  if (length < 0) return "-";
  buffer[length] = 0;
  return buffer;
}

enum shim_verdict shim_count(const char* call, const char* group, const char* path, int fd) {
  if (!shim_is_active() || !*g_calls || !is_listed(g_calls, call, group)) return kShimPass;
  shim_enter();
  const int before = errno;
  char buffer[4096];
  const char* name = *g_under ? path_of(path, fd, buffer, sizeof buffer) : NULL;
  enum shim_verdict verdict = kShimPass;
  if (!name || strncmp(name, g_under, strlen(g_under)) == 0) {
    const long k = atomic_fetch_add(&g_count, 1) + 1;
    const bool met = g_at > 0 && (k == g_at || (k > g_at && is_listed(g_then, call, group)));
    if (g_trace) report("call %ld %s %s\n", call, k, path_of(path, fd, buffer, sizeof buffer));
    if (met && k == g_at) report("hit %ld %s %s\n", call, k, path_of(path, fd, buffer, sizeof buffer));
    if (met && g_signal) syscall(SYS_kill, getpid(), g_signal);
    if (met && g_error) verdict = kShimFail;
    if (met && g_short) verdict = kShimShort;
  }
  shim_leave();
  errno = verdict == kShimFail ? g_error : before;
  return verdict;
}
