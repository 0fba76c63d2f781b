#include "apps/model/structure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/model/model_zoo.h"
#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using testing::expect_error;

TEST(Structure, OptionsBesideANameAreDescribed) {
  const ModelDescription dilated = description_of("resnet50", {.replace_stride_with_dilation = {0, 1, 1}}, 7);
  EXPECT_EQ(dilated.architecture, "resnet50");
  EXPECT_EQ(dilated.num_classes, 7);
  EXPECT_EQ(dilated.replace_stride_with_dilation, (std::vector<bool>{false, true, true}));
  EXPECT_EQ(to_text(description_of("resnet18", {.norm = "group", .stem = "cifar"}, 1)),
            "resnet18 (norm group, stem cifar)");
  EXPECT_EQ(to_text(description_of("resnet", {.block = "bottleneck", .layers = {3, 4, 6, 3}}, 1)), "resnet50");
}

TEST(Structure, ComesBackFromADescription) {
  const std::vector<std::pair<std::string, StructureOptions>> all = {
      {"resnet50", {}},
      {"resnet50", {.zero_init_residual = true, .replace_stride_with_dilation = {0, 0, 1}}},
      {"resnet20", {.norm = "group", .norm_groups = 4, .shortcut = "projection"}},
      {"resnet",
       {.block = "bottleneck", .layers = {1, 2}, .groups = 2, .width_per_group = 8, .channels = 32, .stem = "cifar"}},
      {"resnet34", {.no_residual = true}}};
  for (const auto& [architecture, options] : all) {
    const ModelDescription description = description_of(architecture, options, 3);
    EXPECT_EQ(description.architecture, architecture);
    EXPECT_EQ(structure_of(description), options) << to_text(description);
  }
}

TEST(Structure, ANameAndBlocksOfItsOwnExcludeEachOther) {
  const StructureOptions whole = {.block = "basic", .layers = {1}};
  EXPECT_EQ(model_or_unnamed("resnet34", false, {}), "resnet34");
  EXPECT_EQ(model_or_unnamed("resnet34", false, whole), "resnet");
  EXPECT_EQ(model_or_unnamed("resnet", true, whole), "resnet");
  expect_error(ErrorKind::kUsage, {"resnet34", "has its own"}, [&] { model_or_unnamed("resnet34", true, whole); });
  expect_error(ErrorKind::kUsage, {"go together"}, [] { model_or_unnamed("resnet34", false, {.layers = {1}}); });
}

TEST(Structure, WhatCannotBeIsWrongUsage) {
  const auto refuse = [](const std::string& words, const StructureOptions& options, const char* name = "resnet50") {
    expect_error(ErrorKind::kUsage, {words}, [&] { description_of(name, options, 1); });
  };
  refuse("has 2: wanted 0 or 1", {.replace_stride_with_dilation = {0, 2, 0}});
  refuse("2 elements: wanted one for each stage after the first, 3", {.replace_stride_with_dilation = {0, 1}});
  refuse("norm is layer: wanted batch or group", {.norm = "layer"});
  refuse("shortcut is pool", {.shortcut = "pool"});
  refuse("48 groups do not divide the 64 channels", {.norm = "group", .norm_groups = 48});
  refuse("is -1: wanted at least 1", {.groups = -1});
  refuse("no_residual has neither", {.shortcut = "padding", .no_residual = true});
  refuse("blocks in a stage is 0", {.block = "basic", .layers = {0, 1}}, "resnet");
  refuse("stages in layers is 64", {.block = "basic", .layers = std::vector<int64_t>(64, 1)}, "resnet");
}

// A file shows its blocks, and what it does not show may be told.
TEST(Structure, WhatIsGivenStandsInPlaceOfWhatAFileSays) {
  const ModelDescription twenty = {.architecture = "resnet20", .num_classes = 10};
  EXPECT_EQ(with_structure(twenty, {}), twenty);
  EXPECT_EQ(to_text(with_structure(twenty, {.no_residual = true})), "resnet20 (no residual)");
  EXPECT_EQ(to_text(with_structure(twenty, {.block = "basic", .layers = {3, 3, 3}})), "resnet20");
  EXPECT_EQ(to_text(with_structure(twenty, {.block = "basic", .layers = {5, 5, 5}})), "resnet32");
  EXPECT_EQ(with_structure(twenty, {.no_residual = true}).num_classes, 10);
  EXPECT_EQ(to_text(with_structure({.architecture = "resnet18", .norm = "group", .norm_groups = 8}, {.norm = "batch"})),
            "resnet18");
}

TEST(Structure, PicturesForCifarAreTakenWhole) {
  const Preprocessing cifar = usual_preprocessing({.architecture = "resnet20"}, 32);
  EXPECT_EQ(cifar.resize, 32);
  EXPECT_EQ(cifar.crop, 32);
  EXPECT_EQ(cifar.mean, Preprocessing().mean);
  EXPECT_EQ(usual_preprocessing({.architecture = "resnet18"}, 224), Preprocessing());
}

}  // namespace
}  // namespace resflow
