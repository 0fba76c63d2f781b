#include "apps/score/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/core/setting.h"
#include "tests/io/expect_error.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::expect_error;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

const Fingerprint kJournalFingerprint = {{"model", "resnet18 with xxh3 0123456789abcdef"},
                                         {setting("all_scores"), "given"},
                                         {"inputs", "caf\xE9"},
                                         {setting("unordered"), "given"}};

// Byte for byte as journals have always been: --resume goes on with those that an older resflow left.
constexpr const char* kText = R"({
 "format": "resflow score journal",
 "version": 1,
 "facts": [
  [
   "model",
   "resnet18 with xxh3 0123456789abcdef"
  ],
  [
   "--all-scores",
   "given"
  ],
  [
   "inputs",
   {
    "base64": "Y2Fm6Q=="
   }
  ],
  [
   "--unordered",
   "given"
  ]
 ],
 "rows": 4,
 "failed": 1,
 "pictures": 8,
 "names": "00000000000000ff",
 "last": "photos/7.jpg",
 "missing": [
  [
   2,
   "0000000000000010"
  ]
 ],
 "files": [
  {
   "path": "scores.csv",
   "bytes": 120
  }
 ],
 "executors": 2,
 "complete": false
}
)";

TEST(ScoreJournal, IsReadAndWrittenAsItHasAlwaysBeen) {
  const TemporaryFolder folder;
  EXPECT_FALSE(load_journal(folder / "scores.csv.journal"));
  write_text(folder / "scores.csv.journal", kText);
  const auto journal = load_journal(journal_path(folder / "scores.csv"));
  ASSERT_TRUE(journal);
  EXPECT_EQ(journal->fingerprint, kJournalFingerprint);
  EXPECT_EQ(journal->rows, 4);
  EXPECT_EQ(journal->failed, 1);
  EXPECT_EQ(journal->place.pictures, 8);
  EXPECT_EQ(journal->place.names, 0xFFU);
  EXPECT_EQ(journal->place.last, "photos/7.jpg");
  EXPECT_THAT(journal->missing, ::testing::ElementsAre(ListedPicture{2, 0x10}));
  ASSERT_EQ(journal->files.size(), 1U);
  EXPECT_EQ(journal->files[0].path, "scores.csv");
  EXPECT_EQ(journal->files[0].bytes, 120);
  EXPECT_EQ(journal->executors, 2);
  EXPECT_FALSE(journal->complete);
  save_journal(*journal, folder / "again");
  EXPECT_EQ(read_text(folder / "again"), kText);
}

TEST(ScoreJournal, KeepsHowManyFilesCouldNotBeReadAndWhichErrorsAreRetried) {
  const TemporaryFolder folder;
  const std::string path = folder / "scores.journal";
  ScoreJournal journal;
  journal.fingerprint = kJournalFingerprint;
  journal.rows = 4;
  journal.failed = 3;
  journal.unreadable = 2;
  journal.place.pictures = 8;
  save_journal(journal, path);
  EXPECT_EQ(load_journal(path)->unreadable, 2);
  EXPECT_EQ(retried_rows(*load_journal(path)), "");
  journal.fingerprint.emplace_back(setting("retry_errors"), "0123");
  save_journal(journal, path);
  EXPECT_EQ(retried_rows(*load_journal(path)), "0123");
  journal.unreadable = 4;
  save_journal(journal, path);
  expect_error(ErrorKind::kData, {"contradict"}, [&] { load_journal(path); });
}

TEST(ScoreJournal, OfAnotherVersionIsRefused) {
  const TemporaryFolder folder;
  std::string text = kText;
  text.replace(text.find("\"version\": 1"), 12, "\"version\": 2");
  write_text(folder / "j", text);
  expect_error(ErrorKind::kData, {folder / "j", "version 2", "overwrite"}, [&] { load_journal(folder / "j"); });
}

TEST(ScoreJournal, IsRefusedWhereItContradictsItself) {
  const TemporaryFolder folder;
  const std::string path = folder / "scores.journal";
  ScoreJournal journal = {.fingerprint = kJournalFingerprint,
                          .rows = 4,
                          .failed = 0,
                          .place = {.pictures = 8, .names = 1, .last = "x"},
                          .missing = {{0, 7}, {1, 8}, {2, 9}, {3, 10}},
                          .files = {}};
  save_journal(journal, path);
  EXPECT_EQ(load_journal(path)->missing, journal.missing);
  for (const std::vector<ListedPicture>& missing : {std::vector<ListedPicture>{{1, 7}, {1, 8}},
                                                    {{3, 7}, {1, 8}},
                                                    {{8, 7}},
                                                    {{-1, 7}},
                                                    {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}}}) {
    journal.missing = missing;
    save_journal(journal, path);
    expect_error(ErrorKind::kData, {path, "contradict each other"}, [&] { load_journal(path); });
  }
}

// Both are newer than the format, and journals without them are read.
TEST(ScoreJournal, RemembersTheMachineAndTheFilesThatItSaw) {
  const TemporaryFolder folder;
  const std::string path = folder / "scores.journal";
  save_journal({.fingerprint = {},
                .machine = "an abacus",
                .rows = 0,
                .failed = 0,
                .place = {.pictures = 1, .names = 1, .last = "x", .files = 0x1234},
                .missing = {},
                .files = {}},
               path);
  EXPECT_EQ(load_journal(path)->machine, "an abacus");
  EXPECT_EQ(load_journal(path)->place.files, 0x1234U);
  write_text(path, kText);
  EXPECT_EQ(load_journal(path)->machine, "");
  EXPECT_EQ(load_journal(path)->place.files, std::nullopt);
  std::string negative = kText;
  negative.replace(negative.find("120"), 3, "-12");
  write_text(path, negative);
  expect_error(ErrorKind::kData, {path, "-12 bytes of scores.csv"}, [&] { load_journal(path); });
}

}  // namespace
}  // namespace resflow
