#include "io/weights/model_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;
using ::testing::Pair;

TEST(ModelMetadata, IsWrittenAsDocumented) {
  Checkpoint checkpoint;
  checkpoint.model.architecture = "resnet34";
  checkpoint.classes = {"ant", "a \"bee\"",
                        "K\xC3\xA4"
                        "fer"};
  checkpoint.provenance = {{"weights", "resnet34:IMAGENET1K_V1"}};
  EXPECT_THAT(to_texts(metadata_of(checkpoint)),
              ElementsAre(Pair("architecture", "resnet34"),
                          Pair("classes",
                               "[\"ant\",\"a \\\"bee\\\"\",\"K\xC3\xA4"
                               "fer\"]"),
                          Pair("preprocessing",
                               "{\"resize\":256,\"crop\":224,\"mean\":[0.485,0.456,0.406],\"std\":[0.229,0.224,0.225],"
                               "\"interpolation\":\"bilinear\"}"),
                          Pair("provenance", "[[\"weights\",\"resnet34:IMAGENET1K_V1\"]]")));
  EXPECT_TRUE(to_texts({}).empty());
}

TEST(ModelMetadata, ComesBack) {
  Checkpoint checkpoint;
  checkpoint.model = {.architecture = "resnet50",
                      .num_classes = 1000,
                      .zero_init_residual = true,
                      .replace_stride_with_dilation = {false, true, true},
                      .groups = 16,
                      .width_per_group = 8,
                      .block = "bottleneck",
                      .layers = {1, 2, 3, 4},
                      .channels = 32,
                      .norm = "group",
                      .norm_groups = 4,
                      .shortcut = "padding",
                      .stem = "cifar",
                      .no_residual = true};
  checkpoint.classes = {"a", ""};
  checkpoint.preprocessing = {
      .resize = 232, .crop = 160, .mean = {0.1F, -0.2F, 1e-6F}, .std = {1.0F, 0.33333334F, 255.0F}, .exif = true};
  checkpoint.provenance = {{"made by", "resflow"}, {"made by", "resflow"}};
  std::vector<std::string> foreign;
  const ModelMetadata read = from_texts(to_texts(metadata_of(checkpoint)), &foreign);
  EXPECT_EQ(read.model, checkpoint.model);
  EXPECT_EQ(read.classes, checkpoint.classes);
  EXPECT_EQ(read.preprocessing, checkpoint.preprocessing);
  EXPECT_EQ(read.provenance, checkpoint.provenance);
  EXPECT_TRUE(foreign.empty());
}

TEST(ModelMetadata, AHeadThatIsNoSoftmaxComesBack) {
  Checkpoint checkpoint;
  checkpoint.model.architecture = "resnet18";
  checkpoint.head = {.kind = Head::Kind::kOneVsRest, .platt_a = {-1.5, 1.0 / 3}, .platt_b = {0.25, -1e-9}};
  const Texts texts = to_texts(metadata_of(checkpoint));
  ASSERT_EQ(texts[3].first, "head");
  EXPECT_EQ(texts[3].second,
            "{\"kind\":\"one_vs_rest\",\"platt_a\":[-1.5,0.3333333333333333],\"platt_b\":[0.25,-1e-09]}");
  EXPECT_EQ(from_texts(texts).head, checkpoint.head);
  std::vector<std::string> foreign;
  EXPECT_EQ(from_texts({{"head", "{\"kind\":\"one_vs_rest\",\"platt_a\":[1],\"platt_b\":[]}"}}, &foreign).head, Head());
  EXPECT_EQ(from_texts({{"head", "fc"}}, &foreign).head, Head());
  EXPECT_EQ(foreign, (std::vector<std::string>{"head", "head"}));
}

