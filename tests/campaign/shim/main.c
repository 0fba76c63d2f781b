// The program's main, between a beginning and an end.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>

#include "tests/campaign/shim/shim.h"

typedef int (*Main)(int, char**, char**);

static Main g_main;

static int main_of_the_shim(int argc, char** argv, char** environment) {
  shim_begin();
  const int code = g_main(argc, argv, environment);
  shim_end();
  return code;
}

int __libc_start_main(Main main, int argc, char** argv, void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
                      void* stack_end) {
  int (*real)(Main, int, char**, void (*)(void), void (*)(void), void (*)(void), void*);
  *(void**)&real = dlsym(RTLD_NEXT, "__libc_start_main");
  g_main = main;
  return real(main_of_the_shim, argc, argv, init, fini, rtld_fini, stack_end);
}
