#include "apps/host/terminal_listener.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "io/core/setting.h"

namespace resflow {
namespace {

TEST(TerminalListener, NamesSettingsAsOptions) {
  EXPECT_EQ(option_name("batch"), "--batch");
  EXPECT_EQ(option_name("image_size"), "--image-size");
  EXPECT_EQ(with_option_names(setting("image_size") + " is 0; give another " + setting("batch")),
            "--image-size is 0; give another --batch");
  EXPECT_EQ(with_option_names("nothing is marked here"), "nothing is marked here");
}

TEST(TerminalListener, WritesLinesWhereItIsTold) {
  ::testing::internal::CaptureStdout();
  TerminalListener listener;
  listener.say("epoch 1/2, " + setting("seed") + " 3");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "epoch 1/2, --seed 3\n");
  ::testing::internal::CaptureStderr();
  TerminalListener beside(TerminalListener::Lines::kError);
  beside.say("executors 2");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "executors 2\n");
  EXPECT_FALSE(listener.stop());
}

// A name may hold anything but a zero byte, and each sentence is a line.
TEST(TerminalListener, ShowsNamesWithoutTheirOrdersToTheTerminal) {
  const std::string name =
      "x\x1b]0;pwned\a\nresflow: 100 % right\xC2\x9B\x7F\xFF\xE2\x80\xAEgpj.exe " + setting("batch");
  const std::string shown = "x?]0;pwned??resflow: 100 % right????gpj.exe --batch\n";
  TerminalListener listener;
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  listener.say(name);
  listener.note(name);
  listener.warn(name);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), shown);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "resflow: note: " + shown + "resflow: warning: " + shown);
}

}  // namespace
}  // namespace resflow
