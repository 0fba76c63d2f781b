// resflow evaluate: the program on labelled folders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "graph/model/model.h"
#include "io/checkpoint/checkpoint.h"
#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

// A model with random values: what it says does not matter here, only that all agree on it.
Checkpoint made_model(const std::vector<std::string>& classes) {
  const Compute compute(1);
  Checkpoint c;
  c.model = {.architecture = "resnet18", .num_classes = static_cast<int64_t>(classes.size())};
  Model model(c.model, compute);
  model.initialise(3);
  c.parameters = model.state();
  c.classes = classes;
  c.preprocessing.resize = 54;
  c.preprocessing.crop = 48;
  for (int64_t epoch = 1; epoch <= 3; ++epoch)
    c.training.history.push_back(
        {.epoch = epoch, .train_loss = 1, .val_loss = 1, .val_accuracy = epoch == 2 ? 0.9 : 0.5});
  return c;
}

class EvaluateProgram : public ::testing::Test {
 protected:
  EvaluateProgram() {
    draw_photos(data_, 3, 4);
    // The model has a class more, and the data one that the model does not know.
    save_checkpoint(made_model({"fence", "net", "pebbles", "unseen"}), model_);
    write_text(data_ + "/unknown/1.jpg", photo_bytes(0, 9));
    write_text(data_ + "/net/broken, \"odd\".jpg", "no picture");
  }

  TemporaryFolder folder_;
  std::string data_ = folder_ / "data", model_ = folder_ / "m.resflow";
};

TEST_F(EvaluateProgram, ReportCsvAndJsonAgreeWithScore) {
  const std::string csv = folder_ / "p.csv", json = folder_ / "p.json", html = folder_ / "r.html";
  const ProcessResult result = resflow({"evaluate", model_, data_, "--csv", csv, "--json", json, "--out", html});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("1 picture of unknown left out: the model has no such class"));
  EXPECT_THAT(result.err, HasSubstr("no pictures of unseen to evaluate with"));
  EXPECT_THAT(result.out, HasSubstr("evaluated  12 pictures of " + data_));
  EXPECT_THAT(result.out, HasSubstr("left out   1 picture that could not be read"));
  EXPECT_THAT(result.out, HasSubstr("broken, \"odd\".jpg: "));

  const auto figures = nlohmann::json::parse(read_text(json));
  EXPECT_EQ(figures.at("pictures"), 12);
  EXPECT_EQ(figures.at("failed"), 1);
  EXPECT_EQ(figures.at("classes").size(), 4U);
  EXPECT_EQ(figures.at("confusion").size(), 4U);

  // The same answers as score's, picture by picture.
  std::istringstream rows(read_text(csv)), scores(resflow({"score", model_, data_ + "/fence"}).out);
  std::string row, score;
  std::getline(rows, row);
  EXPECT_EQ(row, "path,label,class,probability,label_probability,right,error");
  std::getline(scores, score);
  int64_t right = 0, pictures = 0;
  while (std::getline(rows, row)) {
    if (row.ends_with(",1,")) ++right;
    if (row.find(",,,,,,") == std::string::npos) ++pictures;
    if (row.find("/fence/") == std::string::npos) continue;
    ASSERT_TRUE(std::getline(scores, score));
    const std::string path = score.substr(0, score.find(','));
    EXPECT_THAT(
        row, ::testing::StartsWith(path + ",fence," + score.substr(path.size() + 1, score.size() - path.size() - 8)));
  }
  EXPECT_EQ(pictures, 12);
  EXPECT_EQ(figures.at("right"), right);

  const std::string page = read_text(html);
  EXPECT_THAT(page, HasSubstr("best: 2"));
  EXPECT_THAT(page, HasSubstr("broken, &quot;odd&quot;.jpg"));
  if (python_has({"PIL"})) {
    EXPECT_THAT(run_python("apps/page.py", {html}), HasSubstr("svg 4\n"));
  }
}

TEST_F(EvaluateProgram, TakesValOfAFolderAndViews) {
  fs::create_directories(folder_ / "both");
  fs::rename(data_, folder_ / "both/val");
  for (const char* tta : {"--tta", "--tta=flip", "--tta=ten-crop"}) {
    const ProcessResult result = resflow({"evaluate", model_, folder_ / "both", tta});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("12 pictures of " + (folder_ / "both/val")));
  }
  // As a flag it takes no word that follows.
  EXPECT_EQ(resflow({"evaluate", "--tta", model_, folder_ / "both"}).exit_code, 0);
  EXPECT_EQ(resflow({"evaluate", model_, folder_ / "both", "--tta=five"}).exit_code, 2);
}

TEST_F(EvaluateProgram, WhatCannotBeEvaluatedIsSaidInOneSentence) {
  const auto refused = [&](std::vector<std::string> arguments, int exit_code, const std::string& words) {
    arguments.insert(arguments.begin(), "evaluate");
    const ProcessResult result = resflow(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(words));
  };
  refused({model_, folder_ / "absent"}, 3, "there is no such folder");
  refused({folder_ / "absent.resflow", data_}, 3, "absent.resflow");
  write_text(folder_ / "other/x/1.jpg", "no picture");
  refused({model_, folder_ / "other"}, 3, "none of its classes (x) is one of");
  write_text(folder_ / "all/net/1.jpg", "no picture");
  refused({model_, folder_ / "all"}, 3, "not one of its 1 picture could be evaluated");
  refused({model_, data_, "--batch", "0"}, 2, "--batch");
  refused({model_, data_, "--out", folder_ / "absent/r.html"}, 2, "absent");
}

}  // namespace
}  // namespace resflow::testing
