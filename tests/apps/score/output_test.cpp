// The files of a scoring, without a model: rows are made up.
//
// Covers: apps/score/npz apps/score/shard_file
#include "apps/score/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/score/executor_choice.h"
#include "apps/score/shard_file.h"
#include "io/core/setting.h"
#include "io/files/xxh3.h"
#include "tests/apps/program.h"
#include "tests/io/expect_error.h"
#include "tests/io/files/faulty_files.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using testing::expect_error;
using testing::FaultyFiles;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

const std::vector<std::string> kOutputClasses = {"cat", "dog", "eel"};
constexpr int64_t kFeatures = 4;
const Fingerprint kFingerprint = {{"model", "xxh3 1"}, {setting("top"), "2"}};
constexpr int64_t kBatchRows = 4;

// Picture `i` of the listing: names that are hard on formats, each fifth one broken, unless it has been `mended`.
struct MadePicture {
  explicit MadePicture(int64_t i, bool mended = false) {
    const std::array<std::string, 6> odd = {"plain",     "a,b",       "q\"uote",
                                            "new\nline", "\xFF\xC3(", "\xC3\xBC \xF0\x9F\x90\xB1"};
    name = odd[static_cast<size_t>(i) % odd.size()] + std::to_string(i) + ".jpg";
    if (i % 5 == 3 && !mended) {
      error = fmt::format("is broken, \"badly\" {}", i);
      return;
    }
    const double x = std::abs(std::sin(static_cast<double>(i + 1)));
    scores = {x / 2, 1 - x, x / 2};
    for (int64_t k = 0; k < kFeatures; ++k) features.push_back(static_cast<float>(i * 10 + k) / 8);
  }
  ScoredPicture picture(PicturePlace place) const {
    return {.name = name, .error = error, .probabilities = scores, .features = features, .place = place};
  }
  std::string name, error;
  std::vector<double> scores;
  std::vector<float> features;
};

ScoreOutputOptions options(const TemporaryFolder& folder, ScoreFormat format, ScoreStart start = ScoreStart::kNew) {
  return {.out = folder / "scores",
          .format = format,
          .rows = {.top = 2, .all_scores = true},
          .embeddings = folder / "embeddings.npy",
          .errors = folder / "errors.csv",
          .embeddings_dtype = DType::kF16,
          .shard = std::nullopt,
          .start = start,
          .save_seconds = 0};
}

ListingPlace place_of(int64_t pictures) {
  ListingPlace place;
  for (int64_t i = 0; i < pictures; ++i) place.names = xxh3_next(place.names, place.last = MadePicture(i).name);
  place.pictures = pictures;
  return place;
}

// Adds the rows from where the output is up to `end`.
void add(ScoreOutput& output, int64_t end) {
  ListingPlace place = output.done().place;
  while (place.pictures < end) {
    const MadePicture made(place.pictures);
    place = {.pictures = place.pictures + 1, .names = xxh3_next(place.names, made.name)};
    output.add(made.picture({.index = place.pictures - 1, .names = place.names}));
    if (output.done().rows % kBatchRows == 0) output.end_batch();
  }
}

std::map<std::string, std::string> contents(const TemporaryFolder& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder.path()))
    files[entry.path().filename().string()] = read_text(entry.path().string());
  return files;
}

std::map<std::string, std::string> uninterrupted(ScoreFormat format, int64_t rows) {
  const TemporaryFolder folder;
  ScoreOutput output(options(folder, format), kOutputClasses, kFeatures, kFingerprint);
  add(output, rows);
  output.finish(place_of(rows));
  return contents(folder);
}

constexpr std::array<ScoreFormat, 4> kFormats = {ScoreFormat::kCsv, ScoreFormat::kJsonl, ScoreFormat::kNpy,
                                                 ScoreFormat::kNpz};
constexpr int64_t kRows = 14;

// What a run leaves of which each fifth picture is broken, but for `mended` ones.
void write_output(const ScoreOutputOptions& with, bool mended) {
  ScoreOutput output(with, kOutputClasses, kFeatures, kFingerprint);
  ListingPlace place;
  for (int64_t i = 0; i < kRows; ++i) {
    const MadePicture made(i, mended);
    place = {.pictures = i + 1, .names = xxh3_next(place.names, made.name)};
    output.add(made.picture({.index = i, .names = place.names}));
  }
  output.finish(place_of(kRows));
}

