#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "io/pth/pth.h"
#include "tests/io/expect_error.h"
#include "tests/io/files.h"
#include "tests/io/files/faulty_files.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::expect_error;
using testing::FaultyFiles;
using testing::random_array;
using testing::read_text;
using testing::TemporaryFolder;

std::vector<NamedArray> pth_tensors_of_every_kind() {
  return {{"weight", random_array(DType::kF32, {4, 3, 7, 7}, 1)},
          {"num_batches_tracked", random_array(DType::kI64, {}, 2)},
          {"bytes", random_array(DType::kU8, {13}, 3)},
          {"none", Array(DType::kF64, {2, 0, 4})},
          {"half", random_array(DType::kF16, {300, 1}, 4)},
          {"b\u00fccher", random_array(DType::kBF16, {5, 70000}, 5)},
          {"double", random_array(DType::kF64, {1, 1, 2}, 6)},
          {"int", random_array(DType::kI32, {256}, 7)}};
}

// As `pth_write.py make` left them.
std::vector<NamedArray> made_tensors(const std::string& list, const std::string& values) {
  std::vector<NamedArray> tensors;
  std::ifstream names(list), bytes(values, std::ios::binary);
  for (std::string line; std::getline(names, line);) {
    std::istringstream words(line);
    std::string name, dtype, sizes;
    words >> name >> dtype >> sizes;
    Dims dims;
    std::istringstream rest(sizes);
    for (std::string size; std::getline(rest, size, ',');) dims.push_back(std::stoll(size));
    Array array(dtype == "int64" ? DType::kI64 : DType::kF32, dims);
    bytes.read(reinterpret_cast<char*>(array.raw()), static_cast<std::streamsize>(array.bytes()));
    tensors.push_back({name, std::move(array)});
  }
  return tensors;
}

TEST(WritePth, PyTorchReadsItBackStrictlyAndToTheBit) {
  if (!testing::python_has({"torch", "torchvision"})) GTEST_SKIP() << "Debian's torch and torchvision are not there";
  const TemporaryFolder folder;
  testing::run_python("io/pth/pth_write.py", {"make", folder.path().string()});
  const std::vector<NamedArray> resnet = made_tensors(folder / "list.txt", folder / "values.bin");
  ASSERT_EQ(resnet.size(), 122U);
  write_pth(resnet, folder / "resnet18.pth");
  const std::vector<NamedArray> kinds = pth_tensors_of_every_kind();
  write_pth(kinds, folder / "kinds.pth");
  write_pth({}, folder / "nothing.pth");

  EXPECT_EQ(testing::run_python("io/pth/pth_write.py", {"check", folder.path().string()}),
            "weight float32 [4, 3, 7, 7]\n"
            "num_batches_tracked int64 []\n"
            "bytes uint8 [13]\n"
            "none float64 [2, 0, 4]\n"
            "half float16 [300, 1]\n"
            "b\u00fccher bfloat16 [5, 70000]\n"
            "double float64 [1, 1, 2]\n"
            "int int32 [256]\n");
  for (const auto& [name, array] : kinds) EXPECT_EQ(read_text(folder / (name + ".bin")), bytes_of(array)) << name;
}

TEST(WritePth, IsTheSameFileForTheSameContent) {
  const TemporaryFolder folder;
  write_pth(pth_tensors_of_every_kind(), folder / "a.pth");
  write_pth(pth_tensors_of_every_kind(), folder / "b.pt");
  EXPECT_EQ(read_text(folder / "a.pth"), read_text(folder / "b.pt"));
}

TEST(WritePth, ComesBackWithEveryBitAndInOrder) {
  const TemporaryFolder folder;
  write_pth(pth_tensors_of_every_kind(), folder / "m.pth");
  const Pth read = read_pth(folder / "m.pth");
  const std::vector<NamedArray> wanted = pth_tensors_of_every_kind();
  ASSERT_EQ(read.tensors.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(read.tensors[i].name, wanted[i].name);
    EXPECT_TRUE(read.tensors[i].array == wanted[i].array) << wanted[i].name;
  }
  EXPECT_FALSE(read.summary.legacy);
}

TEST(WritePth, RefusesNamesThatPyTorchCannotHave) {
  const TemporaryFolder folder;
  const Array array(DType::kF32, {1});
  expect_error(ErrorKind::kUsage, {"w?", "no UTF-8"}, [&] { write_pth({{"w\xFF", array}}, folder / "m.pth"); });
  expect_error(ErrorKind::kInternal, {"w", "twice"}, [&] {
    write_pth({{"w", array}, {"w", array}}, folder / "m.pth");
  });
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(WritePth, AFullDiskLeavesThePreviousOne) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.pth";
  const std::vector<NamedArray> small = {{"a", random_array(DType::kF32, {3}, 1)},
                                         {"b", random_array(DType::kI64, {}, 2)}};
  write_pth(small, path);
  const std::string previous = read_text(path);
  FaultyFiles counting;
  write_pth(small, folder / "count", counting);
  const std::string size = std::to_string(fs::file_size(folder / "count"));
  for (const char* call : {"write", "pwrite"}) {
    const int calls = counting.calls(call);
    ASSERT_GT(calls, 5);
    for (int nth = 1; nth <= calls; ++nth) {
      FaultyFiles files;
      files.fail(call, nth, ENOSPC);
      expect_error(ErrorKind::kSystem, {path, "disk is full", size + " bytes needed", "previous file is unchanged"},
                   [&] { write_pth(small, path, files); });
      EXPECT_FALSE(fs::exists(path + ".partial"));
    }
  }
  EXPECT_EQ(read_text(path), previous);
}

TEST(WritePth, SaysThatThereIsNoFolder) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::kUsage, {folder / "absent"}, [&] { write_pth({}, folder / "absent/m.pth"); });
}

}  // namespace
}  // namespace resflow
