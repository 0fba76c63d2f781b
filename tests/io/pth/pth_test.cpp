// Covers: io/pth/imports io/pth/legacy io/pth/state_dict io/pth/values io/pth/zip
#include "io/pth/pth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/io/expect_error.h"
#include "tests/io/files.h"
#include "tests/support/files.h"
#include "tests/support/memory_file.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::bytes_of;
using testing::expect_error;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

std::vector<std::string> split(const std::string& line, char at) {
  std::vector<std::string> parts;
  std::stringstream stream(line + at);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

Dims dims_of(const std::string& text) {
  Dims dims;
  if (text.empty()) return dims;
  for (const std::string& size : split(text, ',')) dims.push_back(std::stoll(size));
  return dims;
}

// Files by tests/io/pth/make_pth.py, made once for all tests. Those that another PyTorch has made are tested by
// RESFLOW_PTH_FILES=FOLDER.
class PthFiles : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const char* made = std::getenv("RESFLOW_PTH_FILES");
    if (made == nullptr && !testing::python_has({"torch", "torchvision", "numpy"})) return;
    folder_ = std::make_unique<TemporaryFolder>();
    if (made != nullptr) {
      fs::copy(made, *folder_ / "made", fs::copy_options::recursive);
    } else {
      testing::run_python("io/pth/make_pth.py", {*folder_ / "made"});
    }
  }
  static void TearDownTestSuite() { folder_.reset(); }

  void SetUp() override {
    if (!folder_) GTEST_SKIP() << "needs python3-torch and python3-torchvision";
  }

  static std::string good(const std::string& name) { return *folder_ / ("made/good/" + name); }
  static std::string bad(const std::string& name) { return *folder_ / ("made/bad/" + name + ".pth"); }

  // Both forms of a file are refused with an error that says so, by its summary and by its values.
  static void expect_refused(const std::string& name, const std::vector<std::string>& parts) {
    SCOPED_TRACE(name);
    std::vector<std::string> all = parts;
    all.push_back(bad(name) + ": ");
    expect_error(ErrorKind::kData, all, [&] { read_pth_summary(bad(name)); });
    expect_error(ErrorKind::kData, all, [&] { read_pth(bad(name)); });
  }
  static void expect_both_refused(const std::string& name, const std::vector<std::string>& parts) {
    expect_refused(name, parts);
    expect_refused(name + "_legacy", parts);
  }

  static bool ran() { return fs::exists(*folder_ / "made/ran"); }

  static std::unique_ptr<TemporaryFolder> folder_;
};
std::unique_ptr<TemporaryFolder> PthFiles::folder_;

// Compares with what PyTorch said: NAME.txt and NAME.bin beside NAME.pth.
void expect_as_listed(const std::string& stem) {
  SCOPED_TRACE(stem);
  EXPECT_TRUE(is_pth(stem + ".pth"));
  const PthSummary summary = read_pth_summary(stem + ".pth");
  const Pth read = read_pth(stem + ".pth");
  std::ifstream text(stem + ".txt");
  std::string line;
  ASSERT_TRUE(std::getline(text, line));
  const auto head = split(line, '|');
  for (const PthSummary* one : {&summary, &read.summary}) {
    EXPECT_EQ(one->legacy, head.at(0) == "legacy");
    EXPECT_EQ(one->found_under, head.at(1));
    EXPECT_EQ(one->prefix, head.at(2));
  }
  const std::string values = read_text(stem + ".bin");
  size_t i = 0, at = 0;
  for (; std::getline(text, line); ++i) {
    const auto parts = split(line, '|');
    const Dims dims = dims_of(parts.at(2));
    ASSERT_LT(i, read.tensors.size());
    for (const PthSummary* one : {&summary, &read.summary}) {
      ASSERT_LT(i, one->tensors.size());
      EXPECT_EQ(one->tensors[i].name, parts[0]);
      EXPECT_EQ(dtype_name(one->tensors[i].dtype), parts[1]);
      EXPECT_EQ(one->tensors[i].dims, dims);
    }
    const auto& [name, array] = read.tensors[i];
    EXPECT_EQ(name, parts[0]);
    EXPECT_EQ(dtype_name(array.dtype()), parts[1]);
    EXPECT_EQ(array.dims(), dims);
    EXPECT_TRUE(bytes_of(array) == values.substr(at, array.bytes())) << name;
    at += array.bytes();
  }
  EXPECT_EQ(read.tensors.size(), i);
  EXPECT_EQ(summary.tensors.size(), i);
  EXPECT_EQ(at, values.size());
}

TEST_F(PthFiles, ReadsWhatPyTorchWrites) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(good(""))) {
    if (entry.path().extension() != ".pth") continue;
    expect_as_listed(entry.path().parent_path() / entry.path().stem());
    ++files;
  }
  EXPECT_EQ(files, 38);
}