// Gives the rows of broken pictures anew, from the place on where an earlier run was left.
void retry(ScoreOutput& output, int64_t end = kRows) {
  ListingPlace place;
  const int64_t begin = output.done().place.pictures;
  for (int64_t i = 0; i < end; ++i) {
    const MadePicture made(i, true);
    place = {.pictures = i + 1, .names = xxh3_next(place.names, made.name)};
    if (i < begin || MadePicture(i).error.empty()) continue;
    output.add(made.picture({.index = i, .names = place.names}));
    output.end_batch();
  }
}

TEST(ScoreOutput, RetriedErrorsLeaveTheFilesOfARunWithoutThem) {
  for (const ScoreFormat format : {ScoreFormat::kCsv, ScoreFormat::kJsonl, ScoreFormat::kNpz})
    for (const bool sharded : {false, true})
      for (const int64_t left_at : {int64_t{0}, int64_t{5}, int64_t{10}, kRows}) {
        SCOPED_TRACE(
            fmt::format("{}, left after {}{}", score_format_name(format), left_at, sharded ? ", a shard" : ""));
        const TemporaryFolder folder, mended;
        ScoreOutputOptions with = options(folder, format), wanted = options(mended, format);
        if (sharded) with.shard = wanted.shard = Shard{.number = 1, .of = 2};
        write_output(with, false);
        write_output(wanted, true);
        with.start = ScoreStart::kResume;
        with.retry_errors = true;
        Fingerprint fingerprint = kFingerprint;
        fingerprint.emplace_back(setting("retry_errors"), "0123");
        {
          const auto before = contents(folder);
          ScoreOutput killed(with, kOutputClasses, kFeatures, fingerprint);
          retry(killed, left_at);
          for (const auto& [name, bytes] : before) EXPECT_EQ(contents(folder).at(name), bytes) << name;
        }
        ScoreOutput output(with, kOutputClasses, kFeatures, fingerprint);
        EXPECT_EQ(output.resumed(), left_at > 3);
        retry(output);
        output.finish(place_of(kRows));
        EXPECT_EQ(output.done().failed, 0);
        EXPECT_EQ(contents(folder), contents(mended));
      }
}

TEST(ScoreOutput, RetriedErrorsThatStayAreWrittenAnew) {
  const TemporaryFolder folder;
  ScoreOutputOptions with = options(folder, ScoreFormat::kCsv);
  write_output(with, false);
  const auto before = contents(folder);
  with.start = ScoreStart::kResume;
  with.retry_errors = true;
  ScoreOutput output(with, kOutputClasses, kFeatures, kFingerprint);
  for (int64_t i = 3; i < kRows; i += 5) output.add(MadePicture(i).picture({.index = i, .names = 0}));
  output.finish(place_of(kRows));
  EXPECT_EQ(output.done().failed, 3);
  EXPECT_EQ(contents(folder), before);
}

TEST(ScoreOutput, ErrorsAreRetriedInRowsOfTheSameColumnsAlone) {
  const TemporaryFolder folder;
  ScoreOutputOptions with = options(folder, ScoreFormat::kCsv);
  write_output(with, false);
  const auto before = contents(folder);
  with.start = ScoreStart::kResume;
  with.retry_errors = true;
  const auto refused = [&](const ScoreOutputOptions& how, const std::string& why) {
    expect_error(ErrorKind::kUsage, {why},
                 [&] { const ScoreOutput output(how, kOutputClasses, kFeatures, kFingerprint); });
    EXPECT_EQ(contents(folder), before);
  };
  ScoreOutputOptions other = with;
  other.rows.top = 1;
  refused(other, "other columns");
  other = with;
  other.embeddings_dtype = DType::kF32;
  refused(other, "other columns");
  other = with;
  other.unordered = true;
  refused(other, "in the order of the inputs");
  other = with;
  other.format = ScoreFormat::kNpy;
  refused(other, "rows with names");
}

TEST(ScoreOutput, LeavesItsFilesAndNothingElse) {
  for (const ScoreFormat format : kFormats) {
    const auto files = uninterrupted(format, kRows);
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files) names.push_back(name);
    EXPECT_THAT(names, ::testing::ElementsAre("embeddings.npy", "errors.csv", "scores")) << score_format_name(format);
  }
}

