// The values of tensors: each storage is read once, in the file's order, by blocks that are summed up and handed out
// while they are in the processor's cache.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/formats/zip_archive.h"
#include "io/pth/file.h"

namespace resflow {
namespace {

constexpr uint64_t kBlock = 1 << 20;
// More would wait for the memory, not for the processor.
constexpr unsigned kMaxThreads = 4;
constexpr uint64_t kWorthAThread = 16 << 20;

std::span<uint8_t> bytes_of(Array& array) { return {reinterpret_cast<uint8_t*>(array.raw()), array.bytes()}; }

// Copies the elements of a view, in the order of their indices. REQUIRES: the view lies within `storage`, and is not
// contiguous.
template <class T>
void gather(const PthTensor& tensor, std::span<const uint8_t> storage, std::span<uint8_t> to) {
  const Dims &dims = tensor.dims, &strides = tensor.strides;
  const size_t last = dims.size() - 1;
  Dims index(dims.size());
  // The element that the innermost run begins with. A dim of 1 may have any stride, which is added and taken off again:
  // unsigned numbers come back where signed ones would overflow.
  uint64_t row = 0;
  for (size_t done = 0; done < to.size();) {
    const uint8_t* from = storage.data() + tensor.offset + row * sizeof(T);
    for (int64_t i = 0; i < dims[last]; ++i, done += sizeof(T))
      std::memcpy(to.data() + done, from + static_cast<uint64_t>(i) * static_cast<uint64_t>(strides[last]) * sizeof(T),
                  sizeof(T));
    for (size_t d = last; d > 0; --d) {
      const auto stride = static_cast<uint64_t>(strides[d - 1]);
      row += stride;
      if (++index[d - 1] < dims[d - 1]) break;
      row -= static_cast<uint64_t>(index[d - 1]) * stride;
      index[d - 1] = 0;
    }
  }
}

void gather(const PthTensor& tensor, std::span<const uint8_t> storage, std::span<uint8_t> to) {
  switch (dtype_bytes(tensor.dtype)) {
    case 1:
      return gather<uint8_t>(tensor, storage, to);
    case 2:
      return gather<uint16_t>(tensor, storage, to);
    case 4:
      return gather<uint32_t>(tensor, storage, to);
    default:
      return gather<uint64_t>(tensor, storage, to);
  }
}

class ValuesReader {
 public:
  explicit ValuesReader(const PthFile& file) : file_(file), in_(file.path), made_(file.tensors.size()) {
    std::map<std::pair<uint64_t, size_t>, std::vector<size_t>> by_place;
    for (size_t i = 0; i < file_.tensors.size(); ++i) {
      const size_t storage = file_.tensors[i].storage;
      by_place[{file_.storages[storage].offset, storage}].push_back(i);
    }
    for (auto& [place, tensors] : by_place) {
      bytes_ += file_.storages[place.second].bytes();
      // Made by the calling thread: its heap keeps what was freed before, a helper's goes with the helper.
      for (const size_t i : tensors)
        made_[i] = {file_.tensors[i].name, Array::unset(file_.tensors[i].dtype, file_.tensors[i].dims)};
      jobs_.push_back({place.second, std::move(tensors)});
    }
  }

  std::vector<NamedArray> read() {
    std::vector<std::thread> helpers;
    const auto most = std::min<uint64_t>(std::min(std::thread::hardware_concurrency(), kMaxThreads),
                                         std::min<uint64_t>(bytes_ / kWorthAThread, jobs_.size()));
    try {
      for (uint64_t i = 1; i < most; ++i) helpers.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      // Fewer helpers do it, too.
    }
    work();
    for (std::thread& helper : helpers) helper.join();
    if (failure_) std::rethrow_exception(failure_);
    return std::move(made_);
  }

 private:
  struct Job {
    size_t storage = 0;
    std::vector<size_t> tensors;  // that are views of it
  };

  void work() {
    try {
      for (size_t i = next_++; i < jobs_.size(); i = next_++) run(jobs_[i]);
    } catch (...) {
      next_ = jobs_.size();
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  void run(const Job& job) {
    const PthStorage& storage = file_.storages[job.storage];
    bool contiguous = true;
    for (const size_t i : job.tensors) contiguous &= file_.tensors[i].contiguous();
    const Array& first = made_[job.tensors[0]].array;
    if (!contiguous) {
      Array values = Array::unset(DType::kU8, {static_cast<int64_t>(storage.bytes())});
      read_whole(job, bytes_of(values));
      for (const size_t i : job.tensors) {
        const PthTensor& tensor = file_.tensors[i];
        const std::span<uint8_t> to = bytes_of(made_[i].array);
        if (!tensor.contiguous()) {
          gather(tensor, bytes_of(values), to);
        } else if (!to.empty()) {
          std::memcpy(to.data(), values.raw() + tensor.offset, to.size());
        }
      }
    } else if (job.tensors.size() == 1 && first.bytes() == storage.bytes()) {
      read_whole(job, bytes_of(made_[job.tensors[0]].array));
    } else {
      hand_out(job);
    }
  }

  // Calls `use(at, block)` with the storage's bytes, block by block, after reading them to where `to(at, count)` says.
  template <class To, class Use>
  void read_blocks(const Job& job, To to, Use use) const {
    const PthStorage& storage = file_.storages[job.storage];
    uint32_t crc32 = 0;
    for (uint64_t at = 0; at < storage.bytes(); at += kBlock) {
      const std::span<uint8_t> block = to(at, std::min(kBlock, storage.bytes() - at));
      in_.read(static_cast<int64_t>(storage.offset + at), block);
      if (storage.crc32) crc32 = zip_crc32(crc32, block.data(), block.size());
      use(at, block);
    }
    if (storage.crc32 && crc32 != *storage.crc32) {
      throw data_error("{}: {}: damaged: the checksum of its storage {} differs", file_.path,
                       printable(file_.tensors[job.tensors[0]].name), printable(storage.key));
    }
  }

  void read_whole(const Job& job, std::span<uint8_t> whole) const {
    read_blocks(
        job, [&](uint64_t at, uint64_t count) { return whole.subspan(at, count); },
        [](uint64_t, std::span<const uint8_t>) {});
  }

  // Reads a storage that contiguous tensors are parts of, without keeping it.
  void hand_out(const Job& job) {
    std::vector<uint8_t> block(std::min(kBlock, file_.storages[job.storage].bytes()));
    read_blocks(
        job, [&](uint64_t, uint64_t count) { return std::span(block).first(count); },
        [&](uint64_t at, std::span<const uint8_t> bytes) {
          for (const size_t i : job.tensors) {
            const std::span<uint8_t> to = bytes_of(made_[i].array);
            const uint64_t begin = file_.tensors[i].offset;
            const uint64_t first = std::max(at, begin), end = std::min(at + bytes.size(), begin + to.size());
            if (first < end) std::memcpy(to.data() + (first - begin), bytes.data() + (first - at), end - first);
          }
        });
  }

  const PthFile& file_;
  InputFile in_;
  std::vector<NamedArray> made_;
  std::vector<Job> jobs_;
  uint64_t bytes_ = 0;
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

}  // namespace

std::vector<NamedArray> read_pth_values(const PthFile& file) { return ValuesReader(file).read(); }

}  // namespace resflow
