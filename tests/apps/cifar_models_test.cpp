// Public trained networks for CIFAR-10, from their files to scores, and on to other files and runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "io/checkpoint/checkpoint.h"
#include "tests/apps/program.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow::testing {
namespace {

using ::testing::HasSubstr;

const std::string kShared = RESFLOW_SHARED_DIR;

struct Said {
  std::string label;
  double probability = 0;
};

class CifarModels : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kShared + "/data/cifar_resnet")) GTEST_SKIP() << "no shared data";
    if (!python_has({"torch", "torchvision"})) GTEST_SKIP() << "needs python3-torch and python3-torchvision";
    run_python("apps/cifar_models.py", {kShared, folder_.path().string()});
    std::string names;
    for (const auto& entry : std::filesystem::directory_iterator(pictures_)) classes_.insert(entry.path().filename());
    for (const std::string& name : classes_) names += name + "\n";
    write_text(names_, names);
  }

  // What PyTorch says of each picture.
  std::map<std::string, Said> wanted(const std::string& name) const {
    std::map<std::string, Said> all;
    std::istringstream lines(read_text(folder_ / (name + ".txt")));
    for (std::string picture, label, probability; lines >> picture >> label >> probability;)
      all[picture] = {label, std::stod(probability)};
    return all;
  }

  void expect_scores(const std::string& model, const std::string& name, const std::vector<std::string>& more = {}) {
    const std::string csv = folder_ / "scores.csv";
    std::vector<std::string> all = {"score", model, pictures_, "--out", csv, "--threads", "2"};
    all.insert(all.end(), more.begin(), more.end());
    const ProcessResult result = resflow(all);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    std::map<std::string, Said> left = wanted(name);
    ASSERT_EQ(left.size(), 50U);
    std::istringstream rows(read_text(csv));
    std::string row;
    std::getline(rows, row);
    while (std::getline(rows, row)) {
      std::istringstream fields(row.substr(pictures_.size() + 1));
      std::string picture, label, probability;
      std::getline(fields, picture, ',');
      std::getline(fields, label, ',');
      std::getline(fields, probability, ',');
      ASSERT_TRUE(left.contains(picture)) << row;
      EXPECT_EQ(label, left[picture].label) << picture;
      EXPECT_NEAR(std::stod(probability), left[picture].probability, 1e-4) << picture;
      left.erase(picture);
    }
    EXPECT_TRUE(left.empty());
  }

  static std::string file(const std::string& name) { return kShared + "/data/cifar_resnet/" + name + ".th"; }

  TemporaryFolder folder_;
  std::string pictures_ = folder_ / "pictures", names_ = folder_ / "names.txt";
  std::set<std::string> classes_;
};

TEST_F(CifarModels, AreRecognisedScoredAndConvertedAsPyTorchHasThem) {
  for (const auto& [name, model] : {std::pair{"resnet20-12fca82f", "resnet20"}, {"resnet44-014dd654", "resnet44"}}) {
    SCOPED_TRACE(name);
    const ProcessResult inspected = resflow({"inspect", file(name)});
    EXPECT_THAT(inspected.out, HasSubstr(std::string(model) + " with 10 classes: all tensors fit"));
    EXPECT_THAT(inspected.out, HasSubstr("for a picture of 32 x 32"));
    expect_scores(file(name), name, {"--classes", names_});
    // From file to file the values, the names and the sizes of pictures stay.
    const std::string own = folder_ / "own.resflow", tensors = folder_ / "own.safetensors", pth = folder_ / "own.pth";
    ASSERT_EQ(resflow({"convert", file(name), own, "--classes", names_}).exit_code, 0);
    ASSERT_EQ(resflow({"convert", own, tensors}).exit_code, 0);
    ASSERT_EQ(resflow({"convert", tensors, pth}).exit_code, 0);
    expect_scores(own, name);
    expect_scores(tensors, name);
    expect_scores(pth, name, {"--classes", names_});
    EXPECT_EQ(load_checkpoint(own).preprocessing.resize, 32);
    EXPECT_EQ(resflow({"convert", own, folder_ / "own.onnx"}).exit_code, 0);
  }
}

TEST_F(CifarModels, AreTrainedFurtherAtTheirSizeAndQuantized) {
  const std::string run = folder_ / "run";
  const ProcessResult trained = resflow({"train", pictures_, "--weights", file("resnet20-12fca82f"), "--lr", "0",
                                         "--epochs", "1", "--batch", "10", "--threads", "2", "--out", run});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_THAT(trained.out, HasSubstr("resnet20, 269,722 parameters"));
  EXPECT_THAT(trained.out, HasSubstr("97 of 116 tensors"));
  EXPECT_THAT(trained.out, HasSubstr("short side to 32, centre 32 x 32"));
  const Checkpoint best = load_checkpoint(run + "/best.resflow");
  EXPECT_EQ(best.model.architecture, "resnet20");
  EXPECT_EQ(best.preprocessing.crop, 32);
  EXPECT_EQ(resflow({"train", pictures_, "--out", run, "--resume", "--epochs", "2"}).exit_code, 0);
  const std::string quantized = folder_ / "int8.resflow";
  const ProcessResult result = resflow({"quantize", run + "/best.resflow", pictures_, "--out", quantized});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(resflow({"score", quantized, pictures_, "--precision", "int8", "--out", folder_ / "int8.csv"}).exit_code,
            0);
}

}  // namespace
}  // namespace resflow::testing
