#include "graph/model/recognise.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "graph/model/model_zoo.h"
#include "tests/io/expect_error.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<TensorEntry> tensors_of(const ModelDescription& description) {
  std::vector<TensorEntry> tensors;
  for (const ParameterSpec& spec : build_model(description).parameters())
    tensors.push_back({spec.name, spec.dtype, spec.dims});
  return tensors;
}

TensorEntry& entry_named(std::vector<TensorEntry>& tensors, const std::string& name) {
  return *std::find_if(tensors.begin(), tensors.end(), [&](const TensorEntry& t) { return t.name == name; });
}

TEST(Recognise, EachOfTheTenByNamesAndDimsWithItsClasses) {
  for (const std::string& name : model_names()) {
    for (const int64_t classes : {1, 1000}) {
      std::vector<TensorEntry> tensors = tensors_of({.architecture = name, .num_classes = classes});
      std::reverse(tensors.begin(), tensors.end());  // order says nothing
      const ModelMatch match = recognise_model(tensors);
      EXPECT_TRUE(match.fit.fits()) << to_sentence(match.fit);
      EXPECT_EQ(match.description, (ModelDescription{.architecture = name, .num_classes = classes}));
    }
  }
}

// The tensors as torchvision's own models list them.
TEST(Recognise, EachOfTheTenAsTorchvisionHasIt) {
  if (!testing::python_has({"torch", "torchvision"})) GTEST_SKIP() << "no torchvision in /usr/bin/python3";
  std::istringstream lines(testing::run_python("graph/model/shapes.py", model_names()));
  std::vector<TensorEntry> tensors;
  std::vector<std::string> recognised;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, dtype;
    words >> name >> dtype;
    if (name == "end") {
      const ModelMatch match = recognise_model(tensors);
      EXPECT_TRUE(match.fit.fits()) << dtype << ": " << to_sentence(match.fit);
      EXPECT_EQ(match.description.num_classes, 7);
      EXPECT_EQ(match.description.architecture, dtype);
      recognised.push_back(match.description.architecture);
      tensors.clear();
      continue;
    }
    Dims dims;
    for (int64_t dim = 0; words >> dim;) dims.push_back(dim);
    tensors.push_back({name, dtype_from_name(dtype), dims});
  }
  EXPECT_EQ(recognised, model_names());
}

TEST(Recognise, OldFilesWithoutCountsOfBatches) {
  std::vector<TensorEntry> tensors = tensors_of({.architecture = "resnet34"});
  const size_t whole = tensors.size();
  std::erase_if(tensors, [](const TensorEntry& t) { return t.name.ends_with("num_batches_tracked"); });
  const ModelMatch match = recognise_model(tensors);
  EXPECT_TRUE(match.fit.fits());
  EXPECT_EQ(match.description.architecture, "resnet34");
  EXPECT_EQ(match.fit.counts_absent, static_cast<int64_t>(whole - tensors.size()));
  EXPECT_EQ(match.fit.counts_absent, 36);
}

TEST(Recognise, AnyFloatsButNoIntegersAreWeights) {
  std::vector<TensorEntry> tensors = tensors_of({.architecture = "resnet18"});
  for (TensorEntry& t : tensors)
    if (t.dtype == DType::kF32) t.dtype = DType::kBF16;
  EXPECT_TRUE(recognise_model(tensors).fit.fits());
  EXPECT_EQ(compare_weights({.architecture = "resnet18"}, tensors, DTypeRule::kExact).misshapen.size(), 102U);
  entry_named(tensors, "conv1.weight").dtype = DType::kU8;
  const ModelMatch match = recognise_model(tensors);
  EXPECT_EQ(match.description.architecture, "resnet18");
  EXPECT_EQ(to_sentence(match.fit), "misshapen: conv1.weight has u8 (64,3,7,7), model wants f32 (64,3,7,7)");
}

TEST(Recognise, TheNearestWhereNoneFits) {
  std::vector<TensorEntry> tensors = tensors_of({.architecture = "wide_resnet50_2", .num_classes = 3});
  std::erase_if(tensors,
                [](const TensorEntry& t) { return t.name == "layer1.0.bn1.bias" || t.name == "conv1.weight"; });
  entry_named(tensors, "layer4.2.conv3.weight").dims = {2048, 1024, 1};
  tensors.push_back({"head.weight", DType::kF32, {1}});
  tensors.push_back(tensors.front());
  const ModelMatch match = recognise_model(tensors);
  EXPECT_FALSE(match.fit.fits());
  EXPECT_EQ(match.description.architecture, "wide_resnet50_2");
  EXPECT_EQ(match.description.num_classes, 3);
  EXPECT_THAT(match.fit.missing, ElementsAre("conv1.weight", "layer1.0.bn1.bias"));
  EXPECT_THAT(match.fit.unexpected, ElementsAre("head.weight", "bn1.weight"));
  ASSERT_EQ(match.fit.misshapen.size(), 1U);
  EXPECT_EQ(match.fit.misshapen[0].wanted.dims, (Dims{2048, 1024, 1, 1}));
  EXPECT_EQ(match.fit.differences(), 5U);
}

TEST(Recognise, OfNothingAllIsMissing) {
  const ModelMatch match = recognise_model({});
  EXPECT_EQ(match.description.num_classes, 1000);
  EXPECT_EQ(match.fit.missing.size(), 102U);
  EXPECT_THAT(match.fit.unexpected, IsEmpty());
}

TEST(Recognise, FcOfAnotherClassCountIsMisshapenForADescription) {
  const WeightsFit fit = compare_weights({.architecture = "resnet18", .num_classes = 4},
                                         tensors_of({.architecture = "resnet18"}), DTypeRule::kConvertible);
  EXPECT_EQ(to_sentence(fit),
            "misshapen: fc.weight has f32 (1000,512), model wants f32 (4,512), fc.bias has f32 (1000), model wants f32 "
            "(4)");
}

TEST(Recognise, SentencesStayReadable) {
  WeightsFit fit;
  for (int i = 0; i < 33; ++i) fit.unexpected.push_back(fmt::format("t{}", i));
  fit.missing = {"a"};
  const std::string sentence = to_sentence(fit);
  EXPECT_THAT(sentence, HasSubstr("missing: a; unexpected: t0, t1, "));
  EXPECT_TRUE(sentence.ends_with("t18, t19 and 13 more")) << sentence;
  EXPECT_TRUE(to_sentence(fit, 33).ends_with("t31, t32"));
  EXPECT_EQ(to_sentence(WeightsFit()), "");
}

TEST(Recognise, AnUnknownArchitectureIsWrongUsage) {
  testing::expect_error(ErrorKind::kUsage, {"resnet19", "resnet18"}, [] { match_model("resnet19", {}); });
}

}  // namespace
}  // namespace resflow
