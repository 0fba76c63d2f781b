#include "tests/house/declarations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace resflow::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Declarations, FindTypesAtNamespaceLevel) {
  EXPECT_THAT(types_defined(R"(
#include <vector>
#define MAKE struct Macro {};
namespace resflow {
struct Interval { double low = 0, high = 0; };   // struct InComment {};
class Plan final : public Base { struct Inner {}; enum class Kind { kA }; };
enum class Mode : int { kOne, kTwo };
template <class T, class U = std::vector<std::vector<int>>>
struct Pair { T first; };
using Rows = std::vector<int>;
template <class T>
using Many = std::vector<T>;
typedef int Number;
struct alignas(64) Line { int x; };
union Word { int i; float f; };
struct Outer::Hidden { int x; };
namespace deeper::still { struct Deep {}; }
}
)"),
              ElementsAre("resflow::Interval", "resflow::Plan", "resflow::Mode", "resflow::Pair", "resflow::Rows",
                          "resflow::Many", "resflow::Number", "resflow::Line", "resflow::Word",
                          "resflow::Outer::Hidden", "resflow::deeper::still::Deep"));
}

TEST(Declarations, PassOverWhatIsNoDefinitionAtNamespaceLevel) {
  EXPECT_THAT(types_defined(R"__(
namespace resflow {
class Forward;
enum class Opaque : int;
template <> struct Traits<int> { int x; };
struct stat status;
const struct option kOptions[] = {{"a", 1}, {"b", 2}};
int take(struct Given given, class Other* other) { struct Local {}; return sizeof(Local); }
Plan::Plan() : a_{1}, b_{2} { struct InConstructor {}; }
Plan& Plan::operator=(const Plan&) { struct InOperator {}; return *this; }
const auto kMade = [] { struct InLambda {}; return 1; }();
const char* kText = "struct InText {};"; const char kBrace = '{';
const char* kRaw = R"(struct InRaw {}; })";
using namespace std::string_literals;
using std::vector;
namespace fs = std::filesystem;
namespace { struct Unnamed {}; namespace inside { struct AlsoUnnamed {}; } }
}
)__"),
              IsEmpty());
}

TEST(Declarations, FindWhatStandsOutsideOfTheNamespace) {
  EXPECT_THAT(declared_outside(R"(
#pragma once
namespace CLI { class App; }
struct cairo_surface;
template <> struct std::hash<resflow::Name> { size_t operator()(const resflow::Name&) const; };
namespace resflow { int inside(); struct Inside {}; }
namespace resflow::deeper { int inside(); }
)"),
              IsEmpty());
  EXPECT_THAT(
      declared_outside("int global(int x);\nnamespace other { struct Thing { int x; }; }\nnamespace { int x; }"),
      ElementsAre("int global ( int x )", "struct Thing", "int x"));
}

TEST(Declarations, FindMacrosThatAreLeft) {
  EXPECT_THAT(macros_left("#define A 1\n  #  define B(x) \\\n x\n#define C\n#undef C\n// #define D\n"),
              ElementsAre("A", "B"));
}

}  // namespace
}  // namespace resflow::testing
