// resflow score: the same rows wherever the photographs lie.
#include "apps/options/score_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>

#include "tests/apps/program.h"
#include "tests/io/expect_error.h"
#include "tests/io/pictures/made_archive.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(ScoreInputs, RefusesWhatSaysNothing) {
  const auto open = [](const ScoreInputs& inputs) { open_score_inputs(inputs); };
  expect_error(ErrorKind::kUsage, {"nothing to score", "--list"}, [&] { open({}); });
  expect_error(ErrorKind::kUsage, {"--list-ids is for a list"}, [&] { open({.inputs = {"a.jpg"}, .ids = true}); });
  expect_error(ErrorKind::kUsage, {"--null is for a list"}, [&] { open({.inputs = {"a.jpg"}, .null = true}); });
  expect_error(ErrorKind::kUsage, {"more than once"}, [&] { open({.inputs = {"-", "-"}}); });
  expect_error(ErrorKind::kUsage, {"more than once"}, [&] { open({.inputs = {"-"}, .list = "-"}); });
  open({.inputs = {"-", "a.jpg"}, .ids = true, .null = true});
}

class ScoreInputsProgram : public ::testing::Test {
 protected:
  ScoreInputsProgram() {
    draw_photos(folder_ / "train", 3, 4);
    const ProcessResult trained = resflow(train_arguments(folder_ / "train", folder_ / "run"));
    EXPECT_EQ(trained.exit_code, 0) << trained.err;
    const std::vector<std::string> names = {"a.jpg",     "b, \"c\".jpg",   "line\nfeed.jpg", "\xFF\xFE.jpg",
                                            "sub/d.jpg", "sub/broken.jpg", "z.jpg"};
    for (size_t i = 0; i < names.size(); ++i)
      write_text(folder_ / "photos/" + names[i],
                 names[i] == "sub/broken.jpg" ? "broken" : photo_bytes(static_cast<int>(i % 3), 10 + i));
    names_ = {names[0], names[1], names[2], names[6], names[3], names[5], names[4]};
  }

  // Rows by another root: what they say of the pictures.
  static std::string without(std::string text, const std::string& root) {
    for (size_t at = 0; (at = text.find(root, at)) != std::string::npos;) text.erase(at, root.size());
    return text;
  }

  std::string rows(std::vector<std::string> inputs, const std::string& root, const std::string& standard_input = {}) {
    inputs.insert(inputs.begin(), {"score", folder_ / "run/best.resflow"});
    const ProcessResult result = resflow(inputs, standard_input);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("scored 7 files (1 with an error)"));
    return without(result.out, root);
  }

  TemporaryFolder folder_;
  std::vector<std::string> names_;  // in the folder's order
};

TEST_F(ScoreInputsProgram, GivesTheSameRowsFromEverywhere) {
  const std::string photos = folder_ / "photos";
  const std::string wanted = rows({photos}, photos + "/");
  ASSERT_EQ(std::count(wanted.begin(), wanted.end(), '\n'), 9) << wanted;  // header, seven rows, a name's line feed
  EXPECT_THAT(wanted, HasSubstr("\n\xFF\xFE.jpg,"));
  EXPECT_THAT(wanted, HasSubstr("\n\"b, \"\"c\"\".jpg\","));
  EXPECT_THAT(wanted, HasSubstr("\nsub/broken.jpg,,,\""));

  std::vector<Member> members = {{"sub/", "", AE_IFDIR}, {"notes.txt", "not scored"}};
  std::string lines, zeros, ids;
  for (const std::string& name : names_) {
    members.push_back({"./" + name, read_text(photos + "/" + name)});
    zeros += photos + "/" + name + '\0';
    ids += photos + "/" + name + "\t" + name + '\0';
  }
  for (const auto& [name, filter] : {std::pair("x.tar", ARCHIVE_FILTER_NONE),
                                     {"x.tar.gz", ARCHIVE_FILTER_GZIP},
                                     {"x.tar.zst", ARCHIVE_FILTER_ZSTD}}) {
    write_archive(folder_ / name, members, filter);
    EXPECT_EQ(rows({folder_ / name}, folder_ / name + "/"), wanted) << name;
  }
  write_text(folder_ / "zeros", zeros);
  write_text(folder_ / "ids", ids);
  EXPECT_EQ(rows({"--list", folder_ / "zeros", "--null"}, photos + "/"), wanted);
  EXPECT_EQ(rows({"--list", folder_ / "ids", "--null", "--list-ids"}, photos + "/"), wanted);
  EXPECT_EQ(rows({"--list", "-", "--null"}, photos + "/", zeros), wanted);
  EXPECT_EQ(rows({"-", "--null"}, photos + "/", zeros), wanted);
  // A list that an editor on Windows made, of the one name that takes no line feed.
  const std::string marked = "\xEF\xBB\xBF" + photos + "/a.jpg\r\n";
  const ProcessResult one = resflow({"score", folder_ / "run/best.resflow", "-"}, marked);
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(without(one.out, photos + "/"), wanted.substr(0, wanted.find('\n', wanted.find("a.jpg")) + 1));
  // A mixture, in the order of the arguments.
  EXPECT_EQ(rows({photos + "/?.jpg", photos + "/*[!az].jpg", photos + "/sub/"}, photos + "/").size(), wanted.size());
}

