// Covers: graph/model/trained_model
#include "apps/model/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "graph/model/model.h"
#include "io/pth/pth.h"
#include "io/weights/safetensors.h"
#include "tests/apps/made_weights.h"
#include "tests/apps/program.h"
#include "tests/io/expect_error.h"

namespace resflow::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ModelFileTest : public ::testing::Test {
 protected:
  std::string with_classes(const std::string& names) {
    write_text(folder_ / "names.txt", names);
    return folder_ / "names.txt";
  }

  TemporaryFolder folder_;
};

TEST_F(ModelFileTest, AForeignFileIsRecognisedAndWhatIsAssumedIsSaid) {
  const std::string path = folder_ / "a.pth";
  const std::vector<NamedArray> weights = made_weights();
  write_pth(weights, path);
  const ModelFile file = load_model_file(path, {}, silent());
  EXPECT_EQ(file.facts.summary.format, WeightsFormat::kPth);
  EXPECT_EQ(file.checkpoint.model, kMadeModel);
  EXPECT_THAT(file.checkpoint.classes, ElementsAre("class 0", "class 1", "class 2"));
  EXPECT_EQ(file.checkpoint.preprocessing, Preprocessing());
  ASSERT_EQ(file.checkpoint.parameters.size(), weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    EXPECT_EQ(file.checkpoint.parameters[i].name, weights[i].name);
    EXPECT_TRUE(file.checkpoint.parameters[i].array == weights[i].array) << weights[i].name;
  }
  EXPECT_FALSE(file.facts.classes);
  EXPECT_FALSE(file.facts.preprocessing);
  ASSERT_EQ(file.notes.size(), 2U);
  EXPECT_THAT(without_marks(file.notes[0]), HasSubstr("classes FILE names them"));
  EXPECT_THAT(file.notes[1], HasSubstr("short side to 256, centre 224 x 224"));
}

TEST_F(ModelFileTest, OptionsSayWhatAForeignFileDoesNot) {
  const std::string path = folder_ / "a.safetensors";
  write_safetensors(made_weights(), {}, path);
  const ModelFile file = load_model_file(
      path, {.architecture = "resnet18", .classes = with_classes("a\nb\nc\n"), .resize = 70, .crop = 64}, silent());
  EXPECT_THAT(file.checkpoint.classes, ElementsAre("a", "b", "c"));
  EXPECT_EQ(file.checkpoint.preprocessing.resize, 70);
  EXPECT_EQ(file.checkpoint.preprocessing.crop, 64);
  EXPECT_THAT(file.notes, IsEmpty());
  EXPECT_EQ(model_facts(path, {.resize = 232}, silent()).preprocessing->crop, 224);
  EXPECT_EQ(model_facts(path, {.crop = 112}, silent()).preprocessing->resize, 128);
  expect_error(ErrorKind::kUsage, {"crop 224", "200", "resize of at least 224"},
               [&] { model_facts(path, {.resize = 200}, silent()); });
  expect_error(ErrorKind::kData, {path, "names.txt has 2 names", "resnet18 has 3 outputs"},
               [&] { model_facts(path, {.classes = with_classes("a\nb\n")}, silent()); });
  expect_error(ErrorKind::kUsage, {"resnet19"}, [&] { model_facts(path, {.architecture = "resnet19"}, silent()); });
  expect_error(ErrorKind::kData, {"not those of resnet50 with 3 classes", "It is a resnet18 with 3 classes"},
               [&] { load_model_file(path, {.architecture = "resnet50"}, silent()); });
}

TEST_F(ModelFileTest, ACheckpointIsAsItIs) {
  const std::string path = folder_ / "a.resflow";
  const Checkpoint saved = made_checkpoint();
  save_checkpoint(saved, path);
  const ModelFile file = load_model_file(path, {}, silent());
  EXPECT_THAT(file.notes, IsEmpty());
  EXPECT_EQ(file.checkpoint.classes, saved.classes);
  EXPECT_EQ(file.checkpoint.preprocessing, saved.preprocessing);
  EXPECT_EQ(file.checkpoint.provenance, saved.provenance);
  EXPECT_EQ(file.checkpoint.optimizer.size(), 1U);
  EXPECT_THAT(load_model_file(path, {.classes = with_classes("a\nb\nc")}, silent()).checkpoint.classes,
              ElementsAre("a", "b", "c"));
  expect_error(ErrorKind::kUsage, {"crop 64", "carries its own preprocessing, resize 54 and crop 48"},
               [&] { load_model_file(path, {.crop = 64}, silent()); });
  expect_error(ErrorKind::kUsage, {"resize 64", "carries its own"},
               [&] { load_model_file(path, {.resize = 64}, silent()); });
  expect_error(ErrorKind::kUsage, {"model resnet34", "says that it is a resnet18"},
               [&] { load_model_file(path, {.architecture = "resnet34"}, silent()); });
}

