// Names that must not clash: two types of one name within resflow, and what a header brings into a program that uses
// other libraries, too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/house/declarations.h"
#include "tests/house/sources.h"
#include "tests/support/files.h"

namespace resflow::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string content_of(const std::string& file) { return read_text(std::string(RESFLOW_SOURCE_DIR) + "/" + file); }

// File -> its text. What is wrong with their types: a sentence for each name that two files define.
std::vector<std::string> twice_defined(const std::map<std::string, std::string>& text_of) {
  std::map<std::string, std::vector<std::string>> files_of;
  for (const auto& [file, text] : text_of)
    for (const std::string& name : types_defined(text)) files_of[name].push_back(file);
  std::vector<std::string> wrong;
  for (const auto& [name, files] : files_of) {
    if (files.size() < 2) continue;
    std::string sentence = name + " is defined in";
    for (const std::string& file : files) sentence += " " + file;
    wrong.push_back(sentence);
  }
  return wrong;
}

// What a header must not bring: a sentence each.
std::vector<std::string> unsafe_names(const std::string& file, const std::string& text) {
  std::vector<std::string> wrong;
  for (const std::string& name : macros_left(text))
    if (!name.starts_with("RESFLOW_")) wrong.push_back(file + " defines the macro " + name);
  for (const std::string& what : declared_outside(text))
    wrong.push_back(file + " declares outside of namespace resflow: " + what);
  return wrong;
}

std::map<std::string, std::string> texts_below(const std::vector<std::string>& tops) {
  std::map<std::string, std::string> text_of;
  for (const std::string& top : tops)
    for (const std::string& file : sources(top)) text_of[file] = content_of(file);
  return text_of;
}

TEST(Names, TheRuleFindsOneNameForTwoTypes) {
  // Two doubles here and two ints there: a program that linked both mixed them up.
  EXPECT_THAT(twice_defined({{"metrics.h", "namespace resflow { struct Interval { double low, high; }; }"},
                             {"placement.h", "namespace resflow {\nstruct Interval {\n  int begin, end;\n};\n}"},
                             {"other.cpp", "namespace resflow { namespace { struct Interval {}; } }"},
                             {"deeper.h", "namespace resflow::pack { struct Interval {}; }"}}),
              ElementsAre("resflow::Interval is defined in metrics.h placement.h"));
  EXPECT_THAT(twice_defined({{"a.h", "namespace resflow { using Bytes = int; }"},
                             {"b.cpp", "namespace resflow { class Bytes; struct Byte {}; }"}}),
              IsEmpty());
}

TEST(Names, TheRuleFindsWhatClashesWithOtherLibraries) {
  EXPECT_THAT(unsafe_names("a.h", "#define MAX 3\n#define RESFLOW_MAX 3\nnamespace resflow { int f(); }\nint g();\n"),
              ElementsAre("a.h defines the macro MAX", "a.h declares outside of namespace resflow: int g ( )"));
}

TEST(Names, NoTwoTypesHaveOne) {
  const auto text_of = texts_below({"io", "ops", "graph", "pipeline", "apps"});
  EXPECT_GT(types_defined(text_of.at("io/core/error.h")).size(), 1U);
  EXPECT_THAT(twice_defined(text_of), IsEmpty());
}

TEST(Names, HeadersAreSafeBesideOtherLibraries) {
  std::vector<std::string> wrong;
  for (const auto& [file, text] : texts_below({"io", "ops", "graph", "pipeline", "apps"})) {
    if (!file.ends_with(".h")) continue;
    for (const std::string& sentence : unsafe_names(file, text)) wrong.push_back(sentence);
  }
  EXPECT_THAT(wrong, IsEmpty());
}

}  // namespace
}  // namespace resflow::testing
