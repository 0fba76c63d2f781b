// Covers: io/pth/pickle_bytes
#include "io/pth/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "io/pth/pickle_bytes.h"
#include "tests/io/expect_error.h"
#include "tests/io/files.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::span_of;
using Kind = PickleKind;

// A literal with zeros in it.
template <size_t n>
std::string raw(const char (&text)[n]) {
  return {text, n - 1};
}

void allow_tests(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"m.f", "m.f.g", "collections.OrderedDict",
                                                      "collections.defaultdict", "builtins.getattr"};
  if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) throw data_error("no {}", name);
}

Pickle pickle_of(const std::string& bytes) { return {span_of(bytes), "x", allow_tests}; }

// The value as Python would show it.
std::string show(const Pickle& pickle, const PickleValue& value) {
  const auto items = [&](const char* open, const char* close) {
    std::string text = open;
    for (const PickleValue& item : pickle.items(value)) {
      if (text != open) text += ",";
      text += show(pickle, item);
    }
    return text + close;
  };
  switch (value.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return value.integer != 0 ? "True" : "False";
    case Kind::kInt:
      return std::to_string(value.integer);
    case Kind::kFloat:
      return fmt::format("{}f", value.real);
    case Kind::kString:
      return fmt::format("'{}'", pickle.text(value));
    case Kind::kBytes:
      return fmt::format("b'{}'", pickle.text(value));
    case Kind::kBigInt:
      return fmt::format("big{}", pickle.text(value).size());
    case Kind::kTuple:
      return items("(", ")");
    case Kind::kList:
      return items("[", "]");
    case Kind::kSet:
      return items("<", ">");
    case Kind::kDict:
      return items("{", "}");
    case Kind::kGlobal:
      return std::string(pickle.text(value));
    case Kind::kCall:
      return items("call(", ")");
    case Kind::kPersistent:
      return items("kept(", ")");
    case Kind::kUnset:
      return "unset";
  }
  return "?";
}

std::string show(const std::string& bytes) {
  const Pickle pickle = pickle_of(bytes);
  EXPECT_EQ(pickle.bytes(), bytes.size());
  return show(pickle, pickle.root());
}

TEST(Pickle, ReadsConstantsOfAllProtocols) {
  EXPECT_EQ(show("N."), "None");
  EXPECT_EQ(show("\x88."), "True");
  EXPECT_EQ(show("\x89."), "False");
  EXPECT_EQ(show("I00\n."), "False");
  EXPECT_EQ(show("I01\n."), "True");
  EXPECT_EQ(show("I-12\n."), "-12");
  EXPECT_EQ(show("L9223372036854775807L\n."), "9223372036854775807");
  EXPECT_EQ(show("L9223372036854775808L\n."), "big9");
  EXPECT_EQ(show("L-129L\n."), "-129");
  EXPECT_EQ(show("K\xFF."), "255");
  EXPECT_EQ(show("M\xFF\xFF."), "65535");
  EXPECT_EQ(show("J\xFE\xFF\xFF\xFF."), "-2");
  EXPECT_EQ(show(raw("\x8A\0.")), "0");
  EXPECT_EQ(show(raw("\x8A\1\x80.")), "-128");
  EXPECT_EQ(show(raw("\x8A\x02\xFF\0.")), "255");
  EXPECT_EQ(show(raw("\x8A\x09\0\0\0\0\0\0\0\x80\0.")), "big9");
  EXPECT_EQ(show(raw("\x8A\x08\0\0\0\0\0\0\0\x80.")), "-9223372036854775808");
  EXPECT_EQ(show(raw("\x8B\x02\0\0\0\1\1.")), "257");
  EXPECT_EQ(show(raw("G\x3F\xF8\0\0\0\0\0\0.")), "1.5f");
  EXPECT_EQ(show("F-0.25\n."), "-0.25f");
  EXPECT_EQ(show("Finf\n."), "inff");
}

TEST(Pickle, TheMagicNumberIsTheSameInTextAndBinary) {
  const std::string binary = "\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.";
  const std::string text = "L119547037146038801333356L\n.";
  const Pickle a = pickle_of(binary), b = pickle_of(text);
  ASSERT_EQ(a.root().kind, Kind::kBigInt);
  ASSERT_EQ(b.root().kind, Kind::kBigInt);
  EXPECT_EQ(a.text(a.root()), b.text(b.root()));
}