TEST(ScoreOutput, PythonReadsTheSameOutOfEveryFormat) {
  if (!testing::python_has({"numpy"})) GTEST_SKIP() << "no /usr/bin/python3 with numpy";
  std::string wanted, unnamed;
  for (int64_t i = 0; i < kRows; ++i) {
    const MadePicture made(i);
    std::string digits, numbers;
    for (const unsigned char c : made.name) digits += fmt::format("{:02x}", c);
    for (const double score : made.scores)
      numbers += fmt::format("{}{}", numbers.empty() ? "" : " ", static_cast<double>(static_cast<float>(score)));
    wanted += digits + "\t" + (made.error.empty() ? "-" : made.error) + "\t" + numbers + "\n";
    unnamed += fmt::format("\t-\t{}\n", numbers);
  }
  const TemporaryFolder folder;
  for (const ScoreFormat format : kFormats) {
    SCOPED_TRACE(score_format_name(format));
    const auto files = uninterrupted(format, kRows);
    const std::string path = folder / fmt::format("scores.{}", score_format_name(format));
    write_text(path, files.at("scores"));
    EXPECT_EQ(testing::run_python("apps/score/read_scores.py", {path}), format == ScoreFormat::kNpy ? unnamed : wanted);
  }
  const auto files = uninterrupted(ScoreFormat::kCsv, 5);
  write_text(folder / "embeddings.npy", files.at("embeddings.npy"));
  EXPECT_EQ(testing::run_python("io/formats/read_npy.py", {folder / "embeddings.npy"}),
            "<f2 5 4\n0.0 0.125 0.25 0.375\n1.25 1.375 1.5 1.625\n2.5 2.625 2.75 2.875\nnan nan nan nan\n"
            "5.0 5.125 5.25 5.375\n");
  EXPECT_EQ(files.at("errors.csv"), "path,error\n\"new\nline3.jpg\",\"is broken, \"\"badly\"\" 3\"\n");
}

// Killed after each row: what is on the disk then is copied, and gone on with.
TEST(ScoreOutput, GoesOnToTheSameBytesFromEveryRow) {
  for (const ScoreFormat format : kFormats) {
    const auto wanted = uninterrupted(format, kRows);
    for (int64_t end = 1; end <= kRows; ++end) {
      SCOPED_TRACE(fmt::format("{} {}", score_format_name(format), end));
      const TemporaryFolder folder;
      {
        const TemporaryFolder killed;
        ScoreOutput output(options(killed, format), kOutputClasses, kFeatures, kFingerprint);
        add(output, end);
        fs::copy(killed.path(), folder.path(), fs::copy_options::recursive);
        // The journal's paths are as they were given.
        std::string journal = read_text(folder / "scores.journal");
        for (size_t at = 0; (at = journal.find(killed.path().string())) != std::string::npos;)
          journal.replace(at, killed.path().string().size(), folder.path().string());
        if (!journal.empty()) write_text(folder / "scores.journal", journal);
      }
      if (end >= 4)
        expect_error(ErrorKind::kUsage, {"scores.journal", "resume", "overwrite"},
                     [&] { ScoreOutput(options(folder, format), kOutputClasses, kFeatures, kFingerprint); });
      ScoreOutput output(options(folder, format, ScoreStart::kResume), kOutputClasses, kFeatures, kFingerprint);
      EXPECT_EQ(output.done().rows, end / 4 * 4);  // whole batches
      EXPECT_EQ(output.done().place.last, end < 4 ? "" : MadePicture(end / 4 * 4 - 1).name);
      add(output, kRows);
      EXPECT_EQ(output.done().failed, 3);
      output.finish(place_of(kRows));
      EXPECT_TRUE(contents(folder) == wanted);
    }
  }
}

// A failure at any call of the end, and one more run.
TEST(ScoreOutput, EveryStepOfTheEndCanBeTheLast) {
  for (const ScoreFormat format : kFormats) {
    const auto wanted = uninterrupted(format, kRows);
    int failures = 0;
    for (const char* call : {"fsync", "rename", "pwrite", "write", "close"}) {
      for (int nth = 1; nth <= 40; ++nth) {
        SCOPED_TRACE(fmt::format("{} {} {}", score_format_name(format), call, nth));
        const TemporaryFolder folder;
        FaultyFiles files;
        files.fail(call, nth, EIO);
        bool done = false;
        ScoreOutputOptions given = options(folder, format);
        given.save_seconds = 1000;
        try {
          ScoreOutput output(given, kOutputClasses, kFeatures, kFingerprint, files);
          add(output, kRows);
          output.finish(place_of(kRows));
          done = true;
        } catch (const Error& e) {
          EXPECT_EQ(e.kind(), ErrorKind::kSystem) << e.what();
          ++failures;
        }
        if (!done) {
          ScoreOutput output(options(folder, format, ScoreStart::kResume), kOutputClasses, kFeatures, kFingerprint);
          if (!output.complete()) add(output, kRows);
          output.finish(place_of(kRows));
        }
        EXPECT_TRUE(contents(folder) == wanted);
        if (done) break;
      }
    }
    EXPECT_GT(failures, 20);
  }
}

