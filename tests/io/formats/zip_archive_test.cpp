// Covers: io/formats/zip_writer
#include "io/formats/zip_archive.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "tests/io/expect_error.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

std::string little_endian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

constexpr uint64_t kTooMuch = 0xffffffff, kLarge = uint64_t{5} << 30;

// A zip whose first entry has 5 GiB, a hole of the file, and whose second therefore begins where 32 bits do not reach.
// `place` is what the directory says of it.
void write_large_zip(const std::string& path, int64_t place_off_by = 0) {
  const std::string version = little_endian(45, 2), nothing = little_endian(0, 2), time = little_endian(0, 4);
  const auto header = [&](const std::string& name, uint64_t size, const std::string& extra) {
    return "PK\3\4" + version + nothing + nothing + time + little_endian(0, 4) + little_endian(size, 4) +
           little_endian(size, 4) + little_endian(name.size(), 2) + little_endian(extra.size(), 2) + name + extra;
  };
  const auto listed = [&](const std::string& name, uint64_t size, uint64_t place, const std::string& extra) {
    return "PK\1\2" + version + version + nothing + nothing + time + little_endian(0, 4) + little_endian(size, 4) +
           little_endian(size, 4) + little_endian(name.size(), 2) + little_endian(extra.size(), 2) + nothing + nothing +
           nothing + little_endian(0, 4) + little_endian(place, 4) + name + extra;
  };
  const std::string sizes =
      little_endian(1, 2) + little_endian(16, 2) + little_endian(kLarge, 8) + little_endian(kLarge, 8);
  const std::string first = header("large", kTooMuch, sizes);
  const uint64_t second = first.size() + kLarge;
  const std::string body = header("small", 3, "") + "abc";
  const uint64_t directory_place = second + body.size();
  const std::string place =
      little_endian(1, 2) + little_endian(8, 2) + little_endian(second + static_cast<uint64_t>(place_off_by), 8);
  const std::string directory = listed("large", kTooMuch, 0, sizes) + listed("small", 3, kTooMuch, place);
  const std::string end64 = "PK\6\6" + little_endian(44, 8) + version + version + little_endian(0, 8) +
                            little_endian(2, 8) + little_endian(2, 8) + little_endian(directory.size(), 8) +
                            little_endian(directory_place, 8);
  const std::string locator =
      "PK\6\7" + little_endian(0, 4) + little_endian(directory_place + directory.size(), 8) + little_endian(1, 4);
  const std::string end = "PK\5\6" + little_endian(0, 4) + little_endian(2, 2) + little_endian(2, 2) +
                          little_endian(directory.size(), 4) + little_endian(kTooMuch, 4) + nothing;
  std::ofstream file(path, std::ios::binary);
  file << first;
  file.seekp(static_cast<std::streamoff>(second));
  file << body << directory << end64 << locator << end;
}

TEST(ZipArchive, EntriesBeyondFourGigabytesAreFound) {
  const TemporaryFolder folder;
  write_large_zip(folder / "large.zip");
  const ZipArchive zip(folder / "large.zip");
  ASSERT_EQ(zip.entries().size(), 2U);
  EXPECT_EQ(zip.entries()[0].bytes, kLarge);
  const ZipEntry* small = zip.find("small");
  ASSERT_NE(small, nullptr);
  EXPECT_EQ(small->bytes, 3U);
  EXPECT_GT(small->offset, kLarge);
  EXPECT_EQ(zip.read(*small, 100), (std::vector<uint8_t>{'a', 'b', 'c'}));
}

TEST(ZipArchive, APlaceBeyondFourGigabytesMustHoldTheEntry) {
  const TemporaryFolder folder;
  for (const int64_t off_by : {int64_t{1}, -static_cast<int64_t>(kLarge), int64_t{1} << 40}) {
    write_large_zip(folder / "large.zip", off_by);
    expect_error(ErrorKind::kData, {"the header before entry 'small'"},
                 [&] { const ZipArchive zip(folder / "large.zip"); });
  }
}

}  // namespace
}  // namespace resflow
