// resflow quantize, and --precision of the commands that score.
//
// Covers: apps/model/precision apps/options/precision_options
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "graph/model/trained_model.h"
#include "graph/plan/plan.h"
#include "io/checkpoint/checkpoint.h"
#include "io/images/png_encode.h"
#include "pipeline/loader.h"
#include "tests/apps/made_weights.h"
#include "tests/apps/program.h"
#include "tests/apps/runs.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kValPictures = 30;  // a class

// A model that has learnt to tell three surfaces apart, quantized; made once for all tests.
struct Trained {
  Trained() {
    draw_photos(data + "/train", 3, 40);
    draw_photos(data + "/val", 3, kValPictures, 1000);
    const ProcessResult trained =
        resflow({"train", data, "--out", folder / "run", "--model", "resnet18", "--image-size", "48", "--batch", "8",
                 "--epochs", "4", "--lr", "1e-3", "--threads", "2"});
    EXPECT_EQ(trained.exit_code, 0) << trained.err;
    result = resflow({"quantize", model, data, "--out", quantized, "--samples", "60", "--json", folder / "q.json",
                      "--max-drop", "4"});
  }

  TemporaryFolder folder;
  std::string data = folder / "data", model = folder / "run/last.resflow", quantized = folder / "q.resflow";
  ProcessResult result;
};

class QuantizeProgram : public ::testing::Test {
 protected:
  static const Trained& trained() {
    static const Trained once;
    return once;
  }

  TemporaryFolder folder_;
};

ProcessResult on_cpu(const std::string& isa, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), RESFLOW_PROGRAM);
  return run_process(arguments, {.input = {}, .environment = {"ONEDNN_MAX_CPU_ISA=" + isa}});
}

std::vector<std::string> classes_of(const std::string& csv) {
  std::istringstream rows(csv);
  std::vector<std::string> classes;
  std::string row;
  std::getline(rows, row);
  while (std::getline(rows, row)) {
    const size_t begin = row.find(',') + 1;
    classes.push_back(row.substr(begin, row.find(',', begin) - begin));
  }
  return classes;
}

double agreement(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  EXPECT_EQ(a.size(), b.size());
  double same = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) same += a[i] == b[i] ? 1 : 0;
  return same / static_cast<double>(a.size());
}

TEST_F(QuantizeProgram, WritesAFileThatScoresInEightBitsAsWellAsInF32) {
  const Trained& t = trained();
  ASSERT_EQ(t.result.exit_code, 0) << t.result.err << t.result.out;
  EXPECT_THAT(t.result.out, HasSubstr("calibrated on 60 pictures of " + t.data + "/train"));
  EXPECT_THAT(t.result.out, HasSubstr("wrote      " + t.quantized));
  const auto json = nlohmann::json::parse(read_text(t.folder / "q.json"));
  EXPECT_EQ(json.at("pictures"), 3 * kValPictures);
  EXPECT_EQ(json.at("calibration").at("pictures"), 60);
  EXPECT_GE(json.at("accuracy_f32").get<double>(), 0.6);  // it has learnt: three classes
  EXPECT_GE(json.at("agreement").get<double>(), 0.95);

  const std::vector<std::string> f32 = classes_of(resflow({"score", t.model, t.data + "/val"}).out);
  EXPECT_EQ(classes_of(resflow({"score", t.quantized, t.data + "/val"}).out), f32);  // f32 unless asked for
  for (const char* precision : {"bf16", "int8"}) {
    SCOPED_TRACE(precision);
    std::vector<std::string> arguments = {"score",   t.quantized, t.data + "/val",   "--precision",
                                          precision, "--json",    folder_ / "s.json"};
    if (precision == std::string("bf16")) arguments.emplace_back("--force-precision");
    const ProcessResult scored = resflow(arguments);
    ASSERT_EQ(scored.exit_code, 0) << scored.err;
    EXPECT_GE(agreement(classes_of(scored.out), f32), 0.95);
    EXPECT_EQ(nlohmann::json::parse(read_text(folder_ / "s.json")).at("precision"), precision);
  }
  // evaluate counts what quantize counted.
  const ProcessResult evaluated =
      resflow({"evaluate", t.quantized, t.data, "--precision", "int8", "--json", folder_ / "e.json"});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  const auto figures = nlohmann::json::parse(read_text(folder_ / "e.json"));
  EXPECT_EQ(figures.at("precision"), "int8");
  EXPECT_NEAR(figures.at("accuracy").get<double>(), json.at("accuracy_int8").get<double>(), 1e-9);
}

