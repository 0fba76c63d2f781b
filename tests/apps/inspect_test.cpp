// resflow inspect: models, checkpoints, pictures.
//
// Covers: apps/inspect/file_summary apps/inspect/model_summary
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "io/pth/pth.h"
#include "io/weights/model_metadata.h"
#include "io/weights/safetensors.h"
#include "tests/apps/made_weights.h"
#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(InspectProgram, ShowsLayersShapesParametersAndMultiplyAdds) {
  const ProcessResult result = resflow({"inspect", "resnet18", "--batch", "1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* words : {"layer4.1.conv2", "512x7x7", "11,689,512 parameters", "1.814 G multiply-adds",
                            "memory to score 1 picture at once"})
    EXPECT_THAT(result.out, HasSubstr(words));
}

TEST(InspectProgram, ShowsThePlan) {
  const ProcessResult result =
      resflow({"inspect", "resnet18", "--plan", "--batch", "2", "--image-size", "64", "--mode", "train"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* words : {"implementation", " reorder", "memory to train on 2 pictures at once"})
    EXPECT_THAT(result.out, HasSubstr(words));
}

TEST(InspectProgram, ShowsARunsCheckpointAndAPicture) {
  const TemporaryFolder folder;
  draw_photos(folder / "data", 2, 4);
  ASSERT_EQ(resflow(train_arguments(folder / "data", folder / "run")).exit_code, 0);
  const ProcessResult last = resflow({"inspect", folder / "run/last.resflow"});
  ASSERT_EQ(last.exit_code, 0) << last.err;
  for (const char* words : {"resnet18 with 2 classes: all tensors fit", "fence", "to resume from: adam, 1 epoch done",
                            "--lr 0.001", "layer4.1.conv2.weight                        f32         512x512x3x3"})
    EXPECT_THAT(last.out, HasSubstr(words));
  EXPECT_THAT(last.out, Not(HasSubstr("memory to score")));  // nothing but the header is needed
  const ProcessResult plan = resflow({"inspect", folder / "run/last.resflow", "--plan", "--batch", "1"});
  ASSERT_EQ(plan.exit_code, 0) << plan.err;
  for (const char* words : {"implementation", "512x2x2", "memory to score 1 picture at once"})
    EXPECT_THAT(plan.out, HasSubstr(words));
  const ProcessResult picture = resflow({"inspect", folder / "data/net/00.jpg"});
  EXPECT_EQ(picture.exit_code, 0);
  EXPECT_THAT(picture.out, HasSubstr("JPEG"));
}

TEST(InspectProgram, ShowsEveryFormat) {
  const TemporaryFolder folder;
  const Checkpoint checkpoint = made_checkpoint();
  save_checkpoint(checkpoint, folder / "a.resflow");
  write_pth(checkpoint.parameters, folder / "a.pth");
  Texts texts = to_texts(metadata_of(checkpoint));
  texts.emplace_back("epoch", "seven");
  write_safetensors(checkpoint.parameters, texts, folder / "a.safetensors");
  for (const char* ending : {"resflow", "pth", "safetensors"}) {
    const std::string path = folder / (std::string("a.") + ending);
    const ProcessResult text = resflow({"inspect", path});
    ASSERT_EQ(text.exit_code, 0) << text.err;
    for (const std::string& words :
         {path, std::string("122, 11,187,671 values"), std::string("resnet18 with 3 classes: all tensors fit"),
          std::string("bn1.num_batches_tracked                      i64")})
      EXPECT_THAT(text.out, HasSubstr(words));
    const ProcessResult json = resflow({"inspect", path, "--json"});
    ASSERT_EQ(json.exit_code, 0) << json.err;
    const auto report = nlohmann::json::parse(json.out);
    EXPECT_EQ(report.at("format"), ending);
    EXPECT_EQ(report.at("bytes"), std::filesystem::file_size(path));
    EXPECT_EQ(report.at("tensors").size(), 122U);
    EXPECT_EQ(report.at("tensors")[0],
              nlohmann::json::parse(R"({"name":"conv1.weight","dtype":"f32","shape":[64,3,7,7]})"));
    EXPECT_EQ(report.at("model").at("architecture"), "resnet18");
    EXPECT_EQ(report.at("model").at("classes"), 3);
    EXPECT_EQ(report.at("model").at("fits"), true);
    const bool says_more = std::string(ending) != "pth";
    EXPECT_EQ(report.at("class_names").is_null(), !says_more);
    if (says_more) {
      EXPECT_EQ(report.at("class_names")[2], "pebbles");
      EXPECT_EQ(report.at("preprocessing").at("crop"), 48);
      EXPECT_EQ(report.at("provenance")[0][1], "a test");
      EXPECT_THAT(text.out, HasSubstr("pebbles"));
      EXPECT_THAT(text.out, HasSubstr("short side to 54 (bilinear), centre 48 x 48"));
    }
  }
  EXPECT_THAT(resflow({"inspect", folder / "a.safetensors"}).out, HasSubstr("epoch: seven"));
  const auto report = nlohmann::json::parse(resflow({"inspect", folder / "a.safetensors", "--json"}).out);
  EXPECT_EQ(report.at("metadata").at("epoch"), "seven");
}

TEST(InspectProgram, ReadsTheHeaderAloneAndVerifiesOnRequest) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.resflow";
  Checkpoint checkpoint = made_checkpoint();
  array_named(checkpoint.parameters, "fc.bias").values<float>()[1] = std::nanf("");
  save_checkpoint(checkpoint, path);
  const ProcessResult whole = resflow({"inspect", path, "--verify"});
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_THAT(whole.out, HasSubstr("whole: all values were read"));
  EXPECT_THAT(whole.out, HasSubstr("fc.bias (1 NaN)"));
  std::string bytes = read_text(path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_text(path, bytes);
  EXPECT_EQ(resflow({"inspect", path}).exit_code, 0);
  const ProcessResult damaged = resflow({"inspect", path, "--verify"});
  EXPECT_EQ(damaged.exit_code, 3);
  EXPECT_THAT(damaged.err, HasSubstr("damaged checkpoint: the checksum of layer"));
}

TEST(InspectProgram, SaysHowTwoFilesDiffer) {
  const TemporaryFolder folder;
  Checkpoint checkpoint = made_checkpoint();
  save_checkpoint(checkpoint, folder / "a.resflow");
  write_pth(checkpoint.parameters, folder / "a.pth");
  const ProcessResult same = resflow({"inspect", folder / "a.resflow", "--diff", folder / "a.pth"});
  EXPECT_EQ(same.exit_code, 0) << same.err;
  EXPECT_THAT(same.out, HasSubstr("are the same: 122 tensors, equal to the bit"));

  array_named(checkpoint.parameters, "layer1.0.bn1.bias").values<float>()[0] += 0.25F;
  array_named(checkpoint.parameters, "fc.bias").values<float>()[0] += 4;
  checkpoint.parameters[0].name = "stem.weight";
  checkpoint.parameters[1].array = Array(DType::kF32, {8, 8});
  checkpoint.classes[1] = "rope";
  checkpoint.preprocessing.resize = 60;
  write_safetensors(checkpoint.parameters, to_texts(metadata_of(checkpoint)), folder / "b.safetensors");
  const ProcessResult differs = resflow({"inspect", folder / "a.resflow", "--diff", folder / "b.safetensors"});
  EXPECT_EQ(differs.exit_code, 1) << differs.err;
  for (const char* words :
       {"a.resflow\n  conv1.weight", "b.safetensors\n  stem.weight", "bn1.weight: (64) | (8,8)", "values: 2 of 121",
        "max |difference| 4 ", "max |difference| 0.25 ", "class 1: net | rope", "\"resize\":60"})
    EXPECT_THAT(differs.out, HasSubstr(words));
  EXPECT_LT(differs.out.find("fc.bias"), differs.out.find("layer1.0.bn1.bias"));

  const ProcessResult json = resflow({"inspect", folder / "a.resflow", "--diff", folder / "b.safetensors", "--json"});
  EXPECT_EQ(json.exit_code, 1);
  const auto report = nlohmann::json::parse(json.out);
  EXPECT_EQ(report.at("same"), false);
  EXPECT_EQ(report.at("values")[0].at("name"), "fc.bias");
  EXPECT_NEAR(report.at("values")[0].at("max_difference").get<double>(), 4, 1e-6);  // 4 is added in f32
  EXPECT_EQ(report.at("only_in_second")[0], "stem.weight");
}

TEST(InspectProgram, SaysInShortWhatDoesNotFitAndAllOfItInJson) {
  const TemporaryFolder folder;
  write_pth(made_weights(), folder / "a.pth");
  const ProcessResult result = resflow({"inspect", folder / "a.pth", "--model", "resnet34"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("not resnet34 with 3 classes: 80 differences"));
  EXPECT_THAT(result.out, HasSubstr("missing        layer1.2.conv1.weight"));
  EXPECT_THAT(result.out, HasSubstr("and 75 more"));
  EXPECT_THAT(result.out, Not(HasSubstr("layer4.2.bn2.running_var")));
  const auto json = nlohmann::json::parse(resflow({"inspect", folder / "a.pth", "--model", "resnet34", "--json"}).out);
  const std::vector<std::string> missing = json.at("model").at("missing");
  EXPECT_EQ(missing.size(), 80U);
  EXPECT_THAT(missing, ::testing::Contains("layer4.2.bn2.running_var"));

  std::vector<NamedArray> near = made_weights();
  near[0].name = "stem.weight";
  write_safetensors(near, {}, folder / "near.safetensors");
  const ProcessResult nearest = resflow({"inspect", folder / "near.safetensors"});
  for (const char* words : {"none that resflow knows: it is resnet18 with 3 classes but for 1 of 122 tensors",
                            "missing        conv1.weight"})
    EXPECT_THAT(nearest.out, HasSubstr(words));
  write_safetensors({{"w", Array(DType::kF32, {2})}}, {}, folder / "other.safetensors");
  EXPECT_THAT(resflow({"inspect", folder / "other.safetensors"}).out,
              HasSubstr("none that resflow knows: it is no ResNet: none of its 1 name is one of ours"));
}

TEST(InspectProgram, SaysWhatItCannotShow) {
  const TemporaryFolder folder;
  EXPECT_EQ(resflow({"inspect", "resnet19"}).exit_code, 2);
  write_text(folder / "notes", "no picture");
  EXPECT_EQ(resflow({"inspect", folder / "notes"}).exit_code, 3);
  EXPECT_EQ(resflow({"inspect", "resnet18", "--mode", "dream"}).exit_code, 2);
  EXPECT_EQ(resflow({"inspect", "resnet18", "--classes", "many"}).exit_code, 2);
  EXPECT_EQ(resflow({"inspect", "resnet18", "--json"}).exit_code, 2);
  EXPECT_EQ(resflow({"inspect", folder / "notes", "--diff", folder / "notes"}).exit_code, 3);
  EXPECT_EQ(resflow({"inspect", "resnet18", "--diff", folder / "notes"}).exit_code, 2);
}

}  // namespace
}  // namespace resflow::testing
