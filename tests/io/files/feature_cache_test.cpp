#include "io/files/feature_cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "tests/io/expect_error.h"
#include "tests/io/files/faulty_files.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::expect_error;
using ::testing::HasSubstr;
using testing::read_text;
using testing::write_text;

constexpr int64_t kRows = 50, kColumns = 5, kBlock = 8;
const std::vector<BrokenRow> kBroken = {{3, "is a GIF"}, {4, ""}, {41, std::string("caf\xE9, \0 within", 14)}};

FeatureCacheKey key(char digit = 'a') { return {.key = std::string(64, digit), .rows = kRows, .columns = kColumns}; }

float value(int64_t row, int64_t column) {
  const bool broken = std::any_of(kBroken.begin(), kBroken.end(), [&](const BrokenRow& b) { return b.row == row; });
  return broken ? 0.0F : static_cast<float>(row) + 0.125F * static_cast<float>(column);
}

// The blocks that are missing, as a run makes them: `limit` of them at most.
void append_missing(FeatureCache& cache, int limit = 1000) {
  for (; !cache.complete() && limit > 0; --limit) {
    const int64_t first = cache.done(), count = std::min(kBlock, kRows - first);
    std::vector<float> values;
    for (int64_t row = first; row < first + count; ++row)
      for (int64_t column = 0; column < kColumns; ++column) values.push_back(value(row, column));
    std::vector<BrokenRow> broken;
    for (const BrokenRow& b : kBroken)
      if (b.row >= first && b.row < first + count) broken.push_back(b);
    cache.append(count, values, broken);
  }
}

void expect_rows(const FeatureCache& cache, int64_t rows) {
  EXPECT_EQ(cache.done(), rows);
  const auto values = cache.values().values<float>();
  ASSERT_EQ(cache.values().dims(), (Dims{kRows, kColumns}));
  for (int64_t row = 0; row < kRows; ++row)
    for (int64_t column = 0; column < kColumns; ++column)
      ASSERT_EQ(values[static_cast<size_t>(row * kColumns + column)], row < rows ? value(row, column) : 0.0F)
          << row << " " << column;
  std::vector<BrokenRow> broken;
  for (const BrokenRow& b : kBroken)
    if (b.row < rows) broken.push_back(b);
  EXPECT_EQ(cache.broken(), broken);
}

class FeatureCacheTest : public ::testing::Test {
 protected:
  std::string whole() {
    FeatureCache cache(path_, key());
    append_missing(cache);
    cache.sync();
    return read_text(path_);
  }

  const testing::TemporaryFolder folder_;
  const std::string path_ = folder_ / "train.features";
};

TEST_F(FeatureCacheTest, ComesBackWithWhatCouldNotBeRead) {
  {
    FeatureCache cache(path_, key());
    expect_rows(cache, 0);
    EXPECT_FALSE(cache.complete());
    append_missing(cache);
    expect_rows(cache, kRows);
  }
  const FeatureCache again(path_, key());
  EXPECT_TRUE(again.complete());
  EXPECT_EQ(again.discarded(), "");
  expect_rows(again, kRows);
}

TEST_F(FeatureCacheTest, CutOffAnywhereItGoesOnToTheSameBytes) {
  const std::string bytes = whole();
  for (size_t length = 0; length <= bytes.size(); length += length < 128 ? 43 : 17) {
    write_text(path_, bytes.substr(0, length));
    {
      FeatureCache cache(path_, key());
      EXPECT_EQ(cache.done() % kBlock == 0 || cache.complete(), true);
      expect_rows(cache, cache.done());
      EXPECT_EQ(cache.discarded().empty(), length == 0 || length >= 128) << cache.discarded();
      append_missing(cache);
    }
    ASSERT_EQ(read_text(path_), bytes) << "cut to " << length;
  }
}

TEST_F(FeatureCacheTest, DamageAnywhereIsSeenAndMadeAnew) {
  const std::string bytes = whole();
  for (size_t at = 0; at < bytes.size(); at += 7) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    write_text(path_, damaged);
    {
      FeatureCache cache(path_, key());
      EXPECT_FALSE(cache.complete()) << "byte " << at;
      EXPECT_NE(cache.discarded(), "") << "byte " << at;
      expect_rows(cache, cache.done());
      append_missing(cache);
    }
    ASSERT_EQ(read_text(path_), bytes) << "byte " << at;
  }
}

TEST_F(FeatureCacheTest, SaysWhyAFileIsNotUsed) {
  const std::string bytes = whole();
  const auto discarded = [&](const std::string& content, const FeatureCacheKey& wanted) {
    write_text(path_, content);
    const FeatureCache cache(path_, wanted);
    EXPECT_EQ(cache.done(), 0);
    return cache.discarded();
  };
  EXPECT_EQ(discarded(bytes, key('b')), "is of other weights, pictures or preprocessing");
  EXPECT_EQ(discarded("GIF89a" + std::string(200, 'x'), key()), "is no feature cache");
  EXPECT_EQ(discarded("short", key()), "is cut off in its header");
  std::string flipped = bytes;
  flipped[20] = 1;
  EXPECT_THAT(discarded(flipped, key()), HasSubstr("the checksum of its header differs"));
  flipped = bytes;
  flipped[300] = static_cast<char>(flipped[300] + 1);
  write_text(path_, flipped);
  EXPECT_EQ(FeatureCache(path_, key()).discarded(), "is damaged after row 0");
}

