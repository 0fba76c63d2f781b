#include "apps/host/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace resflow {
namespace {

// A stream that is read back, and a clock that goes when told.
class ProgressTest : public ::testing::Test {
 protected:
  ~ProgressTest() override { std::fclose(out_); }

  ProgressLineOptions options(bool terminal) {
    return {.label = "epoch 2/10", .total = 1000, .out = ::fileno(out_), .terminal = terminal, .clock = [this] {
              return now_;
            }};
  }

  std::string written() {
    std::rewind(out_);
    std::string text;
    for (int c = 0; (c = std::fgetc(out_)) != EOF;) text += static_cast<char>(c);
    return text;
  }

  double now_ = 100;
  std::FILE* out_ = std::tmpfile();
};

TEST_F(ProgressTest, AShortJobShowsNothing) {
  {
    ProgressLine progress(options(true));
    now_ += 1.9;
    progress.update(1000);
  }
  EXPECT_EQ(written(), "");
}

TEST_F(ProgressTest, SaysRateDetailsAndTimeLeft) {
  ProgressLine progress(options(false));
  now_ += 4;
  progress.update(200, "loss 1.2500");
  EXPECT_DOUBLE_EQ(progress.rate(), 50);
  EXPECT_EQ(written(), "epoch 2/10  200/1000 images  50.0/s  loss 1.2500  left 0:16\n");
}

TEST_F(ProgressTest, WithoutATotalItSaysNothingOfTheEnd) {
  ProgressLineOptions unknown = options(false);
  unknown.total = 0;
  unknown.seconds_after = 5;
  ProgressLine progress(unknown);
  now_ += 4;
  progress.update(200, "loss 1.2500");
  EXPECT_EQ(written(), "epoch 2/10  200 images  50.0/s  loss 1.2500\n");
}

TEST_F(ProgressTest, ALogGetsALineNowAndThen) {
  ProgressLine progress(options(false));
  for (int i = 1; i <= 40; ++i) {
    now_ += 1;
    progress.update(i);
  }
  const std::string text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;  // at 2, 17 and 32 seconds
}

TEST_F(ProgressTest, ATerminalHasOneLineThatGoesAtTheEnd) {
  {
    ProgressLine progress(options(true));
    for (int i = 1; i <= 5; ++i) {
      now_ += 1;
      progress.update(i);
    }
  }
  const std::string text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 0);
  EXPECT_TRUE(text.ends_with("\r\x1b[K")) << text;
}

TEST_F(ProgressTest, AHiddenLineComesBackAtOnce) {
  ProgressLine progress(options(true));
  progress.hide();
  now_ += 4;
  progress.update(200);
  progress.hide();
  progress.update(200);
  EXPECT_EQ(written(),
            "\repoch 2/10  200/1000 images  50.0/s  left 0:16\x1b[K\r\x1b[K"
            "\repoch 2/10  200/1000 images  50.0/s  left 0:16\x1b[K");
}

TEST_F(ProgressTest, GivesATerminalNoOrdersOfForeignNames) {
  ProgressLineOptions foreign = options(false);
  foreign.label = "a\x1b[2Jb\nc";
  ProgressLine progress(foreign);
  now_ += 4;
  progress.update(200);
  EXPECT_EQ(written(), "a?[2Jb?c  200/1000 images  50.0/s  left 0:16\n");
}

TEST_F(ProgressTest, ATerminalLineNeverWraps) {
  ProgressLine progress(options(true));
  now_ += 3;
  progress.update(10, std::string(300, 'x'));
  EXPECT_LE(written().size(), 80U + 4);  // 80 columns where the terminal does not say, and the codes
}

TEST_F(ProgressTest, TheRateIsThatOfTheLastSeconds) {
  ProgressLine progress(options(false));
  for (int i = 1; i <= 60; ++i) {  // 10 a second, then 2 a second
    now_ += 1;
    progress.update(i <= 30 ? i * 10 : 300 + (i - 30) * 2);
  }
  EXPECT_NEAR(progress.rate(), 2, 0.1);
}

TEST_F(ProgressTest, AResumedJobDoesNotCountWhatWasDoneBefore) {
  ProgressLineOptions resumed = options(false);
  resumed.first = 500;
  ProgressLine progress(resumed);
  now_ += 5;
  progress.update(600);
  EXPECT_DOUBLE_EQ(progress.rate(), 20);
}

}  // namespace
}  // namespace resflow
