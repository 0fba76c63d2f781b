// The sink that prints. output_test.cpp reads again what those that write files have written.
#include "apps/score/sinks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace resflow {
namespace {

using ::testing::ElementsAre;

const std::vector<double> kCertain = {1, 0};

TEST(PrintingSink, GivesEachRowAtOnce) {
  std::vector<std::string> given;
  const auto sink =
      make_printing_sink([&](std::string_view text) { given.emplace_back(text); }, make_csv_rows({"cat", "dog"}, {}));
  EXPECT_TRUE(given.empty());
  sink->add({.name = "a.jpg", .probabilities = kCertain});
  EXPECT_THAT(given, ElementsAre("path,class,probability,error\na.jpg,cat,1.000000,\n"));
  sink->add({.name = "b.jpg", .error = "is broken"});
  EXPECT_EQ(given.size(), 2U);
  EXPECT_EQ(given.back(), "b.jpg,,,is broken\n");
}

TEST(PrintingSink, GivesTheHeaderWhereThereAreNoRows) {
  std::string given;
  const auto sink =
      make_printing_sink([&](std::string_view text) { given += text; }, make_csv_rows({"cat", "dog"}, {}));
  sink->end();
  EXPECT_EQ(given, "path,class,probability,error\n");
}

TEST(PrintingSink, PassesOnWhatTheOutputThrows) {
  const auto sink = make_printing_sink([](std::string_view) { throw std::runtime_error("its reader has gone"); },
                                       make_csv_rows({"cat", "dog"}, {}));
  EXPECT_THROW(sink->add({.name = "a.jpg", .probabilities = kCertain}), std::runtime_error);
}

}  // namespace
}  // namespace resflow
