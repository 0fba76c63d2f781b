#include "io/weights/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "io/checkpoint/checkpoint.h"
#include "io/pth/pth.h"
#include "io/weights/onnx.h"
#include "io/weights/safetensors.h"
#include "tests/io/expect_error.h"
#include "tests/io/files.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::random_array;
using testing::TemporaryFolder;
using testing::write_text;

std::vector<NamedArray> some_tensors() {
  return {{"conv1.weight", random_array(DType::kF32, {4, 3, 7, 7}, 1)},
          {"bn1.num_batches_tracked", random_array(DType::kI64, {}, 2)},
          {"fc.bias", random_array(DType::kF32, {10}, 3)}};
}

Checkpoint some_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.model.architecture = "resnet18";
  checkpoint.model.num_classes = 2;
  checkpoint.classes = {"ant", "bee"};
  checkpoint.parameters = some_tensors();
  checkpoint.optimizer = {{"fc.bias/exp_avg", random_array(DType::kF32, {10}, 4)}};
  checkpoint.optimizer_name = "adam";
  return checkpoint;
}

void expect_some_tensors(const std::string& path, WeightsFormat format, const std::string& variant) {
  SCOPED_TRACE(path);
  EXPECT_EQ(recognise_weights(path), format);
  const Weights weights = read_weights(path);
  const std::vector<NamedArray> wanted = some_tensors();
  ASSERT_EQ(weights.tensors.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(weights.tensors[i].name, wanted[i].name);
    EXPECT_TRUE(weights.tensors[i].array == wanted[i].array) << wanted[i].name;
  }
  for (const WeightsSummary& summary : {weights.summary, read_weights_summary(path)}) {
    EXPECT_EQ(summary.format, format);
    EXPECT_EQ(summary.variant, variant);
    ASSERT_EQ(summary.tensors.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(summary.tensors[i].name, wanted[i].name);
      EXPECT_EQ(summary.tensors[i].dtype, wanted[i].array.dtype());
      EXPECT_EQ(summary.tensors[i].dims, wanted[i].array.dims());
    }
  }
}

// Names say nothing where the bytes do.
TEST(Weights, AreReadByWhatTheFileIs) {
  const TemporaryFolder folder;
  save_checkpoint(some_checkpoint(), folder / "a.pth");
  expect_some_tensors(folder / "a.pth", WeightsFormat::kCheckpoint, "version 1");
  write_pth(some_tensors(), folder / "b.safetensors");
  expect_some_tensors(folder / "b.safetensors", WeightsFormat::kPth, "zip");
  write_safetensors(some_tensors(), {}, folder / "c");
  expect_some_tensors(folder / "c", WeightsFormat::kSafetensors, "");
}

TEST(Weights, MetadataIsWhatTheFileSays) {
  const TemporaryFolder folder;
  const Metadata metadata = {{"format", "pt"}, {"x", "y"}};
  write_safetensors(some_tensors(), metadata, folder / "m");
  EXPECT_EQ(read_weights_summary(folder / "m").metadata, metadata);
  save_checkpoint(some_checkpoint(), folder / "m");
  EXPECT_THAT(read_weights_summary(folder / "m").metadata,
              ::testing::IsSupersetOf(Metadata{{"architecture", "resnet18"}, {"classes", R"(["ant","bee"])"}}));
}

TEST(Weights, ADamagedFileIsJudgedByTheFormatOfItsName) {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, std::string>> files = {{"cut.safetensors", "truncated safetensors: 3 bytes"},
                                                                  {"cut.RESFLOW", "no resflow checkpoint"},
                                                                  {"cut.pth", "cut.pth"}};
  for (const auto& [name, says] : files) {
    write_text(folder / name, "???");
    EXPECT_EQ(recognise_weights(folder / name), std::nullopt);
    expect_error(ErrorKind::kData, {folder / name, says}, [&] { read_weights(folder / name); });
    expect_error(ErrorKind::kData, {folder / name, says}, [&] { read_weights_summary(folder / name); });
  }
}

TEST(Weights, SayWhatIsNone) {
  const TemporaryFolder folder;
  for (const std::string name : {"notes.txt", "cut.onnx"}) {
    write_text(folder / name, "nothing of the kind");
    EXPECT_EQ(recognise_weights(folder / name), std::nullopt);
    expect_error(ErrorKind::kData, {folder / name, "no file of weights"}, [&] { read_weights(folder / name); });
  }
  expect_error(ErrorKind::kData, {"absent.pth", "No such file"}, [&] { recognise_weights(folder / "absent.pth"); });
  expect_error(ErrorKind::kData, {"is a folder"}, [&] { read_weights(folder.path().string()); });
}

TEST(Weights, OnnxIsWrittenAndOnlyItsHeaderRead) {
  const TemporaryFolder folder;
  OnnxBuilder builder("net", "0.1.0");
  builder.add_input({.name = "input", .dims = {"batch", 2}});
  builder.add_initializer("w", Array(DType::kF32, {2, 2}));
  builder.add_node({.op = "MatMul", .name = "m", .inputs = {"input", "w"}, .output = "out"});
  builder.add_output({.name = "out", .dims = {"batch", 2}});
  builder.add_metadata("architecture", "resnet18");
  builder.save(folder / "m.onnx");
  EXPECT_EQ(recognise_weights(folder / "m.onnx"), WeightsFormat::kOnnx);
  const WeightsSummary summary = read_weights_summary(folder / "m.onnx");
  EXPECT_EQ(summary.format, WeightsFormat::kOnnx);
  EXPECT_THAT(summary.variant, ::testing::HasSubstr("opset 17, made by resflow"));
  ASSERT_EQ(summary.tensors.size(), 1U);
  EXPECT_EQ(summary.tensors[0].name, "w");
  EXPECT_THAT(summary.metadata, ::testing::Contains(::testing::Pair("architecture", "resnet18")));
  expect_error(ErrorKind::kUsage, {folder / "m.onnx", "writes and does not read"},
               [&] { read_weights(folder / "m.onnx"); });
}

TEST(Weights, FormatsHaveNamesAndEndings) {
  EXPECT_EQ(weights_format_name(WeightsFormat::kPth), "pth");
  EXPECT_EQ(weights_format_name(WeightsFormat::kCheckpoint), "resflow");
  EXPECT_EQ(weights_format_name(WeightsFormat::kSafetensors), "safetensors");
  EXPECT_EQ(weights_format_name(WeightsFormat::kOnnx), "onnx");
  for (const auto& [name, format] : std::vector<std::pair<std::string, std::optional<WeightsFormat>>>{
           {"a/resnet34-b627a593.pth", WeightsFormat::kPth},
           {"m.PT", WeightsFormat::kPth},
           {"m.th", WeightsFormat::kPth},
           {"model.safetensors", WeightsFormat::kSafetensors},
           {"m.pth.onnx", WeightsFormat::kOnnx},
           {"run/best.resflow", WeightsFormat::kCheckpoint},
           {"best.resflow.1", std::nullopt},
           {"pth", std::nullopt},
           {"m.path", std::nullopt},
           {"", std::nullopt}}) {
    EXPECT_EQ(weights_format_of_name(name), format) << name;
  }
}

}  // namespace
}  // namespace resflow
