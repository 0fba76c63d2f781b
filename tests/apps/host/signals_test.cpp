// Asking the program to stop.
#include "apps/host/signals.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>

#include "tests/apps/program.h"
#include "tests/apps/runs.h"

namespace resflow::testing {
namespace {

using ::testing::ExitedWithCode;
using ::testing::HasSubstr;

// The flag is the whole process's, and never cleared: each of these has a process of its own, that leaves with 7 where
// all is well.
void leave(bool well) { ::_exit(well ? 7 : 1); }

TEST(StopSignalsDeathTest, ARequestIsNeverForgotten) {
  EXPECT_EXIT(
      {
        obey_stop_signals();
        const bool before = stop_requested();
        errno = EDOM;
        ::raise(SIGTERM);
        const bool kept = errno == EDOM;
        obey_stop_signals();
        leave(!before && kept && stop_requested() && stop_signal() == SIGTERM);
      },
      ExitedWithCode(7), "");
}

TEST(StopSignalsDeathTest, ASecondOneLeavesAtOnce) {
  EXPECT_EXIT(
      {
        obey_stop_signals();
        ::raise(SIGTERM);
        ::raise(SIGINT);
        leave(true);
      },
      ExitedWithCode(128 + SIGINT), "");
}

// A terminal that goes sends it more than once, the shell beside the kernel.
TEST(StopSignalsDeathTest, ATerminalThatGoesAsksOnce) {
  EXPECT_EXIT(
      {
        obey_stop_signals();
        ::raise(SIGHUP);
        ::raise(SIGHUP);
        leave(stop_signal() == SIGHUP);
      },
      ExitedWithCode(7), "");
}

TEST(StopSignalsDeathTest, WhatNohupIgnoresStaysIgnored) {
  EXPECT_EXIT(
      {
        ::signal(SIGHUP, SIG_IGN);
        obey_stop_signals();
        ::raise(SIGHUP);
        leave(!stop_requested());
      },
      ExitedWithCode(7), "");
}

// Makes a new terminal this process's own, and presses Ctrl-C on it. The signal is there when it returns.
void press_ctrl_c() {
  ::setsid();
  const int keyboard = ::posix_openpt(O_RDWR | O_NOCTTY);
  ::grantpt(keyboard);
  ::unlockpt(keyboard);
  const int terminal = ::open(::ptsname(keyboard), O_RDWR);
  ::ioctl(terminal, TIOCSCTTY, 0);
  sigset_t interrupt, before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, &before);
  if (::write(keyboard, "\x03", 1) != 1) ::_exit(2);
  sigset_t pending;
  do {
    sigpending(&pending);
  } while (sigismember(&pending, SIGINT) == 0);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(StopSignalsDeathTest, CtrlCAsksAJobOfTheTerminalAndNoneInTheBackgroundOfAScript) {
  EXPECT_EXIT(
      {
        obey_stop_signals();
        press_ctrl_c();
        leave(stop_signal() == SIGINT);
      },
      ExitedWithCode(7), "");
  EXPECT_EXIT(
      {
        ::signal(SIGINT, SIG_IGN);
        obey_stop_signals();
        press_ctrl_c();
        leave(!stop_requested());
      },
      ExitedWithCode(7), "");
  // What somebody sends it on purpose.
  EXPECT_EXIT(
      {
        ::signal(SIGINT, SIG_IGN);
        obey_stop_signals();
        ::kill(::getpid(), SIGINT);
        while (!stop_requested()) ::usleep(1000);
        leave(stop_signal() == SIGINT);
      },
      ExitedWithCode(7), "");
}

// What standard error got when the signal had come. This thread only reads: another one says it.
std::string heard_of(int signal) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) return "no pipe";
  ::dup2(pipe[1], STDERR_FILENO);
  obey_stop_signals();
  ::raise(signal);
  std::string heard;
  char letter = 0;
  while (heard.find("at once\n") == std::string::npos && ::read(pipe[0], &letter, 1) == 1) heard += letter;
  return heard;
}

TEST(StopSignalsDeathTest, TheSentenceIsSaidAtOnce) {
  EXPECT_EXIT(leave(heard_of(SIGTERM) == "\nresflow: stopping after this step; once more leaves at once\n"),
              ExitedWithCode(7), "");
}

class SignalsProgram : public ::testing::Test {
 protected:
  SignalsProgram() { draw_photos(photos_, 2, 8); }

  // As long as nobody stops it.
  std::vector<std::string> train(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"train",        photos_, "--out",     run_, "--model",  "resnet18",
                                    "--image-size", "48",    "--batch",   "4",  "--epochs", "500",
                                    "--save-every", "1",     "--threads", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  TemporaryFolder folder_;
  const std::string photos_ = folder_ / "photos", run_ = folder_ / "run", log_ = folder_ / "log";
};

// A pipe that nobody reads holds up neither the handler nor the saving.
TEST_F(SignalsProgram, AFullStandardErrorDoesNotKeepItFromStopping) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int end = ::open(pipe.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  while (::write(end, "x", 1) == 1) {
  }
  RunningProgram program("exec @ 2>'" + pipe + "'", train({}), log_);
  ASSERT_TRUE(program.wait_until([&] { return cursor(run_).step >= 2; }));
  program.send(SIGTERM);
  EXPECT_EQ(program.wait(), 128 + SIGTERM);
  EXPECT_THAT(read_text(log_), HasSubstr("go on with --resume"));
  ::close(end);
}

// Also while the data are read, before there is anything to save.
TEST_F(SignalsProgram, AStopBeforeTheFirstStepIsObeyed) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int end = ::open(pipe.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  while (::write(end, "x", 1) == 1) {
  }
  // The warning about the empty class waits for a reader until the signal comes.
  std::filesystem::create_directories(photos_ + "/empty");
  RunningProgram program("exec @ 2>'" + pipe + "'", train({}), log_);
  ASSERT_TRUE(program.wait_until_it_obeys());
  program.send(SIGTERM);
  EXPECT_EQ(program.wait(), 128 + SIGTERM);
  EXPECT_FALSE(std::filesystem::exists(run_));
  ::close(end);
}

TEST_F(SignalsProgram, EveryModeEndsWithTheSignalsCode) {
  const std::vector<std::vector<std::string>> modes = {{"--folds", "2"}, {"--accumulate", "100000"}, {"--lr-find"}};
  for (const auto& mode : modes) {
    SCOPED_TRACE(mode.front());
    std::filesystem::remove_all(run_);
    std::vector<std::string> all = train(mode);
    // Few steps, so each of them takes a while.
    if (mode.front() == "--lr-find")
      all = {"train",        photos_, "--out",   run_, "--model",  "resnet18",
             "--image-size", "224",   "--batch", "8",  "--lr-find"};
    RunningProgram program(all, log_);
    ASSERT_TRUE(program.wait_until([&] { return read_text(log_).find("folder     ") != std::string::npos; }))
        << read_text(log_);
    program.send(SIGHUP);
    EXPECT_EQ(program.wait(), 128 + SIGHUP) << read_text(log_);
    EXPECT_THAT(read_text(log_), HasSubstr("stopping after this step"));
  }
}

}  // namespace
}  // namespace resflow::testing
