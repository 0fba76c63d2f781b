// A wall clock that is set otherwise: RESFLOW_SHIM_CLOCK is so many seconds on, or back.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "tests/campaign/shim/shim.h"

static long offset(void) {
  static long seconds = 0;
  static bool known = false;
  if (!known) {
    const char* text = getenv("RESFLOW_SHIM_CLOCK");
    seconds = text ? atol(text) : 0;
    known = true;
  }
  return seconds;
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  SHIM_REAL(clock_gettime)
  const int code = real(clock, now);
  if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset();
  return code;
}

time_t time(time_t* now) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (now) *now = exact.tv_sec;
  return exact.tv_sec;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  (void)zone;
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}
