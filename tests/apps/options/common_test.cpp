#include "apps/options/common.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "apps/machine/threads.h"
#include "tests/io/expect_error.h"

namespace resflow::testing {
namespace {

class ThreadsOption : public ::testing::Test {
 protected:
  ThreadsOption() { add_threads_option(app_, threads_); }
  int resolve(const std::string& line) {
    app_.parse(line);
    return resolve_threads(app_, threads_);
  }

  CLI::App app_;
  int threads_ = 0;
};

TEST_F(ThreadsOption, IsAllThatThisProcessMayUseWhereItIsNotGiven) {
  EXPECT_EQ(resolve(""), cpu_limits().usable());
  EXPECT_EQ(resolve("--threads 3"), 3);
}

TEST_F(ThreadsOption, IsAtLeastOne) {
  expect_error(ErrorKind::kUsage, {"threads is 0: wanted at least 1"}, [&] { resolve("--threads 0"); });
}

TEST(SharedOptions, AreParsed) {
  CLI::App app;
  std::string model = "resnet18", decode = "exact", executors = "auto", json;
  bool exif = false, pin = false;
  add_model_option(app, model);
  add_decode_option(app, decode);
  add_executors_option(app, executors);
  add_json_option(app, json, "the figures");
  add_exif_option(app, exif);
  add_pin_option(app, pin);
  app.parse("--model resnet50 --decode fast --executors 2 --json a.json --exif --pin");
  EXPECT_EQ(model, "resnet50");
  EXPECT_EQ(decode, "fast");
  EXPECT_EQ(executors, "2");
  EXPECT_EQ(json, "a.json");
  EXPECT_TRUE(exif);
  EXPECT_TRUE(pin);
  EXPECT_NE(app.help().find("write the figures to this file"), std::string::npos);
}

}  // namespace
}  // namespace resflow::testing