TEST_F(PthFiles, RefusesImportsByNameAndRunsNothing) {
  expect_both_refused("system", {"posix.system", "refuses", "state_dict()"});
  expect_both_refused("eval", {"__builtin__.eval"});
  expect_both_refused("numpy_array", {"without tensors that resflow reads", "w is made by numpy.", "_reconstruct"});
  expect_refused("getattr", {"__builtin__.getattr"});
  expect_refused("system_4", {"posix.system"});
  for (const char* protocol : {"0", "2", "4"})
    expect_refused(std::string("plain_system_") + protocol, {"posix.system", "refuses"});
  expect_refused("sparse", {"torch._utils._rebuild_sparse_tensor"});
  expect_refused("quantized", {"torch._utils._rebuild_qtensor"});
  EXPECT_FALSE(ran());
}

TEST_F(PthFiles, ListsEveryDictionaryOfTensors) {
  const std::vector<TensorGroup> nested = list_pth(bad("nested")).groups;
  ASSERT_EQ(nested.size(), 1U);  // the file has the same dictionary under a second key
  EXPECT_EQ(nested[0].key, "generator");
  EXPECT_EQ(nested[0].tensors.size(), 2U);
  EXPECT_EQ(read_pth(bad("nested"), "generator").tensors.size(), 2U);
  EXPECT_EQ(read_pth_summary(bad("nested"), "generator").found_under, "generator");
  expect_error(ErrorKind::kData, {"no dictionary of tensors under critic"}, [] { read_pth(bad("nested"), "critic"); });
  const std::vector<TensorGroup> deep = list_pth(bad("nested_deep")).groups;
  ASSERT_EQ(deep.size(), 2U);
  EXPECT_EQ(deep[1].key, "state_dict.inner");
  EXPECT_TRUE(list_pth(bad("no_tensors")).groups.empty());
  // A tensor that cannot be read is not listed.
  ASSERT_EQ(list_pth(bad("int16")).groups.size(), 1U);
  EXPECT_EQ(list_pth(bad("int16")).groups[0].tensors.size(), 1U);
}

TEST_F(PthFiles, SaysWhatIsNoStateDict) {
  expect_both_refused("module", {"object of class torchvision.models.resnet.ResNet", "state_dict()"});
  expect_both_refused("modules", {"object of class torch.nn.modules.linear.Linear"});
  expect_refused("torchscript", {"TorchScript", "torch.jit.load", "state_dict()"});
  expect_refused("tar", {"tar form", "0.1.10"});
  expect_refused("plain_pickle", {"none of torch.save's", "a dictionary"});
  expect_both_refused("tensor", {"holds one tensor", "state dict"});
  expect_both_refused("list", {"holds a list"});
  expect_both_refused("nested", {"generator, discriminator", "state_dict, model, model_state_dict, net"});
  expect_both_refused("nested_deep", {"inner is a dictionary of tensors"});
  expect_both_refused("empty", {"an empty dictionary"});
  expect_both_refused("no_tensors", {"epoch, lr", "without tensors"});
  expect_both_refused("number_as_name", {"key 1", "an int"});
  for (const char* dtype : {"bool", "int16", "int8", "complex64"})
    expect_both_refused(dtype, {"odd one: is a tensor of ", dtype});
}

TEST_F(PthFiles, RefusesTensorsThatLeaveTheirStorage) {
  for (const char* name : {"past_the_end", "far_stride", "far_offset", "overflow", "offset_overflow"})
    expect_both_refused(name, {"odd one: ", "leaves its storage of 12 elements"});
  expect_both_refused("negative_offset", {"odd one: ", "element -1"});
  expect_both_refused("negative_stride", {"odd one: its stride holds -1"});
  expect_both_refused("negative_size", {"odd one: its size holds -3"});
  expect_both_refused("fewer_strides", {"odd one: has 2 sizes and 1 strides"});
  expect_both_refused("repeats", {"odd one: (1048576,1048576) repeats"});
  expect_both_refused("no_tuple", {"odd one: its size is an int"});
  expect_both_refused("size_of_floats", {"odd one: its size holds a float"});
  expect_both_refused("beyond_64_bits", {"odd one: its arguments"});
}

TEST_F(PthFiles, RefusesStoragesThatCannotBe) {
  expect_refused("view_outside", {"storage 1", "10 elements at 15"});
  expect_refused("view_negative", {"storage 1", "at -1"});
  expect_refused("view_of_floats", {"storage 1"});
  expect_refused("other_size", {"storage 1 has 19 elements in the file and 20"});
  expect_refused("negative_storage", {"storage 1 has -20 elements"});
  expect_refused("huge_storage", {"storage 1 has 4611686018427387904 elements"});
  expect_refused("larger_than_the_file", {"truncated", "storage 1"});
  expect_refused("no_such_key", {"list of storages has 9"});
  expect_refused("key_missing", {"w: its storage 1 is not in the file"});
  expect_refused("key_twice", {"list of storages has 1", "each once"});
  expect_refused("two_sizes", {"storage 1", "20 elements", "21"});
  expect_refused("other_kind", {"the id of a storage"});
  expect_refused("other_type", {"storage 1 is of type torch.float32"});
  expect_refused("big_endian_legacy", {"big-endian"});
}