TEST(ScoreOutput, AFullDiskKeepsWhatWasSaved) {
  const TemporaryFolder folder;
  write_text(folder / "scores", "previous");
  FaultyFiles files;
  ScoreOutputOptions given = options(folder, ScoreFormat::kCsv);
  {
    ScoreOutput output(given, kOutputClasses, kFeatures, kFingerprint, files);
    add(output, 9);
    files.fail("write", 1, ENOSPC);
    expect_error(ErrorKind::kSystem, {"the disk is full"}, [&] { add(output, 12); });
    EXPECT_EQ(output.saved_rows(), 8);
  }
  EXPECT_EQ(read_text(folder / "scores"), "previous");
  given.start = ScoreStart::kResume;
  ScoreOutput output(given, kOutputClasses, kFeatures, kFingerprint);
  EXPECT_EQ(output.done().rows, 8);
  add(output, kRows);
  output.finish(place_of(kRows));
  EXPECT_TRUE(contents(folder) == uninterrupted(ScoreFormat::kCsv, kRows));
}

TEST(ScoreOutput, WithoutASavingAFailureLeavesNothing) {
  const TemporaryFolder folder;
  write_text(folder / "scores", "previous");
  FaultyFiles files;
  files.fail("write", 1, ENOSPC);
  {
    ScoreOutput output(options(folder, ScoreFormat::kNpz), kOutputClasses, kFeatures, kFingerprint, files);
    EXPECT_THROW(add(output, 4), Error);
  }
  EXPECT_THAT(contents(folder),
              ::testing::ElementsAre(std::pair<const std::string, std::string>("scores", "previous")));
}

TEST(ScoreOutput, AFolderThatVanishesIsTheMachinesFault) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "out");
  ScoreOutputOptions given = options(folder, ScoreFormat::kCsv);
  given.out = folder / "out/scores";
  ScoreOutput output(given, kOutputClasses, kFeatures, kFingerprint);
  add(output, 3);
  fs::remove_all(folder / "out");
  expect_error(ErrorKind::kSystem, {folder / "out"}, [&] { add(output, 4); });
  expect_error(ErrorKind::kSystem, {folder / "out"}, [&] { output.finish(place_of(4)); });
}

TEST(ScoreOutput, RefusesToGoOnWithAnythingElse) {
  const TemporaryFolder folder;
  {
    ScoreOutput output(options(folder, ScoreFormat::kCsv), kOutputClasses, kFeatures, kFingerprint);
    add(output, 6);
  }
  const auto before = contents(folder);
  ScoreOutputOptions again = options(folder, ScoreFormat::kCsv, ScoreStart::kResume);
  const auto refused = [&](ErrorKind kind, const std::vector<std::string>& says, const Fingerprint& fingerprint) {
    expect_error(kind, says, [&] { ScoreOutput(again, kOutputClasses, kFeatures, fingerprint); });
    EXPECT_TRUE(contents(folder) == before);
  };
  refused(ErrorKind::kUsage, {"begun with top 2, now it is top 3", "overwrite"},
          {{"model", "xxh3 1"}, {setting("top"), "3"}});
  refused(ErrorKind::kUsage, {"begun with model xxh3 1, now it is model xxh3 2"},
          {{"model", "xxh3 2"}, {setting("top"), "2"}});
  again.errors = folder / "others.csv";
  refused(ErrorKind::kUsage, {"other files for embeddings or errors"}, kFingerprint);
  again.errors = folder / "errors.csv";
  // The journal is damaged, or a file has gone or is too short.
  fs::rename(folder / "errors.csv.partial", folder / "away");
  expect_error(ErrorKind::kData, {"errors.csv.partial", "is gone"},
               [&] { ScoreOutput(again, kOutputClasses, kFeatures, kFingerprint); });
  write_text(folder / "errors.csv.partial", "pa");
  expect_error(ErrorKind::kData, {"errors.csv.partial", "has 2 bytes"},
               [&] { ScoreOutput(again, kOutputClasses, kFeatures, kFingerprint); });
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("{\"format\": 3}"), before.at("scores.journal").substr(0, 200)}) {
    write_text(folder / "scores.journal", text);
    expect_error(ErrorKind::kData, {"scores.journal", "overwrite"},
                 [&] { ScoreOutput(again, kOutputClasses, kFeatures, kFingerprint); });
  }
  // --overwrite takes all that away.
  fs::remove(folder / "away");
  again.start = ScoreStart::kOverwrite;
  ScoreOutput output(again, kOutputClasses, kFeatures, kFingerprint);
  add(output, kRows);
  output.finish(place_of(kRows));
  EXPECT_TRUE(contents(folder) == uninterrupted(ScoreFormat::kCsv, kRows));
}