TEST(ModelMetadata, RangesOfActivationsComeBackToTheBit) {
  Checkpoint checkpoint;
  checkpoint.model.architecture = "resnet18";
  checkpoint.quantization = {.pictures = 256, .activations = {{"input", -2.1F, 2.640625F}, {"conv1", 0, 1.0F / 3}}};
  const Texts texts = to_texts(metadata_of(checkpoint));
  ASSERT_EQ(texts[3].first, "quantization");
  EXPECT_EQ(from_texts(texts).quantization, checkpoint.quantization);
  EXPECT_FALSE(from_texts({{"architecture", "resnet18"}}).quantization);
  for (const char* other :
       {"int8", R"({"pictures":0,"activations":[]})", R"({"pictures":1,"activations":[["input",1]]})",
        R"({"pictures":1,"activations":[["input",2,1]]})", R"({"pictures":1,"activations":[["input",0,1e300]]})",
        R"({"pictures":1,"activations":[["a",0,1],["a",0,1]]})", R"({"pictures":1,"activations":[[1,0,1]]})"}) {
    std::vector<std::string> foreign;
    EXPECT_FALSE(from_texts({{"quantization", other}}, &foreign).quantization) << other;
    EXPECT_THAT(foreign, ElementsAre("quantization")) << other;
  }
}

TEST(ModelMetadata, NamesThatAreNoUtf8StayReadable) {
  ModelMetadata metadata;
  metadata.classes = {{"caf\xE9", "ok"}};
  EXPECT_THAT(*from_texts(to_texts(metadata)).classes, ElementsAre("caf\xEF\xBF\xBD", "ok"));
}

TEST(ModelMetadata, LeavesWhatAnotherProgramWrote) {
  const std::vector<Texts> others = {
      {{"classes", "ants, bees"}},
      {{"classes", "{\"0\":\"ant\"}"}},
      {{"classes", "[1, 2]"}},
      {{"preprocessing", "[]"}},
      {{"preprocessing", R"({"resize":256,"crop":224,"mean":[0.5],"std":[0.5],"interpolation":"bilinear"})"}},
      {{"preprocessing", R"({"resize":1e30,"crop":224,"mean":[0,0,0],"std":[1,1,1],"interpolation":"bilinear"})"}},
      {{"preprocessing", R"({"resize":0,"crop":224,"mean":[0,0,0],"std":[1,1,1],"interpolation":"bilinear"})"}},
      {{"preprocessing", R"({"resize":256,"crop":-1,"mean":[0,0,0],"std":[1,1,1],"interpolation":"bilinear"})"}},
      {{"preprocessing", R"({"resize":256,"crop":224,"mean":[0,0,0],"std":[1,0,1],"interpolation":"bilinear"})"}},
      {{"preprocessing", R"({"resize":256,"crop":224,"mean":[0,1e300,0],"std":[1,1,1],"interpolation":"bilinear"})"}},
      {{"provenance", "by hand"}},
      {{"options", "[1]"}},
      {{"options", R"({"groups":-1})"}},
      {{"options", R"({"groups":18446744073709551615})"}},
      {{"classes", std::string(100000, '[')}}};
  for (const Texts& texts : others) {
    std::vector<std::string> foreign;
    const ModelMetadata read = from_texts(texts, &foreign);
    EXPECT_THAT(foreign, ElementsAre(texts[0].first)) << texts[0].second.substr(0, 200);
    EXPECT_FALSE(read.model || read.classes || read.preprocessing);
    EXPECT_TRUE(read.provenance.empty());
  }
  const ModelMetadata other = from_texts({{"format", "pt"}, {"epoch", "{"}});
  EXPECT_TRUE(to_texts(other).empty());
}

TEST(ModelMetadata, RefusesANetworkThatItCannotBuild) {
  for (const auto& [options, sentence] :
       {std::pair{R"({"norm":"layer"})", "the norm \"layer\""}, std::pair{R"({"shortcut":"pool"})", "the shortcut"},
        std::pair{R"({"block":"basic","layers":[1,0]})", "blocks in a stage 0"}})
    expect_error(ErrorKind::kData, {sentence}, [&, given = options] {
      from_texts({{"architecture", "resnet"}, {"options", given}});
    });
}

TEST(ModelMetadata, RefusesAnInterpolationThatItCannotDo) {
  expect_error(ErrorKind::kData, {"lanczos", "bilinear and bicubic only"}, [] {
    from_texts(
        {{"preprocessing", R"({"resize":256,"crop":224,"mean":[0,0,0],"std":[1,1,1],"interpolation":"lanczos"})"}});
  });
  const ModelMetadata bicubic = from_texts(
      {{"preprocessing", R"({"resize":303,"crop":288,"mean":[0,0,0],"std":[1,1,1],"interpolation":"bicubic"})"}});
  ASSERT_TRUE(bicubic.preprocessing);
  EXPECT_EQ(bicubic.preprocessing->interpolation, "bicubic");
}

}  // namespace
}  // namespace resflow
