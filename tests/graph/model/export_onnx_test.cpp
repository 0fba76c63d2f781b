#include "graph/model/export_onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "graph/model/model_zoo.h"
#include "graph/model/recognise.h"
#include "graph/plan/plan.h"
#include "io/weights/onnx.h"
#include "tests/graph/cases.h"
#include "tests/graph/raw_file.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TemporaryFolder;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Gigabytes that are read once and go need not reach the disk.
class Unsynced : public FileSystem {
 public:
  int fsync(int /*file*/) override { return 0; }
};

// The ONNX project's checker and strict shape inference take all ten, folded and not in turns.
TEST(ExportOnnx, AllTenModelsAreValid) {
  if (!testing::python_has({"onnx"})) GTEST_SKIP() << "needs python3-onnx";
  const TemporaryFolder folder;
  const Compute compute(2);
  const std::string path = folder / "a.onnx";
  Unsynced files;
  bool fold = false;
  for (const std::string& name : model_names()) {
    const ModelDescription description = {.architecture = name, .num_classes = 5};
    export_onnx(Model(description, compute), {}, {.fold_batch_norm = fold, .producer_version = "1"}, path, files);
    const auto summary = lines_of(testing::run_python("graph/model/onnx_check.py", {path}));
    EXPECT_THAT(summary, ElementsAre("input float batch,3,height,width", "output float batch,5")) << name;
    fold = !fold;
  }
}

TEST(ExportOnnx, NamesAreTorchvisions) {
  const TemporaryFolder folder;
  const Compute compute(2);
  ModelMetadata metadata;
  metadata.classes = {{"a", "b", "c"}};
  metadata.preprocessing = Preprocessing{.resize = 70, .crop = 64};
  metadata.provenance = {{"made by", "hand"}};
  for (const std::string& name : model_names()) {
    const ModelDescription description = {.architecture = name, .num_classes = 3};
    if (name.find("101") != std::string::npos || name.find("152") != std::string::npos)
      continue;  // large, and no other
    export_onnx(Model(description, compute), metadata, {.producer_version = "1"}, folder / "a.onnx");
    const OnnxSummary summary = read_onnx_summary(folder / "a.onnx");
    const ModelMatch match = recognise_model(summary.tensors);
    EXPECT_EQ(match.description, description);
    EXPECT_TRUE(match.fit.fits()) << to_sentence(match.fit);
    EXPECT_THAT(summary.foreign, IsEmpty());
    const ModelMetadata read = from_texts(summary.metadata);
    EXPECT_EQ(read.model->architecture, name);
    EXPECT_EQ(read.classes, metadata.classes);
    EXPECT_EQ(read.preprocessing, metadata.preprocessing);
    EXPECT_EQ(read.provenance, metadata.provenance);
  }
}

TEST(ExportOnnx, FoldedIsAConvolutionWithABiasForEachBatchNorm) {
  const TemporaryFolder folder;
  const Compute compute(2);
  export_onnx(Model({.architecture = "resnet18", .num_classes = 3}, compute), {},
              {.fold_batch_norm = true, .producer_version = "1"}, folder / "a.onnx");
  const OnnxSummary summary = read_onnx_summary(folder / "a.onnx");
  ASSERT_EQ(summary.tensors.size(), 2 * 20U + 2);
  for (size_t i = 0; i < 40; i += 2) {
    EXPECT_TRUE(summary.tensors[i].name.ends_with(".folded.weight")) << summary.tensors[i].name;
    EXPECT_TRUE(summary.tensors[i + 1].name.ends_with(".folded.bias")) << summary.tensors[i + 1].name;
  }
  EXPECT_EQ(summary.tensors[40].name, "fc.weight");
}

struct OnnxCase {
  std::string name;
  ModelDescription model;
  bool fold = false;
  int64_t height = 64, width = 64;
};

void write_case(const OnnxCase& c, const TemporaryFolder& folder, const Compute& compute) {
  Model model(c.model, compute);
  testing::settle(model);
  export_onnx(model, {}, {.fold_batch_norm = c.fold, .producer_version = "1"}, folder / (c.name + ".onnx"));
  const auto pixels = testing::noise_pixels(4, c.height, c.width);
  testing::write_raw<float>(folder / (c.name + ".pixels"), pixels);
  Plan plan(model, {.batch = 4, .height = c.height, .width = c.width, .mode = Mode::kEval});
  testing::write_raw<float>(folder / (c.name + ".logits"), plan.forward(pixels.data(), 4));
}

// The tolerance of the project: 1e-4 of the largest logit.
TEST(ExportOnnx, OnnxruntimeGivesTheSameLogits) {
  if (!testing::python_has({"onnxruntime", "numpy"}, testing::Python::kEnv)) GTEST_SKIP() << testing::kNoPythonEnv;
  const ModelDescription small = {.architecture = "resnet18", .num_classes = 10};
  const ModelDescription grouped = {.architecture = "resnext50_32x4d", .num_classes = 10};
  const ModelDescription dilated = {
      .architecture = "resnet50", .num_classes = 7, .replace_stride_with_dilation = {false, true, true}};
  const std::vector<OnnxCase> cases = {
      {.name = "resnet18", .model = small, .height = 75, .width = 101},
      {.name = "resnet18_folded", .model = small, .fold = true, .height = 75, .width = 101},
      {.name = "resnext50_folded", .model = grouped, .fold = true},
      {.name = "resnet50_dilated", .model = dilated}};
  const TemporaryFolder folder;
  const Compute compute(2);
  std::vector<std::string> arguments = {folder.path().string()};
  for (const OnnxCase& c : cases) {
    write_case(c, folder, compute);
    for (const std::string& word : {c.name, std::to_string(c.height), std::to_string(c.width)})
      arguments.push_back(word);
  }
  std::istringstream lines(testing::run_python("graph/model/onnx_run.py", arguments, testing::Python::kEnv));
  size_t seen = 0;
  std::string name;
  for (double difference = 0; lines >> name >> difference; ++seen) EXPECT_LE(difference, 1e-4) << name;
  EXPECT_EQ(seen, cases.size());
}

}  // namespace
}  // namespace resflow