TEST_F(ScoreInputsProgram, NamesAnArchiveThatEndsEarlyAndGivesNothingOfIt) {
  std::vector<Member> members;
  for (const std::string& name : names_) members.push_back({name, read_text(folder_ / "photos/" + name)});
  write_archive(folder_ / "x.tar", members);
  const std::string whole = read_text(folder_ / "x.tar");
  write_text(folder_ / "x.tar", whole.substr(0, whole.find("sub/d.jpg") + 600));
  const ProcessResult result = resflow({"score", folder_ / "run/best.resflow", folder_ / "x.tar"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr(folder_ / "x.tar: the archive ends early, after 6 pictures"));
}

TEST_F(ScoreInputsProgram, RefusesBeforeItBegins) {
  for (const char* wrong : {"absent/", "none*.jpg", "absent.tar.zst"}) {
    const ProcessResult result = resflow(
        {"score", folder_ / "run/best.resflow", folder_ / "photos", folder_ / wrong, "--out", folder_ / "out.csv"});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.err, HasSubstr(folder_ / wrong));
    EXPECT_EQ(result.out, "");
    EXPECT_FALSE(fs::exists(folder_ / "out.csv"));
  }
  EXPECT_EQ(resflow({"score", folder_ / "run/best.resflow"}).exit_code, 2);
  EXPECT_EQ(resflow({"score", folder_ / "run/best.resflow", "a.jpg", "--null"}).exit_code, 2);
}

TEST_F(ScoreInputsProgram, StopsWhileItWaitsForAList) {
  ASSERT_EQ(::mkfifo((folder_ / "list").c_str(), 0600), 0);
  const int writer = ::open((folder_ / "list").c_str(), O_RDWR | O_CLOEXEC);
  const std::string log = folder_ / "log";
  RunningProgram program(
      {"score", folder_ / "run/best.resflow", "--list", folder_ / "list", "--batch", "1", "--threads", "2"}, log);
  const std::string line = folder_ / "photos/a.jpg\n";
  ASSERT_EQ(::write(writer, line.data(), line.size()), std::ssize(line));
  // Once it has read the line it waits for another one.
  ASSERT_TRUE(program.wait_until([&] {
    int unread = 1;
    return ::ioctl(writer, FIONREAD, &unread) == 0 && unread == 0;
  }));
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 128 + SIGINT);
  EXPECT_THAT(read_text(log), HasSubstr("stopped after 1 file"));
  ::close(writer);
}

// One thread gets the signal then that waits, and its wait is broken off by it.
TEST_F(ScoreInputsProgram, StopsWhileItWaitsForAPipe) {
  for (const std::string threads : {"1", "3"})
    for (const bool is_list : {true, false})
      for (const bool has_writer : {true, false}) {
        SCOPED_TRACE(threads + (is_list ? " list" : " archive") +
                     (has_writer ? " of a silent writer" : " without writer"));
        const std::string pipe = folder_ / "pipe", log = folder_ / "log";
        fs::remove(pipe);
        ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
        const int writer = has_writer ? ::open(pipe.c_str(), O_RDWR | O_CLOEXEC) : -1;
        std::vector<std::string> arguments = {"score", folder_ / "run/best.resflow", "--threads", threads};
        if (is_list) arguments.emplace_back("--list");
        arguments.push_back(pipe);
        RunningProgram program(arguments, log);
        ASSERT_TRUE(program.wait_until_it_obeys());
        program.send(SIGINT);
        EXPECT_EQ(program.wait(), 128 + SIGINT);
        EXPECT_THAT(read_text(log), HasSubstr("stopped after 0 files"));
        if (writer >= 0) ::close(writer);
      }
}

// Whoever opens a pipe to look at it takes away what is in it.
TEST_F(ScoreInputsProgram, APatternThatMeetsAPipeReadsItOnce) {
  const std::string archive = folder_ / "photos.tar";
  ASSERT_EQ(run_process({"tar", "-C", folder_ / "photos", "-cf", archive, "."}).exit_code, 0);
  fs::create_directory(folder_ / "pipes");
  ASSERT_EQ(::mkfifo((folder_ / "pipes/p.tar").c_str(), 0600), 0);
  const ProcessResult result =
      run_process(in_shell("cat '" + archive + "' >'" + (folder_ / "pipes/p.tar") + "' & @",
                           {"score", folder_ / "run/best.resflow", folder_ / "pipes/p*", "--threads", "2"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("scored 7 files (1 with an error)"));
}

}  // namespace
}  // namespace resflow::testing
