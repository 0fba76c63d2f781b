// Covers: io/weights/safetensors_header
#include "io/weights/safetensors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

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
using testing::Python;
using testing::random_array;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

// Every dtype, a scalar, nothing at all, and odd counts before wide dtypes.
std::vector<NamedArray> safetensors_of_every_kind() {
  return {{"odd", random_array(DType::kU8, {13}, 1)},
          {"conv1.weight", random_array(DType::kF32, {4, 3, 7, 7}, 2)},
          {"half", random_array(DType::kF16, {3, 1}, 3)},
          {"bn1.num_batches_tracked", random_array(DType::kI64, {}, 4)},
          {"empty", Array(DType::kF64, {0, 4})},
          {"brain", random_array(DType::kBF16, {5}, 5)},
          {"double", random_array(DType::kF64, {2, 1, 1}, 6)},
          {"int", random_array(DType::kI32, {2}, 7)}};
}

const Metadata kMetadata = {{"format", "pt"}, {"classes", "[\"b\u00fccher\",\"\\\"\\\\\"]"}, {"", "\n\t\x01"}};

std::string file_of(const std::string& header, const std::string& values = "") {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + values;
}

void expect_same(const std::vector<NamedArray>& got, const std::vector<NamedArray>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].name, wanted[i].name);
    EXPECT_TRUE(got[i].array == wanted[i].array) << wanted[i].name;
  }
}

TEST(Safetensors, ComesBackWithEveryBitAndInOrder) {
  const TemporaryFolder folder;
  write_safetensors(safetensors_of_every_kind(), kMetadata, folder / "m.safetensors");
  EXPECT_TRUE(is_safetensors(folder / "m.safetensors"));
  const Safetensors read = read_safetensors(folder / "m.safetensors");
  expect_same(read.tensors, safetensors_of_every_kind());
  EXPECT_EQ(read.summary.metadata, kMetadata);

  write_safetensors(read.tensors, read.summary.metadata, folder / "again.safetensors");
  EXPECT_EQ(read_text(folder / "again.safetensors"), read_text(folder / "m.safetensors"));
}

TEST(Safetensors, OfNothingComesBack) {
  const TemporaryFolder folder;
  write_safetensors({}, {}, folder / "m.safetensors");
  EXPECT_TRUE(read_safetensors(folder / "m.safetensors").tensors.empty());
  write_safetensors({}, {{"only", "this"}}, folder / "m.safetensors");
  EXPECT_EQ(read_safetensors_summary(folder / "m.safetensors").metadata, (Metadata{{"only", "this"}}));
}

TEST(Safetensors, ValuesAreAlignedToTheirDtype) {
  const TemporaryFolder folder;
  write_safetensors(safetensors_of_every_kind(), {}, folder / "m.safetensors");
  const std::string file = read_text(folder / "m.safetensors");
  for (const auto& [name, array] : safetensors_of_every_kind()) {
    if (array.empty()) continue;
    const size_t at = file.find(bytes_of(array));
    ASSERT_NE(at, std::string::npos) << name;
    EXPECT_EQ(at % dtype_bytes(array.dtype()), 0U) << name;
  }
}

TEST(Safetensors, SummaryReadsTheHeaderAlone) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  write_text(path, file_of(R"({"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}})"));
  fs::resize_file(path, fs::file_size(path) + 4000000000000);  // no disk holds these
  const SafetensorsSummary summary = read_safetensors_summary(path);
  ASSERT_EQ(summary.tensors.size(), 1U);
  EXPECT_EQ(summary.tensors[0].name, "a");
  EXPECT_EQ(summary.tensors[0].dims, Dims{1000000000000});
}

struct Case {
  std::string name, file, says;
  bool stricter = false;  // than the format's own reader, which takes it
};

// One tensor of 2 f32 with the given entry of the header.
std::string one(const std::string& entry, size_t bytes = 8) {
  return file_of("{\"w\":" + entry + "}", std::string(bytes, '\0'));
}

