#include "apps/pages/svg_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <regex>
#include <string>

#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointwise;

TEST(NiceTicks, AreRoundNumbersWithinTheRange) {
  EXPECT_THAT(nice_ticks(0, 1, 5), Pointwise(DoubleNear(1e-12), std::vector<double>{0, 0.2, 0.4, 0.6, 0.8, 1}));
  EXPECT_THAT(nice_ticks(0.1, 1.2, 5), Pointwise(DoubleNear(1e-12), std::vector<double>{0.2, 0.4, 0.6, 0.8, 1.0, 1.2}));
  EXPECT_THAT(nice_ticks(-3, 4, 4), Pointwise(DoubleNear(1e-12), std::vector<double>{-2, 0, 2, 4}));
  EXPECT_THAT(nice_ticks(1, 3, 6, true), ElementsAre(1, 2, 3));
  EXPECT_THAT(nice_ticks(0.9, 1.1, 6, true), ElementsAre(1));
  // Neither too few nor too many of any range.
  for (double width = 1e-7; width < 1e7; width *= 1.37) {
    const size_t n = nice_ticks(0.3, 0.3 + width, 5).size();
    EXPECT_GE(n, 3U) << width;
    EXPECT_LE(n, 9U) << width;
  }
}

// Counting up a double ends nowhere where the double no longer changes.
TEST(NiceTicks, AreFewOfAnyRange) {
  const double most = std::numeric_limits<double>::max(), least = std::numeric_limits<double>::denorm_min();
  for (const double low : {-most, -1e300, -1.0, 0.0, least, 1e-300, 1.0, 1e15, 4.6e18, 1e300}) {
    for (const double high : {std::nextafter(low, most), std::nextafter(std::nextafter(low, most), most), low + 1,
                              low + std::abs(low) * 1e-12, least, 1.0, 9e15, 1e300, most}) {
      if (!(low < high)) continue;
      for (const bool whole : {false, true}) {
        const std::vector<double> ticks = nice_ticks(low, high, 5, whole);
        EXPECT_LE(ticks.size(), 20U) << low << " to " << high;
        for (const double tick : ticks) EXPECT_TRUE(std::isfinite(tick)) << low << " to " << high;
      }
      if (low > 0) {
        EXPECT_LE(log_ticks(low, high, 6).size(), 20U) << low << " to " << high;
      }
    }
  }
}

TEST(LogTicks, ArePowersOfTenAndMoreOfThemWhereTheRangeIsShort) {
  EXPECT_THAT(log_ticks(1e-6, 1e-2, 6),
              Pointwise(DoubleNear(1e-15), std::vector<double>{1e-6, 1e-5, 1e-4, 1e-3, 1e-2}));
  EXPECT_THAT(log_ticks(1, 11, 6), Pointwise(DoubleNear(1e-12), std::vector<double>{1, 2, 5, 10}));
  EXPECT_LE(log_ticks(1e-30, 1, 6).size(), 7U);
  EXPECT_GE(log_ticks(3.1, 3.9, 6).size(), 2U);
}

TEST(TickLabel, IsTheShortestText) {
  EXPECT_EQ(tick_label(3 * 0.1), "0.3");
  EXPECT_EQ(tick_label(-0.25), "-0.25");
  EXPECT_EQ(tick_label(1500), "1500");
  EXPECT_EQ(tick_label(0), "0");
  EXPECT_EQ(tick_label(1e-4), "1e-4");
  EXPECT_EQ(tick_label(2.5e-5), "2.5e-5");
  EXPECT_EQ(tick_label(3e6), "3e6");
}

TEST(SvgPlot, SaysWhatItShowsAndEscapesIt) {
  const std::string svg = svg_plot({.title = "a <b> & \"c\"",
                                    .description = "rises",
                                    .x_label = "x",
                                    .series = {{.name = "one's", .x = {0, 1}, .y = {1, 2}}}},
                                   "p1");
  EXPECT_THAT(svg, HasSubstr("<title id=\"p1-title\">a &lt;b&gt; &amp; &quot;c&quot;</title>"));
  EXPECT_THAT(svg, HasSubstr("<desc id=\"p1-desc\">rises</desc>"));
  EXPECT_THAT(svg, HasSubstr("aria-labelledby=\"p1-title p1-desc\""));
  EXPECT_THAT(svg, HasSubstr("one&#39;s"));
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
}