TEST_F(QuantizeProgram, LogitsStayNearThoseOfF32) {
  const Trained& t = trained();
  const Compute compute(2);
  const TrainedModel model = load_trained_model(t.quantized, compute);
  const Dataset data = list_image_folder(t.data + "/val");
  const int side = model.preprocessing.crop;
  Plan f32(*model.model, {.batch = 30, .height = side, .width = side});
  Plan bf16(*model.model, {.batch = 30, .height = side, .width = side, .precision = Precision::kBf16});
  Plan int8(*model.model, {.batch = 30, .height = side, .width = side, .precision = Precision::kInt8});
  double largest = 0, bf16_difference = 0, int8_difference = 0;
  Loader loader(data, Recipe::eval(model.preprocessing), {.batch = 30, .threads = 2, .shuffle = false});
  loader.run(0, 0, [&](const Batch& batch) {
    const auto wanted = f32.forward(batch.pixels, batch.size);
    const std::vector<float> logits(wanted.begin(), wanted.end());
    const auto differ = [&](Plan& plan) {
      const auto got = plan.forward(batch.pixels, batch.size);
      double difference = 0;
      for (size_t i = 0; i < static_cast<size_t>(batch.size) * 3; ++i)
        difference = std::max(difference, std::abs(static_cast<double>(got[i]) - logits[i]));
      return difference;
    };
    for (const float logit : logits) largest = std::max(largest, std::abs(static_cast<double>(logit)));
    bf16_difference = std::max(bf16_difference, differ(bf16));
    int8_difference = std::max(int8_difference, differ(int8));
    return true;
  });
  RecordProperty("bf16", std::to_string(bf16_difference / largest));
  RecordProperty("int8", std::to_string(int8_difference / largest));
  EXPECT_LE(bf16_difference / largest, 0.03);
  EXPECT_LE(int8_difference / largest, 0.15);
}

TEST_F(QuantizeProgram, TheFileIsAsBeforeAndItsRangesSurviveConverting) {
  const Trained& t = trained();
  const Checkpoint before = load_checkpoint(t.model), after = load_checkpoint(t.quantized);
  expect_same_arrays(before.parameters, after.parameters);
  expect_same_arrays(before.optimizer, after.optimizer);
  EXPECT_EQ(before.classes, after.classes);
  EXPECT_TRUE(before.preprocessing == after.preprocessing);
  EXPECT_EQ(before.training.step, after.training.step);
  EXPECT_FALSE(before.quantization);
  ASSERT_TRUE(after.quantization);
  EXPECT_EQ(after.quantization->pictures, 60);
  EXPECT_EQ(after.quantization->activations.size(), 21U);  // the input, 17 convolutions and 3 projections
  EXPECT_EQ(after.provenance.back().first, "quantized");

  const std::string tensors = folder_ / "q.safetensors", back = folder_ / "back.resflow", onnx = folder_ / "q.onnx";
  ASSERT_EQ(resflow({"convert", t.quantized, tensors}).exit_code, 0);
  ASSERT_EQ(resflow({"convert", tensors, back}).exit_code, 0);
  EXPECT_EQ(load_checkpoint(back).quantization, after.quantization);
  EXPECT_EQ(resflow({"score", tensors, t.data + "/val", "--precision", "int8"}).out,
            resflow({"score", t.quantized, t.data + "/val", "--precision", "int8"}).out);
  const ProcessResult to_pth = resflow({"convert", t.quantized, folder_ / "q.pth"});
  EXPECT_EQ(to_pth.exit_code, 0);
  EXPECT_THAT(to_pth.err, HasSubstr("no place for the ranges"));

  EXPECT_THAT(resflow({"inspect", t.quantized}).out, HasSubstr("int8: ranges of 21 activations from 60 pictures"));
  EXPECT_THAT(resflow({"inspect", t.model}).out, Not(HasSubstr("int8")));
  const auto seen = nlohmann::json::parse(resflow({"inspect", tensors, "--json"}).out);
  EXPECT_EQ(seen.at("quantization").at("activations").size(), 21U);
  EXPECT_TRUE(nlohmann::json::parse(resflow({"inspect", t.model, "--json"}).out).at("quantization").is_null());
}

