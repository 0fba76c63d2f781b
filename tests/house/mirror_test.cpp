// tests/ mirrors the rooms: every unit has a test of its name, tests/ROOM/UNIT_test.cpp, or a test that says that it
// covers it, in a line of its own:
//
//   // Covers: io/files/glob io/files/csv
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/house/sources.h"
#include "tests/support/files.h"

namespace resflow::testing {
namespace {

using ::testing::ElementsAre;

// A test says itself what it covers.
struct TestFile {
  std::string path, text;
};

std::vector<std::string> covered_by(const std::string& text) {
  constexpr std::string_view kMark = "// Covers: ";
  std::vector<std::string> units;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(kMark)) continue;
    std::istringstream names(line.substr(kMark.size()));
    for (std::string name; names >> name;) units.push_back(name);
  }
  return units;
}

// `units` are sources without their extension, "io/files/glob". A sentence for each that no test names, and for each
// unit that a test names and that is none.
std::vector<std::string> gaps(const std::set<std::string>& units, const std::vector<TestFile>& tests) {
  std::set<std::string> covered;
  std::vector<std::string> wrong;
  for (const auto& [path, text] : tests) {
    constexpr std::string_view kTests = "tests/", kEnd = "_test.cpp";
    covered.insert(path.substr(kTests.size(), path.size() - kTests.size() - kEnd.size()));
    for (const std::string& unit : covered_by(text)) {
      if (!units.contains(unit)) wrong.push_back(path + " covers " + unit + ", which is no unit");
      covered.insert(unit);
    }
  }
  for (const std::string& unit : units)
    if (!covered.contains(unit)) wrong.push_back(unit + " has no test");
  return wrong;
}

TEST(Mirror, TheRuleFindsUnitsWithoutATest) {
  const std::set<std::string> units = {"io/core/text", "io/core/utf8", "io/files/csv", "io/files/glob"};
  EXPECT_THAT(
      gaps(units, {{"tests/io/core/text_test.cpp", "// What it does.\n// Covers: io/core/utf8\n"},
                   {"tests/io/files_test.cpp", "// Covers: io/files/csv io/files/gone\n"}}),
      ElementsAre("tests/io/files_test.cpp covers io/files/gone, which is no unit", "io/files/glob has no test"));
}

TEST(Mirror, EveryUnitHasATest) {
  std::set<std::string> units;
  for (const std::string top : {"io", "ops", "graph", "pipeline", "apps"})
    for (const std::string& file : sources(top))
      if (file.ends_with(".cpp")) units.insert(file.substr(0, file.size() - 4));
  std::vector<TestFile> tests;
  for (const std::string& file : sources("tests"))
    if (file.ends_with("_test.cpp")) tests.push_back({file, read_text(std::string(RESFLOW_SOURCE_DIR) + "/" + file)});
  const std::vector<std::string> wrong = gaps(units, tests);
  EXPECT_TRUE(wrong.empty()) << fmt::format("{}", fmt::join(wrong, "\n"));
}

}  // namespace
}  // namespace resflow::testing