std::string two(const std::string& first, const std::string& second, size_t bytes) {
  const auto entry = [](const std::string& offsets) {
    return R"({"dtype":"U8","shape":[4],"data_offsets":)" + offsets + "}";
  };
  return file_of(R"({"first":)" + entry(first) + R"(,"second":)" + entry(second) + "}", std::string(bytes, '\0'));
}

std::string with_length(uint64_t length, const std::string& rest) {
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + rest;
}

std::vector<Case> bad_files() {
  constexpr auto kGood = R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  std::vector<Case> cases = {
      {"nothing", "", "0 bytes, wanted at least 8"},
      {"length cut", "\x10\0\0", "1 bytes, wanted at least 8"},
      {"length alone", with_length(2, ""), "header ends at byte 10, the file at byte 8"},
      {"2^63 bytes", with_length(uint64_t{1} << 63, "{}"), "said to have 9223372036854775808 bytes"},
      {"2^64 - 1 bytes", with_length(~uint64_t{0}, "{}"), "said to have 18446744073709551615 bytes"},
      {"2^64 - 8 bytes", with_length(~uint64_t{0} - 7, "{}"), "said to have 18446744073709551608 bytes"},
      {"one above the limit", with_length(100000001, "{}"), "said to have 100000001 bytes"},
      {"limit, not there", with_length(100000000, "{}"), "header ends at byte 100000008, the file at byte 10"},
      {"no header", file_of(""), "does not start with an object"},
      {"list", file_of("[]"), "does not start with an object"},
      {"space first", file_of(" {}"), "does not start with an object", true},
      {"not closed", file_of(R"({"w":)" + std::string(kGood)), "no JSON at byte"},
      {"two headers", file_of("{}{}"), "no JSON at byte 3"},
      {"zero behind it", file_of(std::string("{}\0{}", 5)), "no JSON at byte 3"},
      {"comment", file_of("{}//"), "no JSON"},
      {"invalid UTF-8", file_of("{\"w\xFF\":" + std::string(kGood) + "}", std::string(8, '\0')), "no UTF-8"},
      {"overlong UTF-8", file_of("{\"w\xC0\xAF\":" + std::string(kGood) + "}", std::string(8, '\0')), "no UTF-8"},
      {"half a surrogate", file_of(R"({"w\ud800":)" + std::string(kGood) + "}", std::string(8, '\0')), "no JSON"},
      {"name twice", file_of(R"({"w":)" + std::string(kGood) + R"(,"w":)" + kGood + "}", std::string(8, '\0')),
       "w stands twice in its header", true},
      {"name twice, escaped",
       file_of(R"({"w":)" + std::string(kGood) + R"(,"\u0077":)" + kGood + "}", std::string(8, '\0')),
       "w stands twice in its header", true},
      {"metadata twice", file_of(R"({"__metadata__":{},"__metadata__":{}})"), "__metadata__ stands twice"},
      {"metadata's key twice", file_of(R"({"__metadata__":{"k":"1","k":"2"}})"), "k stands twice in its __metadata__",
       true},
      {"metadata no object", file_of(R"({"__metadata__":"x"})"), "__metadata__ is a text, wanted an object"},
      {"metadata null", file_of(R"({"__metadata__":null})"), "__metadata__ is null, wanted an object", true},
      {"metadata a number", file_of(R"({"__metadata__":{"k":1}})"), "k is a number, wanted a text"},
      {"metadata nested", file_of(R"({"__metadata__":{"k":{}}})"), "k is an object, wanted a text"},
      {"tensor null", one("null"), "w is null, wanted an object"},
      {"tensor a list", one("[1]"), "w is a list, wanted an object"},
      {"no dtype", one(R"({"shape":[2],"data_offsets":[0,8]})"), "w: has no dtype"},
      {"no shape", one(R"({"dtype":"F32","data_offsets":[0,8]})"), "w: has no shape"},
      {"no data_offsets", one(R"({"dtype":"F32","shape":[2]})"), "w: has no data_offsets"},
      {"shape twice", one(R"({"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,8]})"), "w: has its shape twice"},
      {"more than that", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":[[]]})"), "w: its entry x", true},
      {"dtype unknown", one(R"({"dtype":"F31","shape":[2],"data_offsets":[0,8]})"), "w: its dtype is F31, wanted F32"},
      {"dtype not ours", one(R"({"dtype":"I16","shape":[4],"data_offsets":[0,8]})"), "w: its dtype is I16", true},
      {"dtype a number", one(R"({"dtype":1,"shape":[2],"data_offsets":[0,8]})"), "w: its dtype is a number"},
      {"shape a text", one(R"({"dtype":"F32","shape":"2","data_offsets":[0,8]})"), "w: its shape is a text"},
      {"shape a fraction", one(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})"),
       "w: its shape holds a fraction"},
      {"shape negative", one(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"), "w: its shape holds a negative"},
      {"shape nested", one(R"({"dtype":"F32","shape":[[2]],"data_offsets":[0,8]})"), "w: its shape holds a list"},
      {"shape of 2^63", one(R"({"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]})"),
       "w: its shape has impossible sizes"},
      {"shape overflows", one(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})", 0),
       "w: its shape has impossible sizes"},
      {"shape overflows to 8", one(R"({"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]})"),
       "w: its shape has impossible sizes"},
      {"too large a shape", one(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"), "w: (3) of F32 are 12 bytes"},
      {"too small a shape", one(R"({"dtype":"F32","shape":[],"data_offsets":[0,8]})"), "w: () of F32 are 4 bytes"},
      {"backwards", one(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), "w: (2) of F32 are 8 bytes"},
      {"backwards below 0", one(R"({"dtype":"F32","shape":[2],"data_offsets":[18446744073709551615,7]})"),
       "data_offsets are 18446744073709551615 and 7"},
      {"one offset", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})"),
       "w: its data_offsets are no two numbers"},
      {"three offsets", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,8]})"), "w: its data_offsets holds"},
      {"negative offset", one(R"({"dtype":"F32","shape":[2],"data_offsets":[-8,0]})"), "w: its data_offsets holds"},
      {"truncated", one(kGood, 7), "w: the file ends within it: 7 bytes of values, wanted 8"},
      {"longer", one(kGood, 9), "1 bytes are left over behind w"},
      {"longer, nothing else", file_of("{}", "x"), "1 bytes are left over behind the header"},
      {"overlap", two("[0,4]", "[3,7]", 7), "second: its bytes overlap those of first"},
      {"the same bytes", two("[0,4]", "[0,4]", 4), "its bytes overlap those of"},
      {"hole", two("[0,4]", "[5,9]", 9), "second: there is a hole of 1 bytes between first and it"},
      {"hole at the start", two("[4,8]", "[8,12]", 12), "first: there is a hole of 4 bytes between the header and it"},
      {"far outside", two("[0,4]", "[4611686018427387904,4611686018427387908]", 8), "second: there is a hole"},
      {"a name with line feeds", file_of(R"({"a\nb\u001b[2J":{}})"), "a?b?[2J: has no dtype"},
  };
  std::string dims = "1";
  for (int i = 0; i < 64; ++i) dims += ",1";
  cases.push_back({"65 sizes", one(R"({"dtype":"F32","shape":[)" + dims + R"(],"data_offsets":[0,4]})", 4),
                   "w: its shape has more than 64 sizes", true});
  // A parser that recurses would leave its stack.
  cases.push_back({"deep", one(std::string(1000000, '[')), "w is a list, wanted an object"});
  return cases;
}

