#include "io/files/xxh3.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/io/expect_error.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

TEST(Xxh3, IsTheOneThatXxhsumHas) {
  // xxHash's own test vector: XXH3_64bits of nothing, seed 0.
  EXPECT_EQ(hex(xxh3("")), "2d06800538d394c2");
  EXPECT_NE(xxh3("a.jpg"), xxh3("a.jpg", 1));
}

TEST(Xxh3, OfAFileIsThatOfItsBytes) {
  const testing::TemporaryFolder folder;
  std::string bytes(3'000'001, 'x');
  for (size_t i = 0; i < bytes.size(); i += 7) bytes[i] = static_cast<char>(i);
  std::ofstream(folder / "file", std::ios::binary) << bytes;
  EXPECT_EQ(xxh3_of_file(folder / "file"), xxh3(bytes));
  std::ofstream(folder / "empty");
  EXPECT_EQ(xxh3_of_file(folder / "empty"), xxh3(""));
}

TEST(Xxh3, OfASequenceDependsOnOrderAndBorders) {
  const auto of = [](std::initializer_list<const char*> texts) {
    uint64_t hash = 0;
    for (const char* text : texts) hash = xxh3_next(hash, text);
    return hash;
  };
  EXPECT_NE(of({"a", "b"}), of({"b", "a"}));
  EXPECT_NE(of({"ab", "c"}), of({"a", "bc"}));
  EXPECT_NE(of({"a"}), of({"a", ""}));
}

TEST(Xxh3, DigitsComeBack) {
  for (const uint64_t hash : {uint64_t{0}, uint64_t{0xABCDEF}, UINT64_MAX}) EXPECT_EQ(hash_of_hex(hex(hash)), hash);
  for (const char* no_hash : {"", "12", "000000000000000G", "00000000000000001", "ABCDEF0000000000"})
    testing::expect_error(ErrorKind::kData, {no_hash, "16 hexadecimal"}, [&] { hash_of_hex(no_hash); });
}

}  // namespace
}  // namespace resflow
