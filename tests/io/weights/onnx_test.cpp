// Covers: io/weights/onnx_dtype io/weights/onnx_metadata io/weights/onnx_summary
#include "io/weights/onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "io/weights/model_metadata.h"
#include "io/weights/onnx_metadata.h"
#include "tests/io/expect_error.h"
#include "tests/io/files.h"
#include "tests/io/files/faulty_files.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// y = relu(conv(x)), with an attribute of each kind.
void add_conv_and_relu(OnnxBuilder& builder, const Array& weight) {
  builder.add_input({.name = "x", .dims = {"batch", 3, "height", "width"}});
  builder.add_initializer("conv.weight", weight);
  builder.add_node({.op = "Conv",
                    .name = "conv",
                    .inputs = {"x", "conv.weight"},
                    .output = "conv",
                    .attributes = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}, {"group", int64_t{1}}}});
  builder.add_node(
      {.op = "LeakyRelu", .name = "relu", .inputs = {"conv"}, .output = "y", .attributes = {{"alpha", 0.5F}}});
  builder.add_output({.name = "y", .dims = {"batch", 4, "height", "width"}});
  builder.add_metadata("classes", "[\"\xC3\xA9t\xC3\xA9\"]");
}

std::string write_small(const TemporaryFolder& folder) {
  OnnxBuilder builder("net", "1.2.3");
  add_conv_and_relu(builder, random_array(DType::kF32, {4, 3, 3, 3}, 1));
  std::string path = folder / "small.onnx";
  builder.save(path);
  return path;
}

TEST(Onnx, TheProjectsPackageReadsWhatIsWritten) {
  if (!python_has({"onnx"})) GTEST_SKIP() << "needs python3-onnx";
  const TemporaryFolder folder;
  OnnxBuilder builder("net", "1.2.3");
  const Array weight = random_array(DType::kF32, {4, 3, 3, 3}, 1);
  add_conv_and_relu(builder, weight);
  std::string wanted =
      "version 8 ('', 17)\nproducer resflow 1.2.3\nmetadata classes [\"\xC3\xA9t\xC3\xA9\"]\n"
      "input x 1 batch,3,height,width\noutput y 1 batch,4,height,width\n"
      "node Conv conv x,conv.weight conv pads=[1, 1, 1, 1] group=1\nnode LeakyRelu relu conv y alpha=0.5\n"
      "initializer conv.weight 1 [4, 3, 3, 3] " +
      hex_digits(bytes_of(weight)) + "\n";
  const std::pair<DType, int> dtypes[] = {{DType::kU8, 2},   {DType::kI32, 6},  {DType::kI64, 7},
                                          {DType::kF16, 10}, {DType::kF64, 11}, {DType::kBF16, 16}};
  for (const auto& [dtype, number] : dtypes) {
    const Array array = random_array(dtype, {2, 3}, 7);
    builder.add_initializer(std::string(dtype_name(dtype)), array);
    wanted += fmt::format("initializer {} {} [2, 3] {}\n", dtype_name(dtype), number, hex_digits(bytes_of(array)));
  }
  builder.add_initializer("scalar", Array::from<float>({}, std::vector<float>{1}));
  wanted += "initializer scalar 1 [] 0000803f\n";
  builder.save(folder / "a.onnx");
  EXPECT_EQ(run_python("io/weights/onnx_peer.py", {"check", folder / "a.onnx"}), wanted);
}

