// The program with descriptors that are closed, full, or whose reader has gone.
#include "apps/host/stream.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <thread>

#include "apps/host/signals.h"
#include "tests/apps/program.h"
#include "tests/apps/runs.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
using ::testing::Not;

class Ends {
 public:
  Ends() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  }
  ~Ends() {
    ::close(ends_[1]);
    close_read();
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  int read() const { return ends_[0]; }
  int write() const { return ends_[1]; }
  void close_read() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }
  // Until not a byte more fits.
  void fill() const {
    ::fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    while (::write(ends_[1], "x", 1) == 1) {
    }
    ::fcntl(ends_[1], F_SETFL, 0);
  }

 private:
  std::array<int, 2> ends_{};
};

TEST(WriteStream, SaysWhatBecameOfIt) {
  ignore_write_signals();
  Ends pipe;
  EXPECT_EQ(write_stream(pipe.write(), "text"), 0);
  std::array<char, 4> got{};
  EXPECT_EQ(::read(pipe.read(), got.data(), got.size()), 4);
  EXPECT_EQ(std::string(got.data(), got.size()), "text");
  pipe.close_read();
  EXPECT_EQ(write_stream(pipe.write(), "text"), EPIPE);
  EXPECT_EQ(write_stream(999, "text"), EBADF);
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(write_stream(full, "text"), ENOSPC);
  ::close(full);
}

// As long as nobody asks to stop a slow reader is waited for.
TEST(WriteStream, WaitsForASlowReader) {
  const Ends pipe;
  pipe.fill();
  const std::string text(100'000, 'y');
  std::string got;
  std::thread reader([&] {
    std::array<char, 5000> bytes{};
    while (std::count(got.begin(), got.end(), 'y') < std::ssize(text))
      got.append(bytes.data(), static_cast<size_t>(::read(pipe.read(), bytes.data(), bytes.size())));
  });
  EXPECT_EQ(write_stream(pipe.write(), text), 0);
  reader.join();
  EXPECT_TRUE(got.ends_with(text));
}

TEST(WriteStreamDeathTest, GivesAReaderUpThatDoesNotReadOnceItIsToStop) {
  EXPECT_EXIT(
      {
        const Ends pipe;
        pipe.fill();
        obey_stop_signals();
        ::raise(SIGTERM);
        _exit(write_stream(pipe.write(), "text") == ETIMEDOUT ? 7 : 1);
      },
      ExitedWithCode(7), "");
}

TEST(WriteStreamDeathTest, AFileThatIsAPipeIsGivenUpAsWell) {
  EXPECT_EXIT(
      {
        const Ends pipe;
        StoppableFiles files;
        if (files.write(pipe.write(), "text", 4) != 4) _exit(1);
        pipe.fill();
        obey_stop_signals();
        ::raise(SIGTERM);
        try {
          files.write(pipe.write(), "text", 4);
        } catch (const ReaderStalls&) {
          _exit(7);
        }
      },
      ExitedWithCode(7), "");
}

class StreamsProgram : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = new TemporaryFolder;
    draw_photos(*folder / "photos", 2, 6);
    const ProcessResult trained = resflow(train_arguments(*folder / "photos", *folder / "model"));
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
  }
  static void TearDownTestSuite() { delete folder; }

  // Makes descriptor 4 a pipe that nobody reads any more.
  std::string without_reader() const {
    const std::string pipe = "'" + (own_ / "pipe") + "'";
    return "rm -f " + pipe + "; mkfifo " + pipe + "; exec 3<>" + pipe + " 4>" + pipe + " 3<&-; ";
  }
  static ProcessResult shell(const std::string& script, const std::vector<std::string>& arguments) {
    return run_process(in_shell(script, arguments));
  }
  std::vector<std::string> train(const std::string& out) const {
    return train_arguments(*folder / "photos", own_ / out, {"--val", *folder / "photos"});
  }
  std::vector<std::string> score(const std::string& out) const {
    return {"score", model_, *folder / "photos", "--threads", "2", "--batch", "4", "--out", own_ / out};
  }

  inline static TemporaryFolder* folder = nullptr;
  TemporaryFolder own_;
  const std::string model_ = *folder / "model/best.resflow";
};

// What is said lands in no file of ours, whatever number it gets.
TEST_F(StreamsProgram, AFileNeverHasANumberOfTheTerminal) {
  ASSERT_EQ(resflow(score("whole.csv")).exit_code, 0);
  const std::string rows = read_text(own_ / "whole.csv");
  for (const std::string closed : {"2>&-", "1>&-", "0<&-", "0<&- 1>&- 2>&-"}) {
    SCOPED_TRACE(closed);
    const ProcessResult result = shell("@ " + closed, score("scores.csv"));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(read_text(own_ / "scores.csv"), rows);
  }
  ASSERT_EQ(resflow(train("whole")).exit_code, 0);
  // The lines of the epochs are results.
  EXPECT_EQ(shell("@ 0<&- 1>&- 2>&-", train("closed")).exit_code, 4);
  expect_same_run(own_ / "whole", own_ / "closed");
  size_t files = 0;
  for (const auto& file : fs::recursive_directory_iterator(own_ / "closed")) {
    if (!file.is_regular_file()) continue;
    ++files;
    EXPECT_THAT(read_text(file.path().string()), Not(HasSubstr("train loss"))) << file.path();
  }
  EXPECT_GE(files, 5U);
}

