#include "graph/model/model_zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/core/error.h"

namespace resflow {
namespace {

using ::testing::HasSubstr;

std::string error_of_building(const ModelDescription& description) {
  try {
    build_model(description);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

TEST(ModelZoo, AnUnknownNameListsTheKnownOnes) {
  const std::string sentence = error_of_building({.architecture = "resnet35"});
  EXPECT_THAT(sentence, HasSubstr("\"resnet35\""));
  for (const std::string& name : model_names()) EXPECT_THAT(sentence, HasSubstr(name));
}

TEST(ModelZoo, WhatTheNameSaysCannotBeOverridden) {
  EXPECT_THAT(error_of_building({.architecture = "resnext50_32x4d", .groups = 16}), HasSubstr("has groups 32, got 16"));
  EXPECT_THAT(error_of_building({.architecture = "wide_resnet50_2", .width_per_group = 64}),
              HasSubstr("has width_per_group 128, got 64"));
  EXPECT_EQ(error_of_building({.architecture = "resnext50_32x4d", .groups = 32}), "no error");
}

TEST(ModelZoo, Resnet50WithGroupsIsResnext50) {
  const auto plain = build_model({.architecture = "resnet50", .groups = 32, .width_per_group = 4}).parameters();
  const auto named = build_model({.architecture = "resnext50_32x4d"}).parameters();
  ASSERT_EQ(plain.size(), named.size());
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_EQ(plain[i].name, named[i].name);
    EXPECT_EQ(plain[i].dims, named[i].dims);
  }
}

TEST(ModelZoo, NumClassesSetsTheLinearLayerAlone) {
  const auto ten = build_model({.architecture = "resnet18", .num_classes = 10}).parameters();
  const auto thousand = build_model({.architecture = "resnet18"}).parameters();
  for (size_t i = 0; i + 2 < ten.size(); ++i) EXPECT_EQ(ten[i].dims, thousand[i].dims);
  EXPECT_EQ(ten[ten.size() - 2].dims, (Dims{10, 512}));
  EXPECT_EQ(ten.back().dims, (Dims{10}));
}

}  // namespace
}  // namespace resflow