TEST(Onnx, TheSummaryIsOfWhatWasWritten) {
  const TemporaryFolder folder;
  const std::string path = write_small(folder);
  EXPECT_TRUE(is_onnx(path));
  const OnnxSummary summary = read_onnx_summary(path);
  EXPECT_EQ(summary.ir_version, 8);
  EXPECT_EQ(summary.opset, 17);
  EXPECT_EQ(summary.producer, "resflow 1.2.3");
  EXPECT_THAT(summary.metadata, ElementsAre(Pair("classes", "[\"\xC3\xA9t\xC3\xA9\"]")));
  ASSERT_EQ(summary.tensors.size(), 1U);
  EXPECT_EQ(summary.tensors[0].name, "conv.weight");
  EXPECT_EQ(summary.tensors[0].dims, (Dims{4, 3, 3, 3}));
  EXPECT_EQ(summary.tensors[0].dtype, DType::kF32);
  ASSERT_EQ(summary.inputs.size(), 1U);
  EXPECT_EQ(summary.inputs[0].name, "x");
  EXPECT_EQ(summary.inputs[0].dims, (std::vector<OnnxDim>{"batch", 3, "height", "width"}));
  ASSERT_EQ(summary.outputs.size(), 1U);
  EXPECT_EQ(summary.outputs[0].dims, (std::vector<OnnxDim>{"batch", 4, "height", "width"}));
}

TEST(Onnx, TheSummaryOfAnotherProgramsFile) {
  if (!python_has({"onnx"})) GTEST_SKIP() << "needs python3-onnx";
  const TemporaryFolder folder;
  run_python("io/weights/onnx_peer.py", {"make", folder / "a.onnx"});
  EXPECT_TRUE(is_onnx(folder / "a.onnx"));
  const OnnxSummary summary = read_onnx_summary(folder / "a.onnx");
  EXPECT_EQ(summary.opset, 13);
  EXPECT_EQ(summary.producer, "peer");
  EXPECT_THAT(summary.metadata, ElementsAre(Pair("key", "text")));
  ASSERT_EQ(summary.tensors.size(), 3U);
  EXPECT_EQ(summary.tensors[0].name, "w");
  EXPECT_EQ(summary.tensors[1].name, "scalar");
  EXPECT_EQ(summary.tensors[1].dtype, DType::kF64);
  EXPECT_EQ(summary.tensors[1].dims, Dims{});
  EXPECT_EQ(summary.tensors[2].name, "far");
  EXPECT_THAT(summary.foreign, ElementsAre("small (int8)", "names (string)"));
  ASSERT_EQ(summary.inputs.size(), 1U);  // w is a value, words are no tensor of ours
  EXPECT_EQ(summary.inputs[0].name, "x");
}

int64_t bytes_read_so_far() {
  std::ifstream io("/proc/self/io");
  std::string key;
  int64_t bytes = -1;
  io >> key >> bytes;
  return bytes;
}