TEST(ScoreOutput, GoesOnWithTheExecutorsThatTheRunHad) {
  const TemporaryFolder folder;
  ScoreOutputOptions wanted = options(folder, ScoreFormat::kCsv);
  const auto begun_with = [&](int64_t rows, bool choose) {
    ScoreOutput output(wanted, kOutputClasses, kFeatures, kFingerprint);
    EXPECT_EQ(output.resumed(), wanted.start == ScoreStart::kResume);
    if (!output.resumed()) output.set_executors(kChooseExecutors);
    const int executors = output.done().executors;
    if (choose) output.set_executors(4);
    add(output, rows);
    output.save();
    return executors;
  };
  EXPECT_EQ(begun_with(6, false), kChooseExecutors);
  wanted.start = ScoreStart::kResume;
  EXPECT_EQ(begun_with(12, true), kChooseExecutors);
  EXPECT_EQ(begun_with(18, false), 4);
  EXPECT_EQ(begun_with(18, false), 4);
  // Journals that know nothing of them are of runs with one.
  auto journal = nlohmann::ordered_json::parse(read_text(folder / "scores.journal"));
  journal.erase("executors");
  write_text(folder / "scores.journal", journal.dump());
  EXPECT_EQ(load_journal(folder / "scores.journal")->executors, 1);
}

TEST(ScoreOutput, OverwritingRemovesFilesThatAreNotWrittenAgain) {
  const TemporaryFolder folder;
  {
    ScoreOutput output(options(folder, ScoreFormat::kNpz), kOutputClasses, kFeatures, kFingerprint);
    add(output, 6);
  }
  ScoreOutputOptions other = options(folder, ScoreFormat::kCsv, ScoreStart::kOverwrite);
  other.embeddings.clear();
  ScoreOutput output(other, kOutputClasses, kFeatures, kFingerprint);
  add(output, kRows);
  output.finish(place_of(kRows));
  const auto files = contents(folder);
  EXPECT_EQ(files.size(), 2U);
  EXPECT_TRUE(files.contains("scores") && files.contains("errors.csv"));
}

TEST(ScoreOutput, KeepsOffWhatAnotherRunHasBegun) {
  const TemporaryFolder folder;
  {
    ScoreOutput output(options(folder, ScoreFormat::kCsv), kOutputClasses, kFeatures, kFingerprint);
    add(output, 6);
  }
  const auto before = contents(folder);
  for (const ScoreStart start : {ScoreStart::kNew, ScoreStart::kOverwrite}) {
    ScoreOutputOptions other = options(folder, ScoreFormat::kCsv, start);
    other.out = folder / "other";
    other.errors.clear();
    expect_error(ErrorKind::kUsage, {"embeddings.npy", "a run was begun that writes it", "scores.journal"},
                 [&] { ScoreOutput(other, kOutputClasses, kFeatures, kFingerprint); });
  }
  EXPECT_TRUE(contents(folder) == before);
  check_score_output(options(folder, ScoreFormat::kCsv, ScoreStart::kResume));
}

TEST(ScoreOutput, ALinkIsGoneOnWithBesideTheFileThatItLeadsTo) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "far");
  fs::create_symlink("far/rows", folder / "scores");
  {
    ScoreOutput output(options(folder, ScoreFormat::kCsv), kOutputClasses, kFeatures, kFingerprint);
    add(output, 6);
  }
  EXPECT_TRUE(fs::exists(folder / "far/rows.partial") && fs::exists(folder / "far/rows.journal"));
  ScoreOutput output(options(folder, ScoreFormat::kCsv, ScoreStart::kResume), kOutputClasses, kFeatures, kFingerprint);
  EXPECT_EQ(output.done().rows, 4);
  add(output, kRows);
  output.finish(place_of(kRows));
  EXPECT_TRUE(fs::is_symlink(folder / "scores"));
  EXPECT_TRUE(read_text(folder / "far/rows") == uninterrupted(ScoreFormat::kCsv, kRows).at("scores"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "far"), fs::directory_iterator()), 1);
}

