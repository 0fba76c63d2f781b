// Covers: io/core/crc32c
#include "io/formats/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "io/core/crc32c.h"
#include "io/images/jpeg_encode.h"
#include "tests/io/expect_error.h"
#include "tests/io/files/faulty_files.h"
#include "tests/support/python.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;

TEST(Crc32c, IsThatOfRfc3720) {
  std::array<uint8_t, 32> bytes{};
  EXPECT_EQ(crc32c(bytes), 0x8A9136AAU);
  bytes.fill(0xFF);
  EXPECT_EQ(crc32c(bytes), 0x62A8AB43U);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  EXPECT_EQ(crc32c(bytes), 0x46DD794EU);
  EXPECT_EQ(crc32c({}), 0U);
}

std::vector<uint8_t> grey_jpeg(int width, int height) {
  Image image;
  image.resize(width, height);
  for (int y = 0; y < height; ++y) std::fill_n(image.row(y), image.row_bytes(), uint8_t{128});
  return encode_jpeg(image);
}

// What TensorBoard's own reader says of a folder, a line a value.
std::string read_back(const std::string& folder) {
  return run_python("io/formats/read_events.py", {folder}, Python::kEnv);
}

TEST(EventFile, TensorBoardReadsScalarsAndPictures) {
  if (!python_has({"tensorboard"}, Python::kEnv)) GTEST_SKIP() << kNoPythonEnv;
  const TemporaryFolder folder;
  EventFile file(folder / "log");
  EXPECT_THAT(fs::path(file.path()).filename().string(), ::testing::StartsWith("events.out.tfevents."));
  const std::vector<std::pair<std::string, double>> first = {{"loss/train", 0.5}, {"accuracy/train", 0.25}};
  const std::vector<std::pair<std::string, double>> second = {{"loss/train", 0.125}, {"accuracy/train", std::nan("")}};
  file.scalars(1, first);
  file.scalars(2, second);
  file.image(2, "preview", 40, 24, grey_jpeg(40, 24));
  file.scalars(3, std::vector<std::pair<std::string, double>>{{"of \xFF", 1}});
  // Read while the file is still open: nothing waits in a buffer.
  EXPECT_EQ(read_back(folder / "log"),
            "scalar accuracy/train 1 0.25\nscalar accuracy/train 2 nan\n"
            "scalar loss/train 1 0.5\nscalar loss/train 2 0.125\n"
            "scalar of ? 3 1.0\n"
            "image preview 2 40x24 40x24 (128, 128, 128)\n");
}

TEST(EventFile, AResumedRunReplacesWhatItDoesAnew) {
  if (!python_has({"tensorboard"}, Python::kEnv)) GTEST_SKIP() << kNoPythonEnv;
  const TemporaryFolder folder;
  {
    EventFile killed(folder / "log");
    for (int64_t step = 1; step <= 4; ++step)
      killed.scalars(step, std::vector<std::pair<std::string, double>>{{"x", static_cast<double>(step)}});
  }
  EventFile resumed(folder / "log", 3);
  resumed.scalars(3, std::vector<std::pair<std::string, double>>{{"x", 30}});
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "log"), {}), 2);
  EXPECT_EQ(read_back(folder / "log"), "scalar x 1 1.0\nscalar x 2 2.0\nscalar x 3 30.0\n");
}

TEST(EventFile, AKilledRunsLastRecordIsItsEnd) {
  if (!python_has({"tensorboard"}, Python::kEnv)) GTEST_SKIP() << kNoPythonEnv;
  const TemporaryFolder folder;
  std::string path;
  {
    EventFile file(folder / "log");
    path = file.path();
    for (int64_t step = 1; step <= 2; ++step) file.scalars(step, std::vector<std::pair<std::string, double>>{{"x", 1}});
  }
  fs::resize_file(path, fs::file_size(path) - 5);
  EXPECT_EQ(read_back(folder / "log"), "scalar x 1 1.0\n");
}

TEST(EventFile, WhatCannotBeWrittenIsAnError) {
  const TemporaryFolder folder;
  expect_error(ErrorKind::kUsage, {"absent/log", "No such file"}, [&] { EventFile(folder / "absent/log"); });
  FaultyFiles full;
  EventFile file(folder / "log", 0, full);
  full.fail("write", full.calls("write") + 1, ENOSPC);
  expect_error(ErrorKind::kSystem, {file.path(), "No space left"}, [&] {
    file.scalars(1, std::vector<std::pair<std::string, double>>{{"x", 1}});
  });
  // A disk that takes little at once loses nothing.
  FaultyFiles slow;
  slow.set_write_limit(3);
  EventFile piecemeal(folder / "slow", 0, slow), whole(folder / "whole");
  const std::vector<std::pair<std::string, double>> values = {{"x", 1}};
  piecemeal.scalars(1, values);
  whole.scalars(1, values);
  EXPECT_EQ(fs::file_size(piecemeal.path()), fs::file_size(whole.path()));
}

}  // namespace
}  // namespace resflow::testing
