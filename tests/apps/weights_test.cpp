// resflow weights: the list, one entry, and what it says of the files on this machine.
//
// Covers: apps/options/model_file_options
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/model/pretrained.h"
#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A machine with nothing in torch's cache, and a file of the wrong content where resflow looks first.
class WeightsProgram : public ::testing::Test {
 protected:
  WeightsProgram() { write_text(file_, "half of a download"); }

  ProcessResult weights(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {RESFLOW_PROGRAM, "weights"});
    return run_process(arguments,
                       {.input = {},
                        .environment = {"RESFLOW_WEIGHTS=" + folder_ / "own", "TORCH_HOME=" + folder_ / "torch",
                                        "XDG_CACHE_HOME=" + folder_ / "cache"}});
  }

  TemporaryFolder folder_;
  std::string file_ = folder_ / "own/resnet34-b627a593.pth";
};

TEST_F(WeightsProgram, ListsAllAndWhatIsHere) {
  const ProcessResult result = weights({});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const PretrainedWeights& w : pretrained_weights()) EXPECT_THAT(result.out, HasSubstr(w.name() + " "));
  for (const std::string& words :
       {std::string("resnet50:IMAGENET1K_V2 * "), std::string("resnet50-11ad3fa6.pth"), std::string("102.5 MB"),
        std::string("80.858"), std::string("25,557,032"), file_, folder_ / "torch/hub/checkpoints"})
    EXPECT_THAT(result.out, HasSubstr(words));
  EXPECT_THAT(result.out, Not(HasSubstr("damaged")));

  const ProcessResult one_model = weights({"resnet34"});
  EXPECT_THAT(one_model.out, HasSubstr("resnet34:IMAGENET1K_V1 * "));
  EXPECT_THAT(one_model.out, HasSubstr("  here\n"));
  EXPECT_THAT(one_model.out, Not(HasSubstr("resnet50")));
}

TEST_F(WeightsProgram, VerifyingFindsDamage) {
  const ProcessResult result = weights({"--verify"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.out, HasSubstr("  damaged\n"));
  EXPECT_THAT(result.err, HasSubstr(file_));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1);
}

TEST_F(WeightsProgram, AnEntryIsVerifiedOrSaidToBeAbsent) {
  const ProcessResult damaged = weights({"resnet34:IMAGENET1K_V1"});
  EXPECT_EQ(damaged.exit_code, 3);
  EXPECT_THAT(damaged.err, HasSubstr(file_ + ": its SHA-256 begins with"));
  const ProcessResult absent = weights({"resnet18:DEFAULT"});
  EXPECT_EQ(absent.exit_code, 3);
  EXPECT_THAT(absent.err, HasSubstr("https://download.pytorch.org/models/resnet18-f37072fd.pth"));
  EXPECT_THAT(absent.err, HasSubstr(folder_ / "own"));
  const ProcessResult unknown = weights({"alexnet:DEFAULT"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("resnet18, resnet34"));
}

TEST_F(WeightsProgram, JsonHoldsTheWholeTable) {
  const ProcessResult result = weights({"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto report = nlohmann::json::parse(result.out);
  ASSERT_EQ(report["weights"].size(), pretrained_weights().size());
  for (size_t i = 0; i < pretrained_weights().size(); ++i) {
    const PretrainedWeights& w = pretrained_weights()[i];
    const auto& entry = report["weights"][i];
    EXPECT_EQ(entry["name"], w.name());
    EXPECT_EQ(entry["url"], w.url());
    EXPECT_EQ(entry["sha256_prefix"], w.hash_prefix());
    EXPECT_EQ(entry["acc@1"], w.top1);
    EXPECT_EQ(entry["preprocessing"]["resize"], w.resize);
    EXPECT_EQ(entry["path"].is_null(), w.pth_file() != "resnet34-b627a593.pth") << w.name();
    EXPECT_FALSE(entry.contains("verified"));
  }
  EXPECT_EQ(report["folders"][0], folder_ / "own");

  const ProcessResult verified = weights({"--json", "--verify", "resnet34"});
  EXPECT_EQ(verified.exit_code, 3);
  EXPECT_EQ(nlohmann::json::parse(verified.out)["weights"][0]["verified"], false);
  const ProcessResult absent = weights({"resnet18:DEFAULT", "--json"});
  EXPECT_EQ(absent.exit_code, 3);
  EXPECT_TRUE(nlohmann::json::parse(absent.out)["path"].is_null());
}

}  // namespace
}  // namespace resflow::testing