TEST(Pickle, ReadsTextsOfAllProtocols) {
  EXPECT_EQ(show("S'it\\'s\\n\\x41\\101\\\\'\n."), "'it's\nAA\\'");
  EXPECT_EQ(show("S\"\"\n."), "''");
  EXPECT_EQ(show("V\\u00e4\\U0001f600\xE4\n."), "'\xC3\xA4\xF0\x9F\x98\x80\xC3\xA4'");
  EXPECT_EQ(show(raw("T\2\0\0\0ab.")), "'ab'");
  EXPECT_EQ(show(raw("U\2ab.")), "'ab'");
  EXPECT_EQ(show(raw("X\2\0\0\0ab.")), "'ab'");
  EXPECT_EQ(show(raw("\x8C\2ab.")), "'ab'");
  EXPECT_EQ(show(raw("\x8D\2\0\0\0\0\0\0\0ab.")), "'ab'");
  EXPECT_EQ(show(raw("C\2ab.")), "b'ab'");
  EXPECT_EQ(show(raw("B\2\0\0\0ab.")), "b'ab'");
  EXPECT_EQ(show(raw("\x8E\2\0\0\0\0\0\0\0ab.")), "b'ab'");
  EXPECT_EQ(show(raw("\x96\2\0\0\0\0\0\0\0ab.")), "b'ab'");
}

TEST(Pickle, ReadsContainersOfAllProtocols) {
  EXPECT_EQ(show(")."), "()");
  EXPECT_EQ(show("(K\1K\2t."), "(1,2)");
  EXPECT_EQ(show("K\1\x85."), "(1)");
  EXPECT_EQ(show("K\1K\2\x86."), "(1,2)");
  EXPECT_EQ(show("K\1K\2K\3\x87."), "(1,2,3)");
  EXPECT_EQ(show("(K\1l."), "[1]");
  EXPECT_EQ(show("]K\1a(K\2K\3e."), "[1,2,3]");
  EXPECT_EQ(show("(K\1Nd."), "{1,None}");
  EXPECT_EQ(show("}K\1Ns(K\2NK\3Nu."), "{1,None,2,None,3,None}");
  EXPECT_EQ(show("\x8F(K\1K\2\x90."), "<1,2>");
  EXPECT_EQ(show("(K\1\x91."), "<1>");
  EXPECT_EQ(show("(K\1(K\2K\3"
                 "1t."),
            "(1)");
  EXPECT_EQ(show("K\1K\2"
                 "0."),
            "1");
  EXPECT_EQ(show("(0K\1."), "1");
  EXPECT_EQ(show("K\1"
                 "2\x86."),
            "(1,1)");
  EXPECT_EQ(show(raw("\x80\5\x95\2\0\0\0\0\0\0\0K\1.")), "1");
}

TEST(Pickle, KeepsAMemo) {
  EXPECT_EQ(show("(K\7p5\ng5\nt."), "(7,7)");
  EXPECT_EQ(show("(K\7q\1h\1t."), "(7,7)");
  EXPECT_EQ(show(raw("(K\7r\1\1\0\0j\1\1\0\0t.")), "(7,7)");
  EXPECT_EQ(show(raw("(K\7\x94h\0t.")), "(7,7)");
  EXPECT_EQ(show(raw("(]q\0K\1ah\0t.")), "([1],[1])");  // the same list
}

TEST(Pickle, RecordsCallsAndMakesNone) {
  EXPECT_EQ(show("cm\nf\n(K\1tR."), "call(m.f,(1))");
  EXPECT_EQ(show("\x8C\1m\x8C\1f\x93)\x81."), "call(m.f,())");
  EXPECT_EQ(show("cm\nf\n)}\x92."), "call(m.f,())");
  EXPECT_EQ(show("(K\1im\nf\n."), "call(m.f,(1))");
  EXPECT_EQ(show("(cm\nf\nK\1o."), "call(m.f,(1))");
  EXPECT_EQ(show("K\1Q."), "kept(1)");
  EXPECT_EQ(show("Pabc\n."), "kept('abc')");
  const std::string bytes = "(K\1QK\2Qt.";
  EXPECT_EQ(pickle_of(bytes).persistent().size(), 2);
}