TEST_F(FeatureCacheTest, AFullDiskLeavesTheRowsBeforeIt) {
  testing::FaultyFiles files;
  files.fail("pwrite", 4, ENOSPC);  // header, two blocks, then no room
  {
    FeatureCache cache(path_, key(), files);
    expect_error(ErrorKind::kSystem, {path_, "no room for the features of 50 pictures"},
                 [&] { append_missing(cache); });
    expect_rows(cache, 2 * kBlock);
  }
  expect_rows(FeatureCache(path_, key()), 2 * kBlock);
}

TEST_F(FeatureCacheTest, TooSmallADiskIsSaidBeforeTheWork) {
  testing::FaultyFiles files;
  files.set_free_bytes(kRows * kColumns * 4 - 1);
  files.fail("allocate", 1, ENOSPC);
  expect_error(ErrorKind::kSystem, {path_, "no room"}, [&] { const FeatureCache cache(path_, key(), files); });
}

TEST_F(FeatureCacheTest, WritesThatAreCutShortGoOn) {
  testing::FaultyFiles files;
  files.set_write_limit(7);
  {
    FeatureCache cache(path_, key(), files);
    append_missing(cache);
  }
  expect_rows(FeatureCache(path_, key()), kRows);
}

TEST_F(FeatureCacheTest, HasOneWriterAndAnyNumberOfReaders) {
  FeatureCache writer(path_, key());
  expect_error(ErrorKind::kUsage, {path_, "another run is making these features"},
               [&] { const FeatureCache other(path_, key()); });
  append_missing(writer);
  expect_error(ErrorKind::kUsage, {"another run"}, [&] { const FeatureCache other(path_, key()); });
  {
    const testing::TemporaryFolder other;
    const std::string copy = other / "x.features";
    std::filesystem::copy(path_, copy);
    const FeatureCache first(copy, key()), second(copy, key());
    EXPECT_TRUE(first.complete() && second.complete());
  }
}

TEST_F(FeatureCacheTest, WhatMayNotBeWrittenIsReadAndGoneOnWithInMemory) {
  const std::string bytes = whole();
  testing::FaultyFiles files;
  files.fail_once("open", 1, EROFS);
  {
    const FeatureCache complete(path_, key(), files), beside(path_, key());
    EXPECT_TRUE(complete.complete() && complete.kept());
    expect_rows(complete, kRows);
  }
  write_text(path_, bytes.substr(0, bytes.size() / 2));
  testing::FaultyFiles again;
  again.fail_once("open", 1, EACCES);
  FeatureCache half(path_, key(), again);
  EXPECT_FALSE(half.complete() || half.kept());
  append_missing(half);
  half.sync();
  expect_rows(half, kRows);
  EXPECT_EQ(again.calls("pwrite") + again.calls("ftruncate") + again.calls("fsync"), 0);
  EXPECT_EQ(read_text(path_), bytes.substr(0, bytes.size() / 2));
}

TEST_F(FeatureCacheTest, ReadersOfACompleteFileDoNotWaitForEachOther) {
  whole();
  const int reader = ::open(path_.c_str(), O_RDONLY);
  ASSERT_EQ(::flock(reader, LOCK_SH | LOCK_NB), 0);
  const FeatureCache cache(path_, key());
  EXPECT_TRUE(cache.complete());
  ::close(reader);
}

TEST_F(FeatureCacheTest, RowsThatAnotherRunMadeMeanwhileAreTaken) {
  const std::string bytes = whole();
  write_text(path_, bytes.substr(0, bytes.size() / 2));
  // Between reading and locking the file for itself, another run completes it.
  class Meanwhile : public FileSystem {
   public:
    Meanwhile(std::string path, std::string bytes) : path_(std::move(path)), bytes_(std::move(bytes)) {}
    int flock(int file, int operation) override {
      if ((operation & LOCK_EX) != 0) write_text(path_, bytes_);
      return FileSystem::flock(file, operation);
    }

   private:
    std::string path_, bytes_;
  } files(path_, bytes);
  const FeatureCache cache(path_, key(), files);
  EXPECT_TRUE(cache.complete());
  expect_rows(cache, kRows);
}

TEST_F(FeatureCacheTest, SaysWhereThereAreNoLocks) {
  testing::FaultyFiles files;
  files.fail("flock", 1, ENOLCK);
  EXPECT_FALSE(FeatureCache(path_, key(), files).locked());
}

TEST_F(FeatureCacheTest, IsNotWrittenThroughALink) {
  write_text(folder_ / "victim", "precious");
  std::filesystem::create_symlink("victim", path_);
  FeatureCache cache(path_, key());
  EXPECT_FALSE(cache.kept());
  append_missing(cache);
  EXPECT_EQ(read_text(folder_ / "victim"), "precious");
}

TEST_F(FeatureCacheTest, APlaceThatCannotBeIsTheUsersToChange) {
  expect_error(ErrorKind::kUsage, {"feature_cache names another folder"},
               [&] { const FeatureCache cache(folder_ / "absent/x.features", key()); });
}

TEST_F(FeatureCacheTest, RowsThatDoNotFitAreOurFault) {
  FeatureCache cache(path_, key());
  const std::vector<float> row(kColumns);
  expect_error(ErrorKind::kInternal, {"2 rows"}, [&] { cache.append(2, row, {}); });
  expect_error(ErrorKind::kInternal, {"row 9"}, [&] { cache.append(1, row, {{9, "x"}}); });
}

}  // namespace
}  // namespace resflow
