// docs/library.md shows what docs/examples holds, and names headers that are there.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <string>

#include "tests/support/files.h"

namespace resflow::testing {
namespace {

std::string source(const std::string& path) { return read_text(std::string(RESFLOW_SOURCE_DIR) + "/" + path); }

TEST(LibraryPage, ShowsTheExamples) {
  const std::string page = source("docs/library.md");
  for (const std::string example : {"train.cpp", "score.cpp"}) {
    const std::string text = source("docs/examples/" + example);
    ASSERT_FALSE(text.empty()) << example;
    EXPECT_NE(page.find("```cpp\n" + text + "```\n"), std::string::npos)
        << "docs/library.md shows another text than docs/examples/" << example;
  }
}

TEST(LibraryPage, NamesHeadersThatAreThere) {
  const std::string page = source("docs/library.md");
  const std::regex header(R"(`([a-z_/0-9]+\.h)`)");
  int named = 0;
  for (auto i = std::sregex_iterator(page.begin(), page.end(), header); i != std::sregex_iterator(); ++i, ++named)
    EXPECT_TRUE(std::filesystem::exists(std::string(RESFLOW_SOURCE_DIR) + "/" + (*i)[1].str())) << (*i)[1];
  EXPECT_GE(named, 20);
}

}  // namespace
}  // namespace resflow::testing
