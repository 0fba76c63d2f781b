// A disk that fails under a whole program: the kernel itself refuses chosen reads of it (seccomp).
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace resflow::testing {

// Runs `work`, in a thread in which, and in programs begun by which, each pread of just `bytes` bytes fails with
// `error`. False where the system has no such filters: then nothing is run.
template <class Work>
bool where_reads_fail(uint32_t bytes, uint32_t error, const Work& work) {
  bool able = false;
  std::thread([&] {
    const auto load = [](size_t offset) {
      return sock_filter(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)));
    };
    const auto skip_unless = [](uint32_t value, uint8_t steps) {
      return sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, steps));
    };
    std::array<sock_filter, 6> filter = {
        load(offsetof(seccomp_data, nr)),
        skip_unless(SYS_pread64, 3),
        load(offsetof(seccomp_data, args) + 2 * sizeof(uint64_t)),  // the lower half of a number, on small-endian CPUs
        skip_unless(bytes, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog program = {.len = static_cast<uint16_t>(filter.size()), .filter = filter.data()};
    able = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
    if (able) work();
  }).join();
  return able;
}

}  // namespace resflow::testing