TEST(ScoreOutput, ADeviceTakesRowsAndNothingIsKept) {
  const TemporaryFolder folder;
  ScoreOutputOptions given = options(folder, ScoreFormat::kCsv);
  given.out = "/dev/null";
  ScoreOutput output(given, kOutputClasses, kFeatures, kFingerprint);
  add(output, kRows);
  EXPECT_EQ(output.saved_rows(), 0);
  output.finish(place_of(kRows));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_EQ(contents(folder).size(), 2U);
}

TEST(ScoreOutput, HasOneWriter) {
  const TemporaryFolder folder;
  ScoreOutput output(options(folder, ScoreFormat::kCsv), kOutputClasses, kFeatures, kFingerprint);
  add(output, 6);
  for (const ScoreStart start : {ScoreStart::kResume, ScoreStart::kOverwrite})
    expect_error(ErrorKind::kUsage, {"another program is writing it"}, [&] {
      ScoreOutput(options(folder, ScoreFormat::kCsv, start), kOutputClasses, kFeatures, kFingerprint);
    });
  add(output, kRows);
  output.finish(place_of(kRows));
  EXPECT_TRUE(contents(folder) == uninterrupted(ScoreFormat::kCsv, kRows));
}

TEST(ScoreOutput, WantsANameAFile) {
  const TemporaryFolder folder;
  ScoreOutputOptions given = options(folder, ScoreFormat::kCsv);
  given.errors = folder / "sub/../scores";
  expect_error(ErrorKind::kUsage, {folder / "scores", "two files at once"}, [&] { check_score_output(given); });
}

TEST(ScoreFormat, GoesByOptionThenByEnding) {
  EXPECT_EQ(score_format("", ""), ScoreFormat::kCsv);
  EXPECT_EQ(score_format("", "a.jsonl"), ScoreFormat::kJsonl);
  EXPECT_EQ(score_format("", "a.npy"), ScoreFormat::kNpy);
  EXPECT_EQ(score_format("", "a.npz"), ScoreFormat::kNpz);
  EXPECT_EQ(score_format("", "a.txt"), ScoreFormat::kCsv);
  EXPECT_EQ(score_format("jsonl", "a.csv"), ScoreFormat::kJsonl);
  expect_error(ErrorKind::kUsage, {"format parquet", "csv, jsonl, npy or npz"}, [] { score_format("parquet", ""); });
}

TEST(ShardFile, HasThePlacesOfItsRows) {
  const TemporaryFolder folder;
  ScoreOutputOptions given = options(folder, ScoreFormat::kCsv);
  given.shard = Shard{2, 3};
  const std::vector<int64_t> indices = {0, 1, 130, 131, 20'000, 9'000'000};
  {
    ScoreOutput output(given, kOutputClasses, kFeatures, kFingerprint);
    for (const int64_t index : indices) output.add(MadePicture(index).picture({.index = index}));
    output.finish({.pictures = 10'000'000, .names = 7, .last = {}});
  }
  ShardFile shard(folder / "scores.shard");
  EXPECT_EQ(shard.footer().shard, (Shard{2, 3}));
  EXPECT_EQ(shard.footer().listed.pictures, 10'000'000);
  EXPECT_EQ(shard.footer().listed.names, 7U);
  EXPECT_EQ(shard.footer().rows, 6);
  EXPECT_EQ(shard.footer().fingerprint, kFingerprint);
  EXPECT_EQ(shard.footer().files.at(setting("errors")).path, "errors.csv");
  EXPECT_EQ(shard.footer().files.at("out").bytes, static_cast<int64_t>(read_text(folder / "scores").size()));
  for (const int64_t index : indices) {
    const auto row = shard.next();
    ASSERT_TRUE(row);
    EXPECT_EQ(row->index, index);
    EXPECT_EQ(row->broken, index % 5 == 3);
  }
  EXPECT_FALSE(shard.next());
  const std::string whole = read_text(folder / "scores.shard");
  for (const size_t bytes : {size_t{0}, size_t{10}, whole.size() - 1}) {
    write_text(folder / "cut", whole.substr(0, bytes));
    expect_error(ErrorKind::kData, {folder / "cut"}, [&] { ShardFile(folder / "cut"); });
  }
  write_text(folder / "cut", whole.substr(1));  // a row less
  expect_error(ErrorKind::kData, {folder / "cut", "damaged"}, [&] {
    ShardFile damaged(folder / "cut");
    while (damaged.next()) {
    }
  });
}

}  // namespace
}  // namespace resflow
