// Reading a .pth of 334 MB, as large as resnext101_64x4d's, from the page cache, and what the machine needs for its
// bytes alone: a pread and one copy to fresh memory, block by block.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/files/file.h"
#include "io/pth/pth.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr int kBlocks = 33;

std::vector<NamedArray> tensors() {
  std::vector<NamedArray> made;
  const auto add = [&](std::string name, DType dtype, Dims dims) {
    Array array(dtype, std::move(dims));
    for (size_t i = 0; i < array.bytes(); ++i) array.raw()[i] = static_cast<std::byte>(i * 7 + made.size());
    made.push_back({std::move(name), std::move(array)});
  };
  for (int b = 0; b < kBlocks; ++b) {
    const std::string block = "layer3." + std::to_string(b) + ".";
    add(block + "conv1.weight", DType::kF32, {1024, 1024, 1, 1});
    add(block + "conv2.weight", DType::kF32, {1024, 36, 3, 3});
    add(block + "conv3.weight", DType::kF32, {1024, 1152, 1, 1});
    for (const char* name : {"bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var"})
      add(block + name, DType::kF32, {1024});
    add(block + "bn1.num_batches_tracked", DType::kI64, {});
  }
  return made;
}

// Written once, removed at the end.
class File {
 public:
  File() {
    std::string folder = (fs::temp_directory_path() / "resflow-bench-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) std::abort();
    folder_ = folder;
    write_pth(tensors(), path());
  }
  ~File() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  std::string path() const { return (folder_ / "weights.pth").string(); }

 private:
  fs::path folder_;
};

const std::string& path() {
  static const File file;
  static const std::string path = file.path();
  return path;
}

void pread_and_copy(benchmark::State& state) {
  const InputFile file(path());
  const auto size = static_cast<size_t>(file.size());
  std::vector<uint8_t> block(size_t{1} << 20);
  for (auto _ : state) {
    const std::unique_ptr<uint8_t, decltype(&std::free)> to(static_cast<uint8_t*>(std::malloc(size)), std::free);
    for (size_t at = 0; at < size; at += block.size()) {
      const std::span<uint8_t> part = std::span(block).first(std::min(block.size(), size - at));
      file.read(static_cast<int64_t>(at), part);
      std::memcpy(to.get() + at, part.data(), part.size());
    }
    benchmark::DoNotOptimize(to.get());
  }
  state.SetBytesProcessed(static_cast<int64_t>(size) * state.iterations());
}
BENCHMARK(pread_and_copy)->Unit(benchmark::kMillisecond)->UseRealTime();

bool reads_what_was_written() {
  const std::vector<NamedArray> wanted = tensors();
  const Pth read = read_pth(path());
  bool same = read.tensors.size() == wanted.size();
  for (size_t i = 0; same && i < wanted.size(); ++i)
    same = read.tensors[i].name == wanted[i].name && read.tensors[i].array == wanted[i].array;
  return same;
}

void read_values(benchmark::State& state) {
  if (!reads_what_was_written()) return state.SkipWithError("what was read is not what was written");
  for (auto _ : state) {
    const Pth read = read_pth(path());
    benchmark::DoNotOptimize(read.tensors.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(fs::file_size(path())) * state.iterations());
}
BENCHMARK(read_values)->Unit(benchmark::kMillisecond)->UseRealTime();

void read_summary(benchmark::State& state) {
  if (read_pth_summary(path()).tensors.size() != tensors().size()) return state.SkipWithError("tensors are missing");
  for (auto _ : state) benchmark::DoNotOptimize(read_pth_summary(path()).tensors.data());
}
BENCHMARK(read_summary)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace resflow