TEST(Safetensors, RefusesWhatIsDamagedOrMalicious) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  for (const Case& bad : bad_files()) {
    SCOPED_TRACE(bad.name);
    write_text(path, bad.file);
    expect_error(ErrorKind::kData, {path + ": ", bad.says}, [&] { read_safetensors(path); });
    expect_error(ErrorKind::kData, {path + ": ", bad.says}, [&] { read_safetensors_summary(path); });
  }
  expect_error(ErrorKind::kData, {"No such file"}, [&] { read_safetensors(folder / "absent"); });
  expect_error(ErrorKind::kData, {"is a folder"}, [&] { read_safetensors(folder.path().string()); });
}

TEST(Safetensors, RefusesEveryTruncation) {
  const TemporaryFolder folder;
  write_safetensors(safetensors_of_every_kind(), kMetadata, folder / "m.safetensors");
  for (size_t length = fs::file_size(folder / "m.safetensors"); length > 0; length -= std::min<size_t>(length, 7)) {
    fs::resize_file(folder / "m.safetensors", length - 1);
    expect_error(ErrorKind::kData, {folder / "m.safetensors"}, [&] { read_safetensors(folder / "m.safetensors"); });
  }
}

std::vector<std::pair<std::string, std::string>> unusual_files() {
  return {
      {"values in another order", two("[4,8]", "[0,4]", 8)},
      {"spaces behind the header", file_of("{}   ")},
      {"spaces within it", file_of("{ \"w\" : { \"shape\" : [ ] , \"data_offsets\":[0,1], \"dtype\":\"U8\" } } ", "x")},
      {"nothing at a border", file_of(R"({"e":{"dtype":"F32","shape":[0],"data_offsets":[4,4]},)"
                                      R"("w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                                      "1234")},
      {"unaligned values", file_of(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                   R"("w":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})",
                                   "x1234")},
      {"no name", file_of(R"({"":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "12")},
  };
}

TEST(Safetensors, TakesWhatIsUnusualAndValid) {
  const TemporaryFolder folder;
  for (const auto& [name, file] : unusual_files()) {
    SCOPED_TRACE(name);
    write_text(folder / "m.safetensors", file);
    EXPECT_NO_THROW(read_safetensors(folder / "m.safetensors"));
  }
  write_text(folder / "m.safetensors", unusual_files()[4].second);
  const Safetensors read = read_safetensors(folder / "m.safetensors");
  EXPECT_EQ(bytes_of(read.tensors[0].array), "x");
  EXPECT_EQ(bytes_of(read.tensors[1].array), "1234");
}

TEST(Safetensors, RecognisesItsStart) {
  const TemporaryFolder folder;
  for (const auto& [content, is] : std::vector<std::pair<std::string, bool>>{{file_of("{}"), true},
                                                                             {file_of("{\"cut"), true},
                                                                             {"{\"some\": {\"JSON\": 1}}", false},
                                                                             {"PK\3\4 and so on", false},
                                                                             {with_length(2, ""), false},
                                                                             {"", false}}) {
    write_text(folder / "m", content);
    EXPECT_EQ(is_safetensors(folder / "m"), is) << content;
  }
  EXPECT_FALSE(is_safetensors(folder / "absent"));
}

TEST(Safetensors, RefusesToWriteWhatItCouldNotRead) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  const Array array(DType::kF32, {1});
  expect_error(ErrorKind::kUsage, {"w?", "no UTF-8"}, [&] { write_safetensors({{"w\xFF", array}}, {}, path); });
  expect_error(ErrorKind::kUsage, {"metadata", "no UTF-8"}, [&] { write_safetensors({}, {{"k", "\xFF"}}, path); });
  expect_error(ErrorKind::kUsage, {"metadata", "no UTF-8"}, [&] { write_safetensors({}, {{"\xFF", "v"}}, path); });
  expect_error(ErrorKind::kUsage, {"__metadata__"}, [&] { write_safetensors({{"__metadata__", array}}, {}, path); });
  expect_error(ErrorKind::kUsage, {"100000000"}, [&] {
    write_safetensors({}, {{"k", std::string(100000000, 'x')}}, path);
  });
  expect_error(ErrorKind::kInternal, {"w", "twice"}, [&] {
    write_safetensors({{"w", array}, {"w", array}}, {}, path);
  });
  expect_error(ErrorKind::kInternal, {"k", "twice"}, [&] { write_safetensors({}, {{"k", ""}, {"k", ""}}, path); });
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Safetensors, AFullDiskLeavesThePreviousOne) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.safetensors";
  write_safetensors(safetensors_of_every_kind(), {}, path);
  const std::string previous = read_text(path);
  FaultyFiles counting;
  write_safetensors(safetensors_of_every_kind(), kMetadata, folder / "count", counting);
  const std::string size = std::to_string(fs::file_size(folder / "count"));
  const int writes = counting.calls("write");
  ASSERT_GT(writes, 5);
  for (int nth = 1; nth <= writes; ++nth) {
    FaultyFiles files;
    files.fail("write", nth, ENOSPC);
    expect_error(ErrorKind::kSystem, {path, "disk is full", size + " bytes needed", "previous file is unchanged"},
                 [&] { write_safetensors(safetensors_of_every_kind(), kMetadata, path, files); });
    EXPECT_FALSE(fs::exists(path + ".partial"));
  }
  EXPECT_EQ(read_text(path), previous);
}