TEST(Onnx, TheSummaryReadsNoValues) {
  const TemporaryFolder folder;
  OnnxBuilder builder("net", "1");
  for (int i = 0; i < 4; ++i) builder.add_initializer(fmt::format("w{}", i), Array(DType::kF32, {1 << 20}));
  builder.save(folder / "a.onnx");
  const int64_t before = bytes_read_so_far();
  if (before < 0) GTEST_SKIP() << "needs /proc/self/io";
  EXPECT_TRUE(is_onnx(folder / "a.onnx"));
  EXPECT_EQ(read_onnx_summary(folder / "a.onnx").tensors.size(), 4U);
  EXPECT_LT(bytes_read_so_far() - before, 100'000);
}

TEST(Onnx, NamesStandOnceAndNodesReadWhatIsThere) {
  OnnxBuilder builder("net", "1");
  add_conv_and_relu(builder, Array(DType::kF32, {4, 3, 3, 3}));
  const OnnxNode node = {.op = "Relu", .name = "more", .inputs = {"y"}, .output = "z"};
  const auto with = [&](auto change) {
    OnnxNode changed = node;
    change(changed);
    builder.add_node(changed);
  };
  expect_error(ErrorKind::kInternal, {"conv.weight"}, [&] { builder.add_initializer("conv.weight", Array()); });
  expect_error(ErrorKind::kInternal, {"x stands twice"}, [&] { builder.add_input({.name = "x", .dims = {}}); });
  expect_error(ErrorKind::kInternal, {"classes"}, [&] { builder.add_metadata("classes", ""); });
  expect_error(ErrorKind::kInternal, {"relu stands twice"}, [&] { with([](OnnxNode& n) { n.name = "relu"; }); });
  expect_error(ErrorKind::kInternal, {"nothing"}, [&] { with([](OnnxNode& n) { n.inputs = {"nothing"}; }); });
  expect_error(ErrorKind::kInternal, {"nothing"}, [&] { builder.add_output({.name = "nothing", .dims = {}}); });
}

TEST(Onnx, TwoGibibytesAreRefusedBeforeAnythingIsWritten) {
  const TemporaryFolder folder;
  OnnxBuilder builder("net", "1");
  builder.add_initializer("large", Array::unset(DType::kU8, {INT64_C(1) << 31}));  // never touched
  expect_error(ErrorKind::kUsage, {folder / "a.onnx", "at most 2147483647", "safetensors"},
               [&] { builder.save(folder / "a.onnx"); });
  EXPECT_THAT(std::filesystem::is_empty(folder.path()), true);
}

TEST(Onnx, AFullDiskLeavesTheFileThatWasThere) {
  const TemporaryFolder folder;
  const std::string path = write_small(folder), before = read_text(path);
  OnnxBuilder builder("other", "9");
  add_conv_and_relu(builder, random_array(DType::kF32, {4, 3, 3, 3}, 2));
  for (const char* call : {"write", "fsync", "rename"}) {
    FaultyFiles files;
    files.fail(call, 1, ENOSPC);
    expect_error(ErrorKind::kSystem, {path}, [&] { builder.save(path, files); });
    EXPECT_EQ(read_text(path), before) << call;
  }
  builder.save(path);
  EXPECT_NE(read_text(path), before);
}

TEST(Onnx, EveryTruncationIsFound) {
  const TemporaryFolder folder;
  const std::string whole = read_text(write_small(folder)), path = folder / "cut.onnx";
  for (size_t size = 0; size < whole.size(); size += size < whole.size() - 400 ? 1 : 7) {  // the last ones are values
    write_text(path, whole.substr(0, size));
    expect_error(ErrorKind::kData, {path}, [&] { read_onnx_summary(path); });
  }
  write_text(path, whole.substr(0, whole.size() - 1));
  EXPECT_TRUE(is_onnx(path)) << "so that the sentence says what is wrong with it";
  expect_error(ErrorKind::kData, {"truncated ONNX", "the file ends at byte"}, [&] { read_onnx_summary(path); });
}

// Whatever a byte becomes, there is a summary or a sentence.
TEST(Onnx, EveryDamagedByteIsBorne) {
  const TemporaryFolder folder;
  const std::string whole = read_text(write_small(folder)), path = folder / "damaged.onnx";
  const size_t values = whole.size() - 4 * 3 * 3 * 3 * sizeof(float);
  int refused = 0;
  for (size_t at = 0; at < values; ++at) {
    for (const int flip : {0x01, 0x80}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      write_text(path, damaged);
      is_onnx(path);
      try {
        read_onnx_summary(path);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kData) << error.what();
        EXPECT_THAT(error.what(), HasSubstr(path));
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 50);
}

TEST(Onnx, WhatIsWrongIsSaid) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.onnx";
  const std::string head = "\x08\x08";
  const auto part = [](char tag, const std::string& bytes) {
    return std::string(1, tag) + static_cast<char>(bytes.size()) + bytes;
  };
  const auto expect = [&](const std::string& bytes, const std::vector<std::string>& parts) {
    write_text(path, bytes);
    expect_error(ErrorKind::kData, parts, [&] { read_onnx_summary(path); });
  };
  const auto with_tensor = [&](const std::string& tensor) { return head + part(0x3A, part(0x2A, tensor)); };
  const std::string named = part(0x42, "w"), f32 = "\x10\x01";
  write_text(path, with_tensor(named + f32 + "\x08\x01" + part(0x4A, "abcd")));
  EXPECT_EQ(read_onnx_summary(path).tensors[0].dims, Dims{1});
  write_text(path, with_tensor(named + f32 + part(0x0A, "\x02\x03")));  // packed
  EXPECT_EQ(read_onnx_summary(path).tensors[0].dims, (Dims{2, 3}));
  expect(with_tensor(named + f32 + "\x08\x02" + part(0x4A, "abcd")), {"w has 4 bytes of values", "(2) want 8"});
  expect(with_tensor(named + f32 + "\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), {"w has impossible dims"});
  expect(with_tensor(named + f32 + "\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x08\x10"), {"w has impossible dims"});
  expect(head + part(0x3A, part(0x2A, named + f32) + part(0x2A, named + f32)), {"w stands twice"});
  expect(with_tensor(part(0x42, "\xFF") + f32), {"no UTF-8"});
  expect(head + part(0x72, part(0x0A, "\xFF")), {"no UTF-8"});
  expect(head + "\x12\x01", {"truncated"});
  expect(head + part(0x3A, part(0x2A, named).replace(1, 1, "\x10")), {"truncated"});
  expect(head + part(0x3A, part(0x2A, named).replace(1, 1, "\x10")) + std::string(40, 'x'), {"what contains it"});
  expect(head + part(0x42, ""), {"no graph"});
  expect(part(0x3A, ""), {"no version"});
  expect(head + "\x0B", {"unknown type"});
  expect(head + std::string(1, '\0'), {"no field"});
}

TEST(Onnx, OtherFilesAreNone) {
  const TemporaryFolder folder;
  const std::string path = folder / "a";
  for (const std::string& bytes :
       {std::string(), std::string("PK\3\4 and more"), std::string("\x89PNG\r\n\x1A\n"),
        std::string("\x08\x00\x00\x00\x00\x00\x00\x00{}", 10), std::string("not an ONNX file at all\n"),
        std::string(1000, '\0'), std::string("\x80\x02}q\x00.", 6), std::string("\x08\x08")}) {
    write_text(path, bytes);
    EXPECT_FALSE(is_onnx(path)) << bytes;
    expect_error(ErrorKind::kData, {path}, [&] { read_onnx_summary(path); });
  }
  EXPECT_FALSE(is_onnx(folder / "absent"));
  EXPECT_FALSE(is_onnx(folder.path().string()));
  expect_error(ErrorKind::kData, {"absent"}, [&] { read_onnx_summary(folder / "absent"); });
  std::filesystem::resize_file(path, uintmax_t{1} << 31U);  // takes no room on the disk
  expect_error(ErrorKind::kData, {"2147483648 bytes", "at most 2147483647"}, [&] { read_onnx_summary(path); });
}

TEST(Onnx, MetadataSayWhatPixelsBecomeAndComeBack) {
  ModelMetadata metadata;
  metadata.model = ModelDescription{.architecture = "resnet34"};
  metadata.classes = {{"ant", "bee"}};
  metadata.preprocessing = Preprocessing{.resize = 232};
  metadata.provenance = {{"weights", "resnet34:IMAGENET1K_V1"}};
  const Texts texts = onnx_metadata(metadata);
  const auto found =
      std::find_if(texts.begin(), texts.end(), [](const auto& text) { return text.first == "preprocessing"; });
  ASSERT_NE(found, texts.end());
  for (const char* part : {R"("resize":232)", R"("scale":0.00392156862745098)", R"("channels":"RGB")", "bilinear"})
    EXPECT_THAT(found->second, HasSubstr(part));
  std::vector<std::string> foreign;
  const ModelMetadata read = from_texts(texts, &foreign);
  EXPECT_THAT(foreign, IsEmpty());
  EXPECT_EQ(read.preprocessing, metadata.preprocessing);
  EXPECT_EQ(read.classes, metadata.classes);
  EXPECT_EQ(read.provenance, metadata.provenance);
}

}  // namespace
}  // namespace resflow::testing
