// Covers: apps/help apps/manual/completions apps/manual/man_page
// Covers: apps/manual/mistyped apps/manual/nearest apps/manual/option_values
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/manual/nearest.h"
#include "apps/manual/option_values.h"
#include "apps/train/option_table.h"
#include "apps/train/options.h"
#include "io/core/error.h"
#include "tests/apps/program.h"
#include "tests/support/python.h"

namespace resflow::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Nearest, CountsLettersPutInLeftOutReplacedAndExchanged) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("train", "train"), 0U);
  EXPECT_EQ(edit_distance("trian", "train"), 1U);
  EXPECT_EQ(edit_distance("tran", "train"), 1U);
  EXPECT_EQ(edit_distance("traain", "train"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("sitting", "kitten"), 3U);
}

TEST(Nearest, IsNoWordThatIsFar) {
  const std::vector<std::string> words = {"train", "score", "stats", "split"};
  EXPECT_EQ(nearest("scroe", words), "score");
  EXPECT_EQ(nearest("stat", words), "stats");
  EXPECT_EQ(nearest("paint", words), "");
  EXPECT_EQ(nearest("", words), "");
  EXPECT_EQ(nearest("--label-smooth", {"--label-smoothing"}), "--label-smoothing");
  EXPECT_EQ(nearest("--weights", {"--weights-key-of-all-of-them"}), "--weights-key-of-all-of-them");
}

TEST(Help, AMistypedWordIsAnsweredWithTheNearest) {
  const auto refusal = [](const std::vector<std::string>& words) {
    const ProcessResult result = resflow(words);
    EXPECT_EQ(result.exit_code, 2);
    return result.err;
  };
  EXPECT_EQ(refusal({"trian", "photos"}),
            "resflow: there is no command trian: did you mean train? (see resflow --help)\n");
  EXPECT_EQ(refusal({"train", "photos", "--epoch", "3"}),
            "resflow: train has no option --epoch: did you mean --epochs? (see resflow train --help)\n");
  EXPECT_EQ(refusal({"train", "--scheduel=cosine"}),
            "resflow: train has no option --scheduel: did you mean --schedule? (see resflow train --help)\n");
  EXPECT_EQ(refusal({"bench", "layer"}),
            "resflow: bench has no command layer: did you mean layers? (see resflow bench --help)\n");
  EXPECT_EQ(refusal({"help", "trian"}),
            "resflow: there is no command trian: did you mean train? (see resflow --help)\n");
  EXPECT_THAT(refusal({"train", "photos", "--colour", "red"}), Not(HasSubstr("did you mean")));
  EXPECT_EQ(refusal({"--json"}), "resflow: --json requires --version (see resflow --help)\n");
}

TEST(Help, OfACommandIsItsHelp) {
  EXPECT_EQ(resflow({"help", "train"}).out, resflow({"train", "--help"}).out);
  EXPECT_EQ(resflow({"help", "bench", "load"}).out, resflow({"bench", "load", "--help"}).out);
  EXPECT_EQ(resflow({"help"}).out, resflow({"--help"}).out);
}

TEST(Help, VersionsForAReportAreJson) {
  const auto versions = nlohmann::json::parse(resflow({"--version", "--json"}).out);
  EXPECT_TRUE(versions.at("libraries").contains("oneDNN"));
  EXPECT_THAT(resflow({"--version"}).out, HasSubstr("resflow " + versions.at("resflow").get<std::string>()));
  EXPECT_GE(versions.at("threads"), 1);
}

bool has_program(const std::string& name) {
  return run_process({"sh", "-c", "command -v \"$0\" >/dev/null", name}).exit_code == 0;
}

TEST(Help, EveryCommandHasAManualPage) {
  const TemporaryFolder folder;
  ASSERT_EQ(resflow({"help", "--man", folder.path().string()}).exit_code, 0);
  std::ifstream file(folder / "resflow-train.1");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(page, ::testing::StartsWith(".TH RESFLOW-TRAIN 1"));
  EXPECT_THAT(page, HasSubstr(".SH SYNOPSIS\n.B resflow train\n[OPTIONS] [DATA]\n"));
  EXPECT_THAT(page, HasSubstr(".B \\-\\-epochs INT [10]\n"));
  EXPECT_THAT(page, HasSubstr(".SH EXAMPLES\n.nf\n"));
  EXPECT_THAT(page, HasSubstr(".BR resflow (1)"));
  const bool has_groff = has_program("groff");
  int pages = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    ++pages;
    if (!has_groff) continue;
    const ProcessResult checked = run_process({"groff", "-man", "-Tutf8", "-ww", "-z", entry.path().string()});
    EXPECT_EQ(checked.exit_code, 0);
    EXPECT_EQ(checked.err, "") << entry.path();
  }
  EXPECT_GE(pages, 22);
}