// The format's own library reads ours, and writes files that we read, and agrees about what is a file at all.
TEST(Safetensors, AgreesWithTheFormatsOwnLibrary) {
  if (!testing::python_has({"torch", "safetensors"}, Python::kEnv)) GTEST_SKIP() << testing::kNoPythonEnv;
  const TemporaryFolder folder;
  const std::vector<NamedArray> ours = safetensors_of_every_kind();
  write_safetensors(ours, {{"k", "v\u00e4"}}, folder / "ours.safetensors");
  fs::create_directory(folder / "judge");
  for (const Case& bad : bad_files()) write_text(folder / ("judge/bad " + bad.name), bad.file);
  for (const auto& [name, file] : unusual_files()) write_text(folder / ("judge/unusual " + name), file);

  std::istringstream said(
      testing::run_python("io/weights/safetensors_peer.py", {folder.path().string()}, Python::kEnv));
  std::set<std::string> lines;
  for (std::string line; std::getline(said, line);) lines.insert(line);
  const std::vector<std::string> wanted = {"odd uint8 [13]",       "conv1.weight float32 [4, 3, 7, 7]",
                                           "half float16 [3, 1]",  "bn1.num_batches_tracked int64 []",
                                           "empty float64 [0, 4]", "brain bfloat16 [5]",
                                           "int int32 [2]",        "double float64 [2, 1, 1]",
                                           "metadata k v\u00e4"};
  for (const auto& line : wanted) EXPECT_TRUE(lines.contains(line)) << line;
  for (const auto& [name, array] : ours) EXPECT_EQ(read_text(folder / (name + ".bin")), bytes_of(array)) << name;

  for (const Case& bad : bad_files())
    EXPECT_TRUE(lines.contains("bad " + bad.name + (bad.stricter ? " accepted" : " refused"))) << bad.name;
  for (const auto& [name, file] : unusual_files()) EXPECT_TRUE(lines.contains("unusual " + name + " accepted")) << name;

  const Safetensors theirs = read_safetensors(folder / "theirs.safetensors");
  EXPECT_EQ(theirs.summary.metadata, (Metadata{{"format", "pt \u00e4 \"quoted\"\n"}}));
  EXPECT_EQ(theirs.tensors.size(), 10U);
  for (const auto& [name, array] : theirs.tensors) {
    if (name == "steps") {
      EXPECT_EQ(array.dims(), Dims{});
      EXPECT_EQ(array.values<int64_t>()[0], 1234567890123);
    }
    if (name == "ints") {
      EXPECT_EQ(array.values<int32_t>()[0], -3);
    }
    if (name == "bytes") {
      EXPECT_EQ(array.values<uint8_t>()[12], 12);
    }
  }
  write_safetensors(theirs.tensors, theirs.summary.metadata, folder / "again.safetensors");
  EXPECT_EQ(read_text(folder / "again.safetensors"), read_text(folder / "theirs.safetensors"));
}

}  // namespace
}  // namespace resflow
