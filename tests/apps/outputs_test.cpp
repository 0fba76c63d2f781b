// Where subcommands write: through what is no file, along links, under names that can be; and what they refuse before
// their work.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class OutputsOfPrograms : public ::testing::Test {
 protected:
  OutputsOfPrograms() { draw_photos(data_, 2, 2); }

  ProcessResult stats(const std::string& json) { return resflow({"stats", data_, "--json", json, "--threads", "1"}); }
  void refused(const std::vector<std::string>& arguments, const std::string& words) {
    const ProcessResult result = resflow(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(words));
  }
  size_t files() {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()));
  }

  const TemporaryFolder folder_;
  const std::string data_ = folder_ / "photos";
};

TEST_F(OutputsOfPrograms, DevicesAndStandardOutputAreWrittenAndNotReplaced) {
  EXPECT_EQ(stats("/dev/null").exit_code, 0);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  const ProcessResult printed = stats("/dev/stdout");
  EXPECT_EQ(printed.exit_code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr("\"versions\""));
  EXPECT_TRUE(fs::is_symlink("/dev/stdout"));
}

TEST_F(OutputsOfPrograms, ALinkIsWrittenWhereItLeadsAndAModeStays) {
  write_text(folder_ / "far/s.json", "former");
  fs::permissions(folder_ / "far/s.json", fs::perms(0600));
  fs::create_symlink("far/s.json", folder_ / "s.json");
  EXPECT_EQ(stats(folder_ / "s.json").exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(folder_ / "s.json"));
  EXPECT_THAT(read_text(folder_ / "far/s.json"), HasSubstr("\"versions\""));
  EXPECT_EQ(fs::status(folder_ / "far/s.json").permissions(), fs::perms(0600));
  // A link that somebody has put where a partial file used to be.
  write_text(folder_ / "victim", "precious");
  fs::create_symlink("victim", folder_ / "t.json.partial");
  EXPECT_EQ(stats(folder_ / "t.json").exit_code, 0);
  EXPECT_EQ(read_text(folder_ / "victim"), "precious");
}

TEST_F(OutputsOfPrograms, WhatAKilledProgramLeftGoesWithTheNext) {
  write_text(folder_ / "s.json.4711-0123abcd.partial", "half");
  EXPECT_EQ(stats(folder_ / "s.json").exit_code, 0);
  EXPECT_EQ(files(), 2U);  // the photographs and s.json
}

TEST_F(OutputsOfPrograms, WhatCannotBeWrittenIsRefusedBeforeTheWorkAndNothingIsTouched) {
  write_text(folder_ / "s.csv.journal", "{}");
  write_text(folder_ / "s.csv.partial", "rows of hours");
  write_text(folder_ / "w.pth", "weights");
  const size_t before = files();
  const std::string long_name = folder_ / std::string(250, 'x');
  refused({"stats", data_, "--json", long_name}, "name too long");
  refused({"preview", data_, "--out", long_name}, "name too long");
  refused({"preview", data_, "--out", folder_ / "absent/p.png"}, "there is no folder");
  refused({"pack", data_, folder_ / "p", "--json", folder_ / "absent/p.json"}, "there is no folder");
  refused({"pack", data_, folder_ / "p", "--json", folder_ / "./p"}, "two files at once");
  refused({"stats", data_, "--json", folder_ / "s.csv"}, "a run was begun there");
  refused({"stats", data_, "--json", folder_ / "s.csv.partial"}, "begun and not finished");
  refused({"evaluate", folder_ / "w.pth", data_, "--out", folder_ / "absent/r.html"}, "there is no folder");
  refused({"evaluate", folder_ / "w.pth", data_, "--csv", folder_ / "x", "--json", folder_ / "x"}, "two files at once");
  refused({"evaluate", folder_ / "w.pth", data_, "--csv", folder_ / "w.pth"}, "which is to be read");
  refused({"quantize", folder_ / "w.pth", data_, "--out", folder_ / "absent/q.resflow"}, "there is no folder");
  refused({"quantize", folder_ / "w.pth", data_, "--out", folder_ / "q", "--json", folder_ / "q"}, "two files at once");
  refused({"convert", folder_ / "w.pth", folder_ / "absent/w.safetensors"}, "there is no folder");
  refused({"score", folder_ / "w.pth", data_, "--out", folder_ / "r", "--json", folder_ / "r"}, "two files at once");
  refused({"score", folder_ / "w.pth", data_, "--out", folder_ / "r", "--errors", folder_ / "s.csv"}, "begun there");
  refused({"merge", folder_ / "w.pth", "--out", folder_ / "s.csv"}, "a run was begun there");
  EXPECT_EQ(files(), before);
  EXPECT_EQ(read_text(folder_ / "s.csv.partial"), "rows of hours");
}

}  // namespace
}  // namespace resflow::testing