TEST_F(ModelFileTest, WhatResflowWroteBesideTensorsIsBelievedAsFarAsTheyAgree) {
  const std::string path = folder_ / "a.safetensors";
  // Dilation leaves no trace in the tensors.
  const ModelDescription dilated = {
      .architecture = "resnet50", .num_classes = 2, .replace_stride_with_dilation = {false, true, true}};
  std::vector<NamedArray> tensors;
  for (const ParameterSpec& spec : build_model(dilated).parameters())
    tensors.push_back({spec.name, Array(spec.dtype, spec.dims)});
  ModelMetadata metadata;
  metadata.model = dilated;
  metadata.classes = {{"cat", "dog"}};
  metadata.provenance = {{"made by", "hand"}};
  write_safetensors(tensors, to_texts(metadata), path);
  const ModelFacts facts = model_facts(path, {}, silent());
  EXPECT_EQ(facts.match.description, dilated);
  EXPECT_THAT(*facts.classes, ElementsAre("cat", "dog"));
  EXPECT_EQ(facts.provenance, metadata.provenance);
  // A resnet101 it is not, whatever the metadata say.
  metadata.model->architecture = "resnet101";
  write_safetensors(tensors, to_texts(metadata), path);
  EXPECT_EQ(model_facts(path, {}, silent()).match.description,
            (ModelDescription{.architecture = "resnet50", .num_classes = 2}));
  metadata.classes->push_back("bird");
  write_safetensors(tensors, to_texts(metadata), path);
  expect_error(ErrorKind::kData, {"has 3 class names, but its resnet50 has 2 outputs"},
               [&] { model_facts(path, {}, silent()); });
}

TEST_F(ModelFileTest, OtherDtypesBecomeThoseOfAModelAndOldFilesHaveNoCounts) {
  std::vector<NamedArray> weights = made_weights();
  std::erase_if(weights, [](const NamedArray& w) { return w.name.ends_with("num_batches_tracked"); });
  std::vector<double> wide(512);
  for (size_t i = 0; i < wide.size(); ++i) wide[i] = 1 / static_cast<double>(i + 1);
  array_named(weights, "layer4.1.bn2.bias") = Array::from<double>({512}, wide);
  array_named(weights, "fc.bias") = Array(DType::kBF16, {3});
  write_pth(weights, folder_ / "a.pth");
  ModelFile file = load_model_file(folder_ / "a.pth", {}, silent());
  EXPECT_THAT(file.notes, Contains(HasSubstr("1 tensor of f64 became f32")));
  EXPECT_THAT(file.notes, Contains(HasSubstr("1 tensor of bf16 became f32")));
  EXPECT_EQ(array_named(file.checkpoint.parameters, "fc.bias"), Array(DType::kF32, {3}));
  EXPECT_EQ(array_named(file.checkpoint.parameters, "layer4.1.bn2.bias").values<float>()[2],
            static_cast<float>(1.0 / 3));
  EXPECT_EQ(file.facts.match.fit.counts_absent, 20);
  const Compute compute(1);
  EXPECT_NO_THROW(Model(file.checkpoint.model, compute).load(file.checkpoint.parameters));
}

TEST_F(ModelFileTest, NotFiniteValuesAreCountedNotRefused) {
  std::vector<NamedArray> weights = made_weights();
  for (float& v : array_named(weights, "layer1.0.bn1.bias").values<float>()) v = std::nanf("");
  array_named(weights, "conv1.weight").values<float>()[0] = -HUGE_VALF;
  write_safetensors(weights, {}, folder_ / "a.safetensors");
  EXPECT_THAT(load_model_file(folder_ / "a.safetensors", {}, silent()).notes,
              Contains(HasSubstr("not finite: conv1.weight (1 infinite), layer1.0.bn1.bias (64 NaN)")));
  EXPECT_EQ(describe_not_finite(made_weights()), "");
}

TEST_F(ModelFileTest, WhatIsNoFileOfWeightsIsSaid) {
  write_text(folder_ / "notes", "no weights at all");
  expect_error(ErrorKind::kData, {folder_ / "notes"}, [&] { load_model_file(folder_ / "notes", {}, silent()); });
  expect_error(ErrorKind::kData, {"absent"}, [&] { load_model_file(folder_ / "absent", {}, silent()); });
  expect_error(ErrorKind::kData, {folder_.path().string()},
               [&] { load_model_file(folder_.path().string(), {}, silent()); });
  expect_error(ErrorKind::kUsage, {"IMAGENET1K_V1"}, [&] { load_model_file("resnet18:IMAGENET21K", {}, silent()); });
}

}  // namespace
}  // namespace resflow::testing