// What bash offers for the last of `words`.
std::string completed(const std::string& script, const std::string& words) {
  const ProcessResult result = run_process({"bash", "-c",
                                            ". \"$0\"; COMP_WORDS=(" + words +
                                                "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _resflow; "
                                                "printf '%s ' \"${COMPREPLY[@]}\"",
                                            script});
  EXPECT_EQ(result.err, "");
  return result.out;
}

TEST(Help, BashCompletesCommandsOptionsAndWords) {
  const TemporaryFolder folder;
  const std::string script = folder / "resflow";
  std::ofstream(script) << resflow({"help", "--completion", "bash"}).out;
  EXPECT_EQ(completed(script, "resflow tr"), "train ");
  EXPECT_EQ(completed(script, "resflow bench la"), "layers ");
  EXPECT_EQ(completed(script, "resflow train photos --warm"), "--warmup-epochs ");
  EXPECT_EQ(completed(script, "resflow train photos --optimizer la"), "lars lamb ");
  EXPECT_EQ(completed(script, "resflow score --model tr"), " ");  // no command any more
  EXPECT_EQ(completed(script, "resflow bench train --model wide_resnet5"), "wide_resnet50_2 ");
}

TEST(Help, ScriptsOfOtherShellsAreRead) {
  const TemporaryFolder folder;
  for (const std::string shell : {"zsh", "fish"}) {
    const std::string script = folder / shell;
    const ProcessResult printed = resflow({"help", "--completion", shell});
    EXPECT_EQ(printed.exit_code, 0);
    EXPECT_THAT(printed.out, HasSubstr("lamb"));
    std::ofstream(script) << printed.out;
    if (!has_program(shell)) continue;
    const ProcessResult read = run_process({shell, "-n", script});
    EXPECT_EQ(read.exit_code, 0) << read.err;
  }
  if (has_program("fish")) {
    const auto offered = [&](const std::string& line) {
      return run_process({"fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", folder / "fish", line})
          .out;
    };
    EXPECT_THAT(offered("resflow tr"), ::testing::StartsWith("train\t"));
    EXPECT_THAT(offered("resflow train --warm"), ::testing::StartsWith("--warmup-epochs\t"));
    EXPECT_EQ(offered("resflow train --optimizer la"),
              "lamb\tadam, adamw, sgd, rmsprop; lars or lamb for batches of thousands\nlars\tadam, adamw, sgd, "
              "rmsprop; lars or lamb for batches of thousands\n");
    EXPECT_THAT(offered("resflow bench train --mod"), ::testing::StartsWith("--model\t"));
    EXPECT_THAT(offered("resflow bench la"), ::testing::StartsWith("layers\t"));
  }
  EXPECT_EQ(resflow({"help", "--completion", "tcsh"}).err, "resflow: --completion tcsh: wanted bash, zsh or fish\n");
}

// What completions offer is taken.
TEST(OptionValues, AreThoseThatTrainTakes) {
  for (const std::string& name : options_with_values()) {
    std::string member = name;
    std::ranges::replace(member, '-', '_');
    const auto& table = train_option_table();
    const auto row = std::ranges::find_if(table, [&](const auto& option) { return option.name == member; });
    if (row == table.end()) continue;
    for (const std::string& value : option_values(name)) {
      if (name == "precision" && value != "f32") continue;  // not of every CPU, nor of training
      TrainOptions options;
      set_text(row->at(options), row->name, value);
      try {
        resolve(options);
      } catch (const Error& error) {
        EXPECT_THAT(std::string(error.what()), Not(HasSubstr(member + " " + value + ":"))) << "is no word of it";
      }
    }
  }
}

}  // namespace
}  // namespace resflow::testing