TEST(Pickle, AnOrderedDictIsADictionary) {
  EXPECT_EQ(show("ccollections\nOrderedDict\n)RK\1K\2s."), "{1,2}");
  EXPECT_EQ(show(raw("ccollections\nOrderedDict\n)RK\1K\2s}X\1\0\0\0aNsb.")), "{1,2}");
  EXPECT_EQ(show("ccollections\nOrderedDict\n((lK\1K\2\x86"
                 "a](K\3K\4eatR."),
            "{1,2,3,4}");
  EXPECT_EQ(show("ccollections\nOrderedDict\n}K\1K\2s\x85R."), "{1,2}");
}

TEST(Pickle, RefusedImportsThrowBeforeAnythingElse) {
  for (const std::string bytes :
       {"cos\nsystem\n", "(ios\nsystem\n", "\x8C\2os\x8C\6system\x93", "(cos\nsystem\nX\2\0\0\0lso."})
    expect_error(ErrorKind::kData, {"no os.system"}, [&] { pickle_of(bytes); });
  // A name with a dot in it means the same.
  expect_error(ErrorKind::kData, {"no os.path.x"}, [] { pickle_of("\x8C\2os\x8C\6path.x\x93."); });
  expect_error(ErrorKind::kData, {"x: ", "copyreg"}, [] { pickle_of("\x82\1."); });
}

TEST(Pickle, ObjectsAreOpaqueWhateverIsDoneWithThem) {
  EXPECT_EQ(show("cm\nf\n)R}K\1K\2sb."), "call(m.f,())");                         // a state
  EXPECT_EQ(show("cm\nf\n)RK\1K\2s."), "call(m.f,())");                           // an item
  EXPECT_EQ(show("cm\nf\n)R(K\1K\2e."), "call(m.f,())");                          // elements
  EXPECT_EQ(show("cm\nf\n)}K\1Ns\x92."), "call(m.f with arguments by name,())");  // keywords
  EXPECT_EQ(show("cm\nf\n)R)R."), "call(the result of m.f,())");                  // a call of what a call has given
  EXPECT_EQ(show("}cm\nf\n)RNs."), "{call(m.f,()),None}");                        // a key
  EXPECT_EQ(show("ccollections\ndefaultdict\ncm\nf\n\x85RK\1K\2s."), "{1,2}");
  EXPECT_EQ(show("cbuiltins\ngetattr\ncm\nf\nS'g'\n\x86R."), "m.f.g");  // a class within a class
  expect_error(ErrorKind::kData, {"x: ", "calls builtins.getattr on what is no class"},
               [] { pickle_of("cbuiltins\ngetattr\n}S'g'\n\x86R."); });
}

TEST(Pickle, EveryOpcodeChecksItsOperands) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\xFE.", "0xfe is no opcode"},
      {"0.", "its stack is empty"},
      {"2.", "its stack is empty"},
      {".", "leaves 0 values"},
      {"NN.", "leaves 2 values"},
      {"N(.", "leaves 1 values"},
      {"t.", "no mark"},
      {"e.", "no mark"},
      {"1.", "no mark"},
      {"N(\x85.", "its stack is empty"},  // what lies below the mark is out of reach
      {"}(K\1u.", "a key without a value"},
      {"}]Ns.", "a list as the key"},
      {"(]Nd.", "a list as the key"},
      {"NNa.", "None where a list is wanted"},
      {"](N\x90.", "a list where a set is wanted"},
      {")NNs.", "a tuple where a dictionary is wanted"},
      {"](NNu.", "a list where a dictionary is wanted"},
      {"cm\nf\nNR.", "None where a tuple is wanted"},
      {"K\1)R.", "it calls an int"},
      {"K\1)\x81.", "it calls an int"},
      {"(K\1o.", "it calls an int"},
      {"(o.", "a call of nothing"},
      {"K\1K\2\x93.", "an int where a string is wanted"},
      {"K\1}b.", "sets the state of an int"},
      {"}K\1b.", "sets the state of a dictionary to an int"},
      {"ccollections\nOrderedDict\nK\1\x85R.", "OrderedDict of 1 values"},
      {"ccollections\nOrderedDict\n](K\1e\x85R.", "OrderedDict of an int"},
      {"ccollections\nOrderedDict\n])\x86R.", "OrderedDict of 2 values"},
      {"h\7.", "nothing at 7"},
      {"g7\n.", "nothing at 7"},
      {"g-1\n.", "no index"},
      {"gx\n.", "no index"},
      {"q\1.", "its stack is empty"},
      {"Ix\n.", "no number"},
      {"L1x\n.", "no number"},
      {"F1.5x\n.", "no number"},
      {"Sabc\n.", "no quoted string"},
      {"S'abc\n.", "no quoted string"},
      {"S'\\q'\n.", "no quoted string"},
      {"V\\u12\n.", "no escaped string"},
      {"V\\U00110000\n.", "no escaped string"},
      {"\x80\6N.", "protocol 6"},
      {"\x97.", "bytes outside"},
      {"c" + std::string(kMaxPickleName, 'x') + "\nf\n.", "a name to import of 501 bytes"},
  };
  for (const auto& [bytes, part] : cases) {
    SCOPED_TRACE(part);
    expect_error(ErrorKind::kData, {"x: ", part}, [&, &bytes = bytes] { pickle_of(bytes); });
  }
}

