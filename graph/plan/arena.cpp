#include "graph/plan/arena.h"

#include <oneapi/tbb/parallel_for.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "io/core/error.h"

namespace resflow {
namespace {
constexpr size_t kHugePage = size_t{2} << 20U;
constexpr size_t kPage = 4096;
}  // namespace

Arena::Arena(size_t bytes, const Compute& compute) : bytes_(bytes) {
  mapped_ = (bytes + kHugePage - 1) / kHugePage * kHugePage + kHugePage;
  mapping_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping_ == MAP_FAILED)
    throw system_error("{} MiB of memory are not to be had ({}); take a smaller batch or image", bytes >> 20U,
                       std::strerror(errno));
  const auto start = reinterpret_cast<uintptr_t>(mapping_);
  data_ = static_cast<std::byte*>(mapping_) + (kHugePage - start % kHugePage) % kHugePage;
  madvise(data_, mapped_ - kHugePage, MADV_HUGEPAGE);  // a wish: without it the arena is slower, not wrong
  compute.run([&] {
    tbb::parallel_for(size_t{0}, (bytes_ + kHugePage - 1) / kHugePage, [&](size_t chunk) {
      const size_t end = std::min(bytes_, (chunk + 1) * kHugePage);
      for (size_t at = chunk * kHugePage; at < end; at += kPage) data_[at] = std::byte{0};
    });
  });
}

Arena::~Arena() { munmap(mapping_, mapped_); }

}  // namespace resflow