TEST_F(StreamsProgram, AClosedStandardInputIsNoEmptyList) {
  const ProcessResult result = shell("@ <&-", {"score", model_, "-", "--out", own_ / "none.csv"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("the list on standard input: cannot be read"));
  EXPECT_FALSE(fs::exists(own_ / "none.csv"));
}

TEST_F(StreamsProgram, AClosedStandardOutputIsNoPlaceForRows) {
  const ProcessResult result = shell("@ >&-", {"score", model_, *folder / "photos"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, HasSubstr("standard output: it is closed: what was printed is not complete"));
}

TEST_F(StreamsProgram, NoMessageThatCannotBeWrittenEndsARun) {
  for (const std::string& lost : {std::string("@ 2>/dev/full"), without_reader() + "@ 2>&4"}) {
    SCOPED_TRACE(lost);
    EXPECT_EQ(shell(lost, {"frobnicate"}).exit_code, 2);
    EXPECT_EQ(shell(lost, {"score", own_ / "absent", "x.jpg"}).exit_code, 3);
    std::vector<std::string> pinned = score("lost.csv");
    pinned.emplace_back("--pin");
    EXPECT_EQ(shell(lost, pinned).exit_code, 0);
    fs::remove(own_ / "lost.csv");
    const std::string out = "lost" + std::to_string(lost.size());
    EXPECT_EQ(shell(lost, train(out)).exit_code, 0);
    EXPECT_TRUE(fs::exists(own_ / out + "/report.html"));
  }
}

TEST_F(StreamsProgram, ResultsThatCannotBePrintedAreTheLastWord) {
  const std::string lost = "resflow: standard output: No space left on device: what was printed is not complete\n";
  const auto expect_lost = [&](const std::vector<std::string>& arguments, const std::vector<std::string>& files) {
    SCOPED_TRACE(arguments.front());
    const ProcessResult result = shell("@ >/dev/full", arguments);
    EXPECT_EQ(result.exit_code, 4);
    EXPECT_TRUE(result.err.ends_with(lost)) << result.err;
    for (const std::string& file : files) EXPECT_TRUE(fs::exists(file)) << file;
  };
  expect_lost({"--help"}, {});
  expect_lost({"--version"}, {});
  expect_lost({"weights"}, {});
  expect_lost({"inspect", model_}, {});
  expect_lost({"inspect", model_, "--json"}, {});
  expect_lost({"stats", *folder / "photos", "--json", own_ / "stats.json"}, {own_ / "stats.json"});
  expect_lost({"evaluate", model_, *folder / "photos", "--csv", own_ / "e.csv", "--out", own_ / "e.html"},
              {own_ / "e.csv", own_ / "e.html"});
  expect_lost({"pack", *folder / "photos", own_ / "p.resflow-pack"}, {own_ / "p.resflow-pack"});
  expect_lost({"split", *folder / "photos", "--out", own_ / "split"}, {own_ / "split/split.json"});
  expect_lost({"preview", *folder / "photos", "--out", own_ / "grid.png", "--image-size", "32", "--batch", "2"},
              {own_ / "grid.png"});
  expect_lost(train("full"), {own_ / "full/last.resflow", own_ / "full/best.resflow", own_ / "full/report.html"});
  // A wrong use is said with its own code.
  const ProcessResult refused = shell("@ >/dev/full", {"stats"});
  EXPECT_EQ(refused.exit_code, 2);
}

TEST_F(StreamsProgram, AReaderThatHasGoneEndsNothingBeforeTheFilesAreWritten) {
  const auto expect_whole = [&](const std::vector<std::string>& arguments, const std::vector<std::string>& files) {
    SCOPED_TRACE(arguments.front());
    const ProcessResult result = shell(without_reader() + "@ >&4", arguments);
    EXPECT_EQ(result.exit_code, 141);
    EXPECT_EQ(result.err, "");
    for (const std::string& file : files) EXPECT_TRUE(fs::exists(file)) << file;
  };
  expect_whole(train("gone"), {own_ / "gone/last.resflow", own_ / "gone/report.html"});
  expect_whole({"evaluate", model_, *folder / "photos", "--csv", own_ / "gone.csv"}, {own_ / "gone.csv"});
  expect_whole({"--help"}, {});
}

// A reader that is there and does not read holds nobody who was asked to stop.
TEST_F(StreamsProgram, AStopEndsAScoringWhoseReaderDoesNotRead) {
  const std::string pipe = "'" + (own_ / "full") + "'";
  const std::string full = "mkfifo " + pipe + "; exec 3<>" + pipe + "; head -c 65536 /dev/zero >&3; ";
  const std::vector<std::string> rows = {"score", model_, *folder / "photos", "--threads", "1"};
  const ProcessResult printed = shell(full + "@ >" + pipe + " & sleep 2; kill -TERM $!; wait $!", rows);
  EXPECT_EQ(printed.exit_code, 143) << printed.err;
  EXPECT_THAT(printed.err, HasSubstr("resflow: stopped: standard output takes no more rows"));
  fs::remove(own_ / "full");
  std::vector<std::string> to_file = rows;
  to_file.insert(to_file.end(), {"--out", own_ / "full"});
  const ProcessResult written = shell(full + "@ & sleep 2; kill -TERM $!; wait $!", to_file);
  EXPECT_EQ(written.exit_code, 143) << written.err;
  EXPECT_THAT(written.err, HasSubstr("takes no more rows"));
}

}  // namespace
}  // namespace resflow::testing