TEST(Pickle, CutShortIsToldApart) {
  for (const std::string& bytes :
       {std::string(), std::string("("), std::string("K"), std::string("M\1"), std::string("X\xFF\xFF\xFF\xFFx"),
        std::string("\x8D\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFx"), std::string("cos\nsys"), std::string("I12"),
        std::string("\x95\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F."), std::string("\x8B\xFF\xFF\xFF\xFF\1")})
    EXPECT_THROW(pickle_of(bytes), PickleCutShort) << bytes;
}

std::string times(size_t count, const std::string& text) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(Pickle, BombsAreRefusedSoon) {
  const auto began = std::chrono::steady_clock::now();
  const std::vector<std::pair<std::string, std::string>> bombs = {
      {times(5'000'000, "("), "marks"},
      {times(5'000'000, "N"), "values on its stack"},
      {times(5'000'000, "]"), "lists, tuples and dictionaries"},
      {"N" + times(5'000'000, "\x85"), "levels"},
      {"]" + times(5000, "]") + times(5000, "a") + ".", "levels"},
      {raw("]q\0") + times(5000, raw("h\0a")) + ".", "levels"},  // a list within itself, again and again
      {raw("Nr\xFF\xFF\xFF\xFF"), "memo"},
      {"Np99999999999\n", "memo"},
      {"N" + times(5'000'000, "\x94"), "memo"},
      {"](" + times(1'000'000, "N") + "e(" + times(1'000'000, "N") + "e(" + times(1'000'000, "N") + "e.",
       "values in its lists"},
      {times(1'100'000, raw("U\0") + "0"), "texts"},
  };
  for (const auto& [bytes, part] : bombs) {
    SCOPED_TRACE(part);
    expect_error(ErrorKind::kData, {"x: ", "refused", part}, [&, &bytes = bytes] { pickle_of(bytes); });
  }
  // A billion laughs: lists of ten of the one before. They are one list each, whatever their number.
  std::string laughs = raw("]q\0");
  for (char i = 1; i < 20; ++i) laughs += "](" + times(10, std::string("h") + static_cast<char>(i - 1)) + "eq" + i;
  laughs += times(19, raw("\x86")) + ".";
  EXPECT_EQ(pickle_of(laughs).root().kind, Kind::kTuple);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
}

TEST(Pickle, WrongKindsAreOurFault) {
  const std::string bytes = "N.";
  const Pickle pickle = pickle_of(bytes);
  expect_error(ErrorKind::kInternal, {"None has no text"}, [&] { (void)pickle.text(pickle.root()); });
  expect_error(ErrorKind::kInternal, {"None has no items"}, [&] { (void)pickle.items(pickle.root()); });
}

TEST(PickleBytes, LongsAreTwosComplement) {
  EXPECT_EQ(pickle_long(""), 0);
  EXPECT_EQ(pickle_long("\xFF"), -1);
  EXPECT_EQ(pickle_long(std::string(20, '\xFF')), -1);
  EXPECT_EQ(pickle_long(std::string(20, '\0')), 0);
  EXPECT_EQ(pickle_long(raw("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\0")), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(pickle_long("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF" + std::string(1, '\0')), std::nullopt);
  EXPECT_EQ(pickle_long_bytes("-129"), raw("\x7F\xFF"));
  EXPECT_EQ(pickle_long_bytes("128"), raw("\x80\0"));
  EXPECT_EQ(pickle_long_bytes(std::string(60, '9')), std::nullopt);
}

}  // namespace
}  // namespace resflow