// Losses that differ in their last bit, epochs of a made file, values that nothing can be computed of.
TEST(SvgPlot, AnyValuesMakeAPlotWithTicks) {
  constexpr double kInf = std::numeric_limits<double>::infinity(), kMost = std::numeric_limits<double>::max();
  const std::vector<std::vector<double>> all = {{1, std::nextafter(1.0, 2.0)},
                                                {4.611686018427388e18, 4.611686018427389e18},
                                                {0, 0},
                                                {1e-320, 2e-320},
                                                {-kMost, kMost},
                                                {std::nan(""), 1},
                                                {kInf, -kInf},
                                                {-1, 1e300},
                                                {}};
  for (const auto& x : all) {
    for (const auto& y : all) {
      for (const bool log : {false, true}) {
        const std::string svg =
            svg_plot({.series = {{.x = x, .y = y}}, .log_x = log, .log_y = log, .whole_x = true}, "p");
        EXPECT_LT(svg.size(), 10'000U);
        for (const char* none : {"nan", "inf"}) EXPECT_THAT(svg, Not(HasSubstr(none)));
        const std::regex tick("text-anchor=\"end\">");
        const auto ticks = std::distance(std::sregex_iterator(svg.begin(), svg.end(), tick), std::sregex_iterator());
        EXPECT_GE(ticks, 2) << svg;
      }
    }
  }
}

// The pieces of the only series' line: how often the pen is set down, and how many places it goes to.
std::pair<int64_t, int64_t> strokes(const std::string& svg) {
  std::smatch path;
  const std::regex line("class=\"line c0\" d=\"([^\"]*)\"");
  if (!std::regex_search(svg, path, line)) return {0, 0};
  const std::string d = path[1];
  return {std::count(d.begin(), d.end(), 'M'), std::count(d.begin(), d.end(), 'L')};
}

TEST(SvgPlot, WhatIsNoNumberBreaksTheLine) {
  const auto drawn = [](std::vector<double> y, bool log) {
    return strokes(svg_plot({.series = {{.x = {1, 2, 3, 4, 5}, .y = std::move(y)}}, .log_y = log}, "p"));
  };
  EXPECT_EQ(drawn({1, 2, 3, 4, 5}, false), (std::pair<int64_t, int64_t>{1, 4}));
  EXPECT_EQ(drawn({1, 2, NAN, 4, 5}, false), (std::pair<int64_t, int64_t>{2, 2}));
  EXPECT_EQ(drawn({1, 2, 0, 4, 5}, false), (std::pair<int64_t, int64_t>{1, 4}));
  EXPECT_EQ(drawn({1, 2, 0, 4, 5}, true), (std::pair<int64_t, int64_t>{2, 2}));
  EXPECT_EQ(drawn({1, HUGE_VAL, 3, 4, 5}, false), (std::pair<int64_t, int64_t>{2, 2}));
}

TEST(SvgPlot, AnyDataGiveNumbersWithinTheDrawing) {
  const std::vector<std::vector<double>> all = {{},      {NAN},           {1},      {0},    {2, 2},
                                                {-1, 1}, {1e-300, 1e300}, {-5, -5}, {0, 0}, {1e-9, 2e-9}};
  for (const auto& values : all) {
    for (const bool log : {false, true}) {
      std::vector<double> x(values.size());
      for (size_t i = 0; i < x.size(); ++i) x[i] = values[i] * 3;
      const std::string svg = svg_plot({.series = {{.x = x, .y = values}}, .log_x = log, .log_y = log}, "p");
      EXPECT_THAT(svg, Not(HasSubstr("nan")));
      EXPECT_THAT(svg, Not(HasSubstr("inf")));
      EXPECT_LT(svg.size(), 20'000U);
    }
  }
}

TEST(SvgPlot, ALineOfOnePointIsAPoint) {
  EXPECT_THAT(svg_plot({.series = {{.x = {1}, .y = {1}}}}, "p"), HasSubstr("<circle"));
  EXPECT_THAT(svg_plot({.series = {{.x = {1, 2}, .y = {1, 2}}}}, "p"), Not(HasSubstr("<circle")));
}

TEST(SvgPlot, MarksStandWhereTheyShould) {
  const std::string svg = svg_plot({.series = {{.x = {1e-6, 1e-2}, .y = {1, 2}}},
                                    .marks = {{.x = 1e-4, .label = "here"}, {.x = 7, .label = "out"}},
                                    .log_x = true},
                                   "p");
  EXPECT_THAT(svg, HasSubstr("here"));
  EXPECT_THAT(svg, Not(HasSubstr("out<")));
  // The middle of two decades either side.
  std::smatch from, mark;
  ASSERT_TRUE(std::regex_search(svg, from, std::regex("class=\"line c0\" d=\"M([0-9.]+) [0-9.]+L([0-9.]+) ")));
  ASSERT_TRUE(std::regex_search(svg, mark, std::regex("class=\"mark\" d=\"M([0-9.]+) ")));
  // Both are printed to a tenth.
  EXPECT_NEAR(std::stod(mark[1]), (std::stod(from[1]) + std::stod(from[2])) / 2, 0.11);
}

TEST(SvgDocument, IsWellFormedAndBringsItsStyle) {
  const std::string svg = svg_document({.title = "t & <u>",
                                        .series = {{.name = "\xFF'\"", .x = {1, 2}, .y = {1, NAN}}},
                                        .marks = {{.x = 1, .label = "<&>"}}});
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
  if (!testing::python_has({})) GTEST_SKIP() << "needs python3";
  const testing::TemporaryFolder folder;
  const std::string path = folder / "plot.svg";
  std::ofstream(path) << svg;
  EXPECT_EQ(testing::run_python("apps/pages/well_formed.py", {path}), "svg\n");
}

}  // namespace
}  // namespace resflow
