// Writes the first inputs of the fuzz targets: seeds FOLDER makes FOLDER/TARGET/NAME. The same ones each time.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "io/checkpoint.h"
#include "io/pth.h"
#include "io/safetensors.h"
#include "io/zip_archive.h"

namespace {

using namespace resflow;
namespace fs = std::filesystem;

Array ramp(DType dtype, const Dims& dims) {
  Array array(dtype, dims);
  for (size_t i = 0; i < array.bytes(); ++i) array.raw()[i] = static_cast<std::byte>(i + 1);
  return array;
}

std::vector<NamedArray> tensors_of_every_kind() {
  return {{"conv1.weight", ramp(DType::kF32, {2, 1, 3, 3})},
          {"bn1.num_batches_tracked", ramp(DType::kI64, {})},
          {"bytes", ramp(DType::kU8, {5})},
          {"half", ramp(DType::kF16, {3, 1})},
          {"brain", ramp(DType::kBF16, {3})},
          {"double", ramp(DType::kF64, {1})},
          {"int", ramp(DType::kI32, {2})},
          {"none", ramp(DType::kF32, {0, 4})}};
}

Checkpoint checkpoint_with_all() {
  Checkpoint checkpoint;
  checkpoint.model = {.architecture = "resnet50",
                      .num_classes = 2,
                      .zero_init_residual = true,
                      .replace_stride_with_dilation = {false, true, true},
                      .groups = 32,
                      .width_per_group = 4};
  checkpoint.classes = {"ant", "bee"};
  checkpoint.parameters = tensors_of_every_kind();
  checkpoint.optimizer = {{"conv1.weight/exp_avg", ramp(DType::kF32, {2, 1, 3, 3})}};
  checkpoint.optimizer_name = "adam";
  checkpoint.training.seed = 7;
  checkpoint.training.history.resize(2);
  checkpoint.training.options = {{"--lr", "0.001"}};
  checkpoint.training.fingerprint = "a machine";
  return checkpoint;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// The pickle of a .pth by itself.
std::string pickle_in(const std::string& path) {
  const ZipArchive archive(path);
  const ZipEntry& entry = *archive.find("archive/data.pkl");
  const std::vector<uint8_t> bytes = archive.read(entry, entry.bytes);
  return {bytes.begin(), bytes.end()};
}

// What follows the fixed start of a legacy file with one tensor of 2 f32: the state dict, the keys of its storages, and
// the storage's count and values.
std::string legacy_rest(std::string pickle) {
  pickle.insert(pickle.find("tQ"), "N");  // legacy storages may be views, this one is not
  using namespace std::string_literals;
  return pickle + "\x80\x02]X\x01\0\0\0"s + "0a." + "\2\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x08"s;
}

// What follows the fixed start of a legacy file: an object with a tensor and a view of it, the storages' keys, a
// storage.
void write_legacy_object(const std::string& path) {
  static constexpr char kBytes[] =
      "\x80\x02}(X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n("
      "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0kX\3\0\0\0cpuK\4NtQ"
      "K\0K\2K\2\x86K\2K\1\x86\x89}tRX\1\0\0\0vctorch._utils\n_rebuild_tensor\n("
      "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0kX\3\0\0\0cpuK\4X\1\0\0\0pK\1K\3\x87tQ"
      "K\1K\2\x85K\1\x85tRu."
      "\x80\x02]X\1\0\0\0ka."
      "\4\0\0\0\0\0\0\0abcdefghijklmnop";
  std::ofstream(path, std::ios::binary).write(kBytes, sizeof kBytes - 1);
}

// A whole file, cut ones, and some with a byte that is wrong.
void spoil(const std::string& path) {
  const std::string whole = bytes_of(path);
  const auto write = [&](const std::string& name, const std::string& bytes) { write_bytes(path + name, bytes); };
  for (const size_t share : {1, 2, 3}) write("-cut" + std::to_string(share), whole.substr(0, whole.size() * share / 4));
  for (const size_t at : {size_t{0}, size_t{9}, whole.size() / 3, whole.size() - 1}) {
    std::string wrong = whole;
    wrong[at] = static_cast<char>(wrong[at] ^ 0x11);
    write("-wrong" + std::to_string(at), wrong);
  }
}

}  // namespace

int main(int, char** argv) {
  const std::string folder = argv[1];
  for (const char* target : {"safetensors", "checkpoint", "pickle"}) fs::create_directories(folder + "/" + target);
  const std::vector<NamedArray> all = tensors_of_every_kind(), one = {{"w", ramp(DType::kF32, {2})}};
  write_safetensors(all, {{"format", "pt"}, {"classes", "[\"ant\",\"bee\"]"}}, folder + "/safetensors/all");
  write_safetensors(one, {}, folder + "/safetensors/one");
  write_safetensors({}, {}, folder + "/safetensors/none");
  save_checkpoint(checkpoint_with_all(), folder + "/checkpoint/all");
  save_checkpoint({}, folder + "/checkpoint/none");
  Checkpoint scored;
  scored.model.architecture = "resnet18";
  scored.parameters = one;
  save_checkpoint(scored, folder + "/checkpoint/one");
  write_pth(all, folder + "/pickle/all");
  write_pth(one, folder + "/pickle/one");
  write_pth({}, folder + "/pickle/none");
  write_legacy_object(folder + "/pickle/object");
  write_bytes(folder + "/pickle/bare-all", pickle_in(folder + "/pickle/all"));
  write_bytes(folder + "/pickle/legacy-one", legacy_rest(pickle_in(folder + "/pickle/one")));
  for (const char* seed : {"safetensors/all", "safetensors/one", "checkpoint/all", "checkpoint/one", "pickle/all",
                           "pickle/one", "pickle/object"})
    spoil(folder + "/" + seed);
  return 0;
}
