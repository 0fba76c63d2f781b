#include "io/pictures/picture_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/io/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;
using testing::write_text;

// A file that begins with `text` and goes on with zeros, which take no room on the disk.
std::string sparse(const TemporaryFolder& folder, const std::string& text, uintmax_t bytes) {
  const std::string path = folder / "x.jpg";
  write_text(path, text);
  std::filesystem::resize_file(path, bytes);
  return path;
}

TEST(PictureFile, IsReadWhole) {
  const TemporaryFolder folder;
  write_text(folder / "x.jpg", "any bytes");
  std::vector<uint8_t> buffer;
  const auto bytes = read_picture_file(folder / "x.jpg", buffer);
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "any bytes");
}

TEST(PictureFile, ALargeOneThatBeginsAsNoPictureIsNotRead) {
  const TemporaryFolder folder;
  std::vector<uint8_t> buffer;
  const std::string path = sparse(folder, "", static_cast<uintmax_t>(kLookFirstBytes) + 1);
  expect_error(ErrorKind::kData, {path + ": is no image of a known format"}, [&] { read_picture_file(path, buffer); });
  EXPECT_LT(std::ssize(buffer), kLookFirstBytes);
}

TEST(PictureFile, ALargeOneOfTooManyPixelsIsNotRead) {
  const TemporaryFolder folder;
  std::vector<uint8_t> buffer;
  const std::string path = sparse(folder, "P6 3000 2000 255\n", 18'000'017);
  expect_error(ErrorKind::kData, {path + ": its header says 3000x2000 pixels, wanted at most 5000000"},
               [&] { read_picture_file(path, buffer, {.max_pixels = 5'000'000}); });
  EXPECT_LT(std::ssize(buffer), kLookFirstBytes);
  EXPECT_EQ(read_picture_file(path, buffer).size(), 18'000'017U);
}

TEST(PictureFile, OneOfTooManyBytesIsNotRead) {
  const TemporaryFolder folder;
  std::vector<uint8_t> buffer;
  const std::string path = sparse(folder, "P6 10000 12000 255\n", static_cast<uintmax_t>(kMaxPictureBytes) + 1);
  expect_error(ErrorKind::kData, {path + ": has 1073741825 bytes, wanted at most 1073741824"},
               [&] { read_picture_file(path, buffer); });
  EXPECT_TRUE(buffer.empty());
}

TEST(PictureFile, SaysWhenALargeOneIsAboutToBeRead) {
  const TemporaryFolder folder;
  int said = 0;
  const PictureReading reading = {.before_large = [&] { ++said; }};
  std::vector<uint8_t> buffer;
  read_picture_file(sparse(folder, "P6 3000 2000 255\n", 18'000'017), buffer, reading);
  EXPECT_EQ(said, 0);
  read_picture_file(sparse(folder, "P6 5000 5000 255\n", 75'000'017), buffer, reading);
  EXPECT_EQ(said, 1);
}

}  // namespace
}  // namespace resflow
