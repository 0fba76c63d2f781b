// Weights as other programs leave them, through the commands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "io/weights/weights.h"
#include "tests/apps/environment.h"
#include "tests/apps/program.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ForeignWeights : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!python_has({"torch", "torchvision", "numpy"})) GTEST_SKIP() << "needs python3-torch and python3-torchvision";
    run_python("apps/foreign_weights.py", {folder_ / "made"});
  }

  std::string made(const std::string& name) const { return folder_ / ("made/" + name); }

  // The tensors of the file that convert makes of `name`.
  std::vector<NamedArray> converted(const std::string& name, const std::vector<std::string>& more = {}) const {
    const std::string out = folder_ / "out.safetensors";
    std::vector<std::string> all = {"convert", made(name), out};
    all.insert(all.end(), more.begin(), more.end());
    const ProcessResult result = resflow(all);
    EXPECT_EQ(result.exit_code, 0) << name << ": " << result.err;
    EXPECT_THAT(result.out, HasSubstr("resnet18 with 4 classes")) << name;
    return result.exit_code == 0 ? read_weights(out).tensors : std::vector<NamedArray>();
  }

  static void expect_same(std::vector<NamedArray> got, std::vector<NamedArray> wanted) {
    const auto by_name = [](const NamedArray& a, const NamedArray& b) { return a.name < b.name; };
    std::sort(got.begin(), got.end(), by_name);
    std::sort(wanted.begin(), wanted.end(), by_name);
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(got[i].name, wanted[i].name);
      EXPECT_TRUE(got[i].array == wanted[i].array) << wanted[i].name;
    }
  }

  TemporaryFolder folder_;
};

TEST_F(ForeignWeights, TheModelIsFoundWhereverItLies) {
  const std::vector<NamedArray> plain = read_weights(made("plain.pth")).tensors;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(made("same"))) {
    const std::string name = entry.path().filename().string();
    SCOPED_TRACE(name);
    ++files;
    const std::string own = folder_ / "out.resflow";
    const ProcessResult result = resflow({"convert", entry.path().string(), own});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    expect_same(read_weights(own).tensors, plain);
    EXPECT_THAT(resflow({"inspect", entry.path().string()}).out, HasSubstr("resnet18 with 4 classes: all tensors fit"));
  }
  EXPECT_EQ(files, 16);
}

TEST_F(ForeignWeights, OfSeveralModelsOneIsTakenAloudAndTheOthersCanBe) {
  const std::vector<NamedArray> plain = read_weights(made("plain.pth")).tensors,
                                more = read_weights(made("more.pth")).tensors;
  expect_same(converted("both/keys.pth"), plain);
  expect_same(converted("both/keys.pth", {"--weights-key", "state_dict_ema"}), more);
  expect_same(converted("both/prefixes.pth"), plain);
  expect_same(converted("both/prefixes.pth", {"--weights-prefix", "teacher"}), more);
  const ProcessResult inspected = resflow({"inspect", made("both/keys.pth")});
  EXPECT_THAT(inspected.out, HasSubstr("holds 2 models; taken is that of --weights-key 'state_dict'"));
  EXPECT_THAT(inspected.out, HasSubstr("--weights-key 'state_dict_ema'"));
  const ProcessResult none = resflow({"inspect", made("both/keys.pth"), "--weights-key", "student"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("--weights-key student: " + made("both/keys.pth") + " has no model there: wanted "));
}

TEST_F(ForeignWeights, ABackboneGetsANewHead) {
  const std::string data = folder_ / "data";
  draw_photos(data, 2, 4);
  for (const char* name : {"headless/plain.pth", "headless/behind.pth"}) {
    SCOPED_TRACE(name);
    const ProcessResult trained =
        resflow({"train", data, "--out", folder_ / "run", "--weights", made(name), "--batch", "4", "--epochs", "0",
                 "--image-size", "48", "--threads", "2", "--overwrite"});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    EXPECT_THAT(trained.out, HasSubstr("fc.weight and fc.bias are initialised anew: the weights have none"));
    EXPECT_THAT(trained.out, HasSubstr("120 of 122 tensors"));
    EXPECT_THAT(resflow({"inspect", made(name)}).out, HasSubstr("resnet18 without a head"));
    const ProcessResult scored = resflow({"score", made(name), data});
    EXPECT_EQ(scored.exit_code, 3);
    EXPECT_THAT(scored.err, HasSubstr("is a resnet18 without a head, of which only embeddings can be had"));
    const ProcessResult evaluated = resflow({"evaluate", made(name), data});
    EXPECT_EQ(evaluated.exit_code, 3);
    EXPECT_THAT(evaluated.err, HasSubstr("is a resnet18 without a head"));
    const ProcessResult kept = resflow({"convert", made(name), folder_ / "kept.safetensors"});
    EXPECT_EQ(kept.exit_code, 0) << kept.err;
    EXPECT_THAT(resflow({"inspect", folder_ / "kept.safetensors"}).out, HasSubstr("resnet18 without a head"));
  }
}

TEST_F(ForeignWeights, ABackboneGivesTheEmbeddingsOfTheWholeModel) {
  const std::string data = folder_ / "data";
  draw_photos(data, 2, 2);
  write_text(data + "/broken.jpg", "no picture");
  const auto score = [&](const char* name, const std::string& out, std::vector<std::string> more) {
    more.insert(more.begin(), {"score", made(name), data, "--crop", "64", "--embeddings", folder_ / out});
    return resflow(more);
  };
  const ProcessResult whole = score("plain.pth", "whole.npy", {}), bare = score("headless/behind.pth", "bare.npy", {});
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  ASSERT_EQ(bare.exit_code, 0) << bare.err;
  EXPECT_EQ(read_text(folder_ / "whole.npy"), read_text(folder_ / "bare.npy"));
  EXPECT_TRUE(bare.out.starts_with("path,error\n")) << bare.out;
  EXPECT_THAT(bare.out, HasSubstr("00.jpg,\n"));
  EXPECT_THAT(bare.out, HasSubstr("broken.jpg,"));
  const ProcessResult lines = score("headless/plain.pth", "b.npy", {"--format", "jsonl"});
  ASSERT_EQ(lines.exit_code, 0) << lines.err;
  EXPECT_THAT(lines.out, HasSubstr("00.jpg\"}\n"));
  EXPECT_EQ(score("headless/plain.pth", "b.npy", {"--top", "2"}).exit_code, 2);
  EXPECT_EQ(score("headless/plain.pth", "b.npy", {"--out", folder_ / "s.npz"}).exit_code, 2);
}

TEST_F(ForeignWeights, WhatIsNoFileOfWeightsIsCalledByItsName) {
  const std::string data = folder_ / "data";
  draw_photos(data, 1, 1);
  const auto says = [&](const char* name, const std::string& content, const char* what) {
    const std::string file = folder_ / name;
    write_text(file, content);
    for (const std::vector<std::string>& command : {std::vector<std::string>{"inspect", file}, {"score", file, data}}) {
      const ProcessResult result = resflow(command);
      EXPECT_EQ(result.exit_code, 3) << name << ": " << result.err;
      EXPECT_THAT(result.err, HasSubstr(what)) << name;
    }
  };
  for (const char* name : {"l.pth", "l.safetensors"})
    says(name, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 102230000\n", "git lfs pull");
  for (const char* name : {"p.pth", "p.safetensors"}) says(name, "<!DOCTYPE html><html>", "is a web page");
  for (const char* name : {"e.pth", "e.safetensors"}) says(name, "", "is empty");
}

}  // namespace
}  // namespace resflow::testing