TEST_F(QuantizeProgram, WithoutLabelsItSaysHowOftenBothAgree) {
  const Trained& t = trained();
  for (int i = 0; i < 6; ++i) write_text(folder_ / "any/" + std::to_string(i) + ".jpg", photo_bytes(i % 3, 500 + i));
  write_text(folder_ / "any/broken.jpg", "no picture");
  const ProcessResult result = resflow({"quantize", t.model, folder_ / "any", "--out", folder_ / "q.resflow"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("the class of f32 for "));
  EXPECT_THAT(result.out, HasSubstr("% of 6 pictures in " + (folder_ / "any")));
  EXPECT_THAT(result.out, HasSubstr("accuracy is not known"));
  EXPECT_THAT(result.out, HasSubstr("left out   1 picture that could not be read"));
  EXPECT_EQ(load_checkpoint(folder_ / "q.resflow").quantization->pictures, 6);
}

// Ranges learnt from a picture of the mean colour alone, which is all but zero for the network, clip the rest away.
TEST_F(QuantizeProgram, BeyondTheAllowedDropNothingIsWritten) {
  const Trained& t = trained();
  Image grey;
  grey.resize(60, 60);
  constexpr uint8_t kMean[] = {124, 116, 104};
  for (int y = 0; y < 60; ++y)
    for (size_t i = 0; i < grey.row_bytes(); ++i) grey.row(y)[i] = kMean[i % 3];
  const std::vector<uint8_t> png = encode_png(grey);
  write_text(folder_ / "data/train/fence/grey.png", {png.begin(), png.end()});
  fs::copy(t.data + "/val", folder_ / "data/val", fs::copy_options::recursive);
  const std::string out = folder_ / "q.resflow";
  const ProcessResult result = resflow({"quantize", t.model, folder_ / "data", "--out", out});
  EXPECT_EQ(result.exit_code, 3) << result.out;
  EXPECT_THAT(result.err, HasSubstr("not written"));
  EXPECT_THAT(result.err, HasSubstr("--max-drop is 1"));
  EXPECT_FALSE(fs::exists(out));
  EXPECT_EQ(resflow({"quantize", t.model, folder_ / "data", "--out", out, "--max-drop", "100"}).exit_code, 0);
}

TEST_F(QuantizeProgram, RefusesWhatCannotBe) {
  const auto refused = [](const ProcessResult& result, int exit_code, const std::string& words) {
    EXPECT_EQ(result.exit_code, exit_code) << result.out;
    EXPECT_THAT(result.err, HasSubstr(words));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  };
  const std::string model = folder_ / "m.resflow", data = folder_ / "data", out = folder_ / "q.resflow";
  save_checkpoint(made_checkpoint(), model);
  draw_photos(data, 3, 1);
  refused(resflow({"score", model, data, "--precision", "int8"}), 2, "is not quantized; resflow quantize " + model);
  refused(resflow({"evaluate", model, data, "--precision", "int8"}), 2, "is not quantized");
  refused(resflow({"score", model, data, "--precision", "f16"}), 2, "--precision f16: wanted f32, bf16 or int8");
  refused(resflow({"score", model, data, "--force-precision"}), 2, "--force-precision");
  refused(resflow({"quantize", model, data, "--out", model}), 2, "another name");
  refused(resflow({"quantize", model, data, "--out", out, "--samples", "0"}), 2, "--samples");
  refused(resflow({"quantize", model, data, "--out", out, "--max-drop", "-1"}), 2, "--max-drop");
  refused(resflow({"quantize", folder_ / "absent.resflow", data, "--out", out}), 3, "absent.resflow");
  write_text(folder_ / "broken/1.jpg", "no picture");
  refused(resflow({"quantize", model, folder_ / "broken", "--out", out}), 3, "not one of 1 picture could be read");
  EXPECT_FALSE(fs::exists(out));
}

// As far as oneDNN may use it, the CPU is one without the instructions.
TEST_F(QuantizeProgram, WithoutTheInstructionsBf16IsRefusedUnlessForcedAndInt8RunsAndSaysSo) {
  const std::string model = folder_ / "m.resflow", data = folder_ / "data", quantized = folder_ / "q.resflow";
  save_checkpoint(made_checkpoint(), model);
  draw_photos(data, 3, 1);
  ASSERT_EQ(resflow({"quantize", model, data, "--out", quantized, "--max-drop", "100"}).exit_code, 0);
  for (const char* isa : {"AVX2", "AVX512_CORE"}) {
    SCOPED_TRACE(isa);
    const ProcessResult refused = on_cpu(isa, {"score", quantized, data, "--precision", "bf16"});
    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.err, HasSubstr("no bf16 instructions"));
    const std::string f32 = on_cpu(isa, {"score", quantized, data}).out;
    for (const ProcessResult& result :
         {on_cpu(isa, {"score", quantized, data, "--precision", "bf16", "--force-precision"}),
          on_cpu(isa, {"score", quantized, data, "--precision", "int8"})}) {
      EXPECT_EQ(result.exit_code, 0) << result.err;
      EXPECT_THAT(result.err, HasSubstr("no faster than f32, or slower"));
      EXPECT_EQ(classes_of(result.out).size(), classes_of(f32).size());
    }
    EXPECT_THAT(on_cpu(isa, {"quantize", model, data, "--out", folder_ / "r.resflow", "--max-drop", "100"}).err,
                HasSubstr("no int8 instructions"));
  }
}

TEST_F(QuantizeProgram, BenchScoresInEveryPrecision) {
  for (const char* precision : {"f32", "bf16", "int8"}) {
    std::vector<std::string> arguments = {"bench",       "score",   "--model", "resnet18",        "--image-size",
                                          "64",          "--batch", "2",       "--seconds",       "0.1",
                                          "--precision", precision, "--json",  folder_ / "b.json"};
    if (precision == std::string("bf16")) arguments.emplace_back("--force-precision");
    const ProcessResult result = resflow(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(nlohmann::json::parse(read_text(folder_ / "b.json")).at("precision"), precision);
  }
}

}  // namespace
}  // namespace resflow::testing
