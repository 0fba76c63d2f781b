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
  std::FILE* lines = std::tmpfile();
  TerminalListener listener(lines);
  listener.say("epoch 1/2, " + setting("seed") + " 3");
  std::rewind(lines);
  char text[100] = {};
  ASSERT_NE(std::fgets(text, sizeof text, lines), nullptr);
  EXPECT_STREQ(text, "epoch 1/2, --seed 3\n");
  std::fclose(lines);
  EXPECT_FALSE(listener.stop());
}

}  // namespace
}  // namespace resflow