TEST_F(PthFiles, RefusesArchivesThatNobodyShouldWrite) {
  expect_refused("big_endian", {"big-endian"});
  expect_refused("version", {"version '11'"});
  expect_refused("parent", {"small/../../x", "leads out"});
  expect_refused("absolute", {"/etc/x", "leads out"});
  expect_refused("duplicate", {"small/data/0", "twice"});
  expect_refused("two_pickles", {"small/data.pkl", "other/data.pkl"});
  expect_refused("no_pickle", {"without data.pkl"});
  expect_refused("missing_storage", {"w: its storage small/data/0 is not in the file"});
  expect_refused("short_storage", {"w: its storage small/data/0 has 44 bytes", "48 bytes"});
  expect_refused("long_storage", {"w: its storage small/data/0 has 52 bytes"});
  expect_refused("compressed", {"w: its storage small/data/0 is compressed"});
  expect_refused("bzip2", {"small/data.pkl", "compressed by method 12"});
  expect_refused("bomb", {"small/data.pkl", "104857600 bytes"});
  expect_refused("bomb_of_nines", {"marks within each other"});
  expect_refused("encrypted", {"small/data/0", "encrypted"});
  expect_refused("beyond", {"small/data/0", "1073741824 bytes"});
  expect_refused("two_lengths", {"small/data/0", "48 bytes and 7"});
  expect_refused("overlap", {"small/data/0", "small/data/1", "overlap"});
}

TEST_F(PthFiles, FindsDamagedValues) {
  EXPECT_EQ(read_pth_summary(bad("damaged")).tensors.size(), 2);
  expect_error(ErrorKind::kData, {bad("damaged"), "w: damaged", "checksum"}, [] { read_pth(bad("damaged")); });
}

TEST_F(PthFiles, EveryTruncationIsAnError) {
  testing::MemoryFile cut;
  for (const char* name : {"under_net.pth", "under_net_legacy.pth"}) {
    const std::string whole = read_text(good(name));
    for (size_t size = 0; size < whole.size(); size += size < 200 ? 1 : 13) {
      SCOPED_TRACE(size);
      cut.set(whole.data(), size);
      expect_error(ErrorKind::kData, {cut.path()}, [&] { read_pth(cut.path()); });
    }
  }
}

// Any one byte that differs: an error, or tensors; never a crash.
TEST_F(PthFiles, SurvivesEveryByteChanged) {
  std::mt19937 random(1);
  testing::MemoryFile changed;
  for (const char* name : {"storage_views.pth", "little_endian.pth", "python2.pth"}) {
    const std::string whole = read_text(good(name));
    int refused = 0;
    for (size_t at = 0; at < whole.size(); ++at) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(random());
      changed.set(bytes.data(), bytes.size());
      try {
        read_pth(changed.path());
      } catch (const Error& error) {
        ASSERT_EQ(error.kind(), ErrorKind::kData) << name << " byte " << at << ": " << error.what();
        ++refused;
      }
    }
    EXPECT_GT(refused, 50) << name;
  }
}

TEST_F(PthFiles, SummaryReadsNoStorage) {
  // The values are made to fit no checksum: only who reads them finds out.
  std::string bytes = read_text(good("resnet18.pth"));
  const size_t at = bytes.size() / 2;
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  const std::string changed = *folder_ / "changed.pth";
  write_text(changed, bytes);
  EXPECT_EQ(read_pth_summary(changed).tensors.size(), 122);
  expect_error(ErrorKind::kData, {"checksum"}, [&] { read_pth(changed); });
}

TEST(Pth, TellsOtherFilesFromPyTorchs) {
  const TemporaryFolder folder;
  const std::string path = folder / "x.pth";
  for (const std::string& bytes :
       {std::string(), std::string("class,probability\nants,1\n"), std::string("\x89PNG\r\n\x1A\n"),
        std::string("\x80\x09", 2), std::string(600, '\0'), std::string("ustar")}) {
    write_text(path, bytes);
    EXPECT_FALSE(is_pth(path));
    expect_error(ErrorKind::kData, {path, "torch.save"}, [&] { read_pth(path); });
  }
  write_text(path, "PK\3\4 and then nothing of a zip");
  EXPECT_TRUE(is_pth(path));
  expect_error(ErrorKind::kData, {path, "truncated or damaged zip file"}, [&] { read_pth(path); });
  expect_error(ErrorKind::kData, {folder / "absent.pth"}, [&] { is_pth(folder / "absent.pth"); });
  expect_error(ErrorKind::kData, {"a folder"}, [&] { read_pth(folder.path().string()); });
}

TEST(Pth, TextPicklesAreRefusedByName) {
  const TemporaryFolder folder;
  const std::string path = folder / "x.pth";
  write_text(path, "cos\nsystem\n(S'touch ran'\ntR.");
  EXPECT_TRUE(is_pth(path));
  expect_error(ErrorKind::kData, {path, "imports os.system"}, [&] { read_pth(path); });
}

}  // namespace
}  // namespace resflow
