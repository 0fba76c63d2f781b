// Unscored, with the output, the journal and the source of a scoring whose rows come in any order. There is no model:
// rows are made up, and chance says which batch is done next.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <filesystem>
#include <random>

#include "apps/score/npz.h"
#include "apps/score/output.h"
#include "apps/score/shard_file.h"
#include "apps/score/tracked_source.h"
#include "apps/score/unscored.h"
#include "io/core/listener.h"
#include "io/core/setting.h"
#include "io/files/sequential_file.h"
#include "tests/apps/program.h"
#include "tests/apps/score/named_pictures.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::is_broken;
using testing::name_of;
using testing::NamedPictures;
using testing::read_text;
using testing::TemporaryFolder;

const std::vector<std::string> kTwoClasses = {"cat", "dog"};
const Fingerprint kUnorderedFingerprint = {{"model", "xxh3 1"}, {setting("unordered"), "given"}};
constexpr size_t kFullBatch = 4, kWindow = 3;
constexpr int64_t kListed = 42;

ScoreOutputOptions options_in(const TemporaryFolder& folder, ScoreFormat format,
                              std::optional<Shard> shard = std::nullopt) {
  return {.out = folder / "scores",
          .format = format,
          .rows = {.all_scores = true},
          .embeddings = folder / "embeddings.npy",
          .errors = folder / "errors.csv",
          .shard = shard,
          .unordered = true,
          .start = ScoreStart::kResume,
          .save_seconds = 0};
}

struct Outcome {
  bool whole = false;              // else it was killed
  std::vector<int64_t> done;       // what was scored, in order
  std::vector<int64_t> scored_of;  // [done]: the first picture of its batch
};

// Scores until the row `kill` has come, or to the end. A batch of those under way is done next by chance; the last one,
// which is not full, at the end.
Outcome score_some(const ScoreOutputOptions& options, PictureSource& pictures, std::minstd_rand& chance, int64_t kill) {
  Outcome outcome;
  ScoreOutput output(options, kTwoClasses, 1, kUnorderedFingerprint);
  TrackedSource source(pictures, silent(), options.shard, output.unscored());
  if (!output.complete()) {
    EXPECT_TRUE(source.skip_to(output.done().place, output.done().missing));
    std::deque<std::vector<PicturePlace>> under_way;
    for (bool ended = false; !ended || !under_way.empty();) {
      while (!ended && under_way.size() < kWindow) {
        std::vector<PicturePlace> batch;
        Picture picture;
        while (batch.size() < kFullBatch && source.next(picture)) {
          EXPECT_EQ(picture.name, name_of(picture.place.index));
          batch.push_back(picture.place);
        }
        ended = batch.size() < kFullBatch;
        if (!batch.empty()) under_way.push_back(std::move(batch));
      }
      if (under_way.empty()) break;
      const size_t full = under_way.size() - (under_way.size() > 1 && under_way.back().size() < kFullBatch ? 1 : 0);
      const auto at = under_way.begin() +
                      std::uniform_int_distribution<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(full) - 1)(chance);
      const std::vector<PicturePlace> batch = *at;
      under_way.erase(at);
      for (const PicturePlace& row : batch) {
        const std::string name = name_of(row.index), error = is_broken(row.index) ? "is broken" : "";
        const std::vector<double> scores(error.empty() ? 2 : 0, static_cast<double>(row.index) / 64);
        const std::vector<float> features(error.empty() ? 1 : 0, static_cast<float>(row.index));
        output.add({.name = name, .error = error, .probabilities = scores, .features = features, .place = row});
        if (static_cast<size_t>(output.done().rows) % kFullBatch == 0) output.end_batch();
        outcome.done.push_back(row.index);
        outcome.scored_of.push_back(batch.front().index);
        if (std::ssize(outcome.done) == kill) return outcome;
      }
      EXPECT_LE(output.done().missing.size(), (kWindow - 1) * kFullBatch);
    }
  }
  output.finish(source.listed());
  outcome.whole = true;
  return outcome;
}

std::vector<std::string> rows_of(const std::string& path, bool quoted) {
  SequentialFile file(path);
  std::vector<std::string> rows;
  while (const auto row = file.next_row(quoted)) rows.emplace_back(*row);
  return rows;
}

std::vector<std::string> sorted(std::vector<std::string> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

// Killed after any row, and again, it has each row once.
TEST(ScoreUnordered, HasEachRowOnceHoweverOftenItIsKilled) {
  std::minstd_rand chance(1);
  for (const ScoreFormat format : {ScoreFormat::kCsv, ScoreFormat::kJsonl, ScoreFormat::kNpz}) {
    const TemporaryFolder whole;
    NamedPictures all(kListed);
    ASSERT_TRUE(score_some(options_in(whole, format), all, chance, -1).whole);
    int with_missing = 0;
    for (int time = 0; time < 12; ++time) {
      SCOPED_TRACE(score_format_name(format) + " " + std::to_string(time));
      const TemporaryFolder folder;
      const ScoreOutputOptions options = options_in(folder, format);
      for (Outcome outcome; !outcome.whole;) {
        const auto journal = load_journal(journal_path(options.out));
        with_missing += journal && !journal->missing.empty() ? 1 : 0;
        NamedPictures pictures(kListed);
        outcome = score_some(options, pictures, chance, std::uniform_int_distribution<int64_t>(1, 30)(chance));
        // The batches are those of a run that was not interrupted.
        for (size_t i = 0; i < outcome.done.size(); ++i)
          EXPECT_EQ(outcome.scored_of[i], outcome.done[i] / 4 * 4) << "picture " << outcome.done[i];
        // All that was saved is skipped, and no more than that is scored again.
        for (const int64_t index : outcome.done)
          EXPECT_TRUE(!journal || index >= journal->place.pictures ||
                      std::any_of(journal->missing.begin(), journal->missing.end(),
                                  [&](const ListedPicture& picture) { return picture.index == index; }))
              << index;
      }
      EXPECT_EQ(sorted(rows_of(options.errors, true)), sorted(rows_of(whole / "errors.csv", true)));
      std::vector<std::string> names;
      if (format == ScoreFormat::kNpz) {
        NpzFile npz(options.out);
        for (ScoredPicture row; npz.next(row);) {
          const std::string& name = names.emplace_back(row.name);
          const int64_t index = std::stoll(name.substr(name.find_first_of("0123456789")));
          EXPECT_EQ(row.error.empty(), !is_broken(index));
          if (!row.error.empty()) continue;
          EXPECT_EQ(row.probabilities[0], static_cast<double>(index) / 64);
        }
        std::vector<std::string> wanted;
        for (int64_t i = 0; i < kListed; ++i) wanted.push_back(name_of(i));
        EXPECT_EQ(sorted(names), sorted(wanted));
      } else {
        const bool quoted = format == ScoreFormat::kCsv;
        EXPECT_EQ(sorted(rows_of(options.out, quoted)), sorted(rows_of(whole / "scores", quoted)));
      }
      for (const auto& entry : fs::directory_iterator(folder.path()))
        EXPECT_THAT(entry.path().filename().string(), ::testing::AnyOf("scores", "errors.csv", "embeddings.npy"));
    }
    EXPECT_GT(with_missing, 5);
  }
}

TEST(ScoreUnordered, EmbeddingsComeAsTheRowsDo) {
  std::minstd_rand chance(2);
  const TemporaryFolder folder;
  NamedPictures pictures(kListed);
  const Outcome outcome = score_some(options_in(folder, ScoreFormat::kCsv), pictures, chance, -1);
  EXPECT_FALSE(std::is_sorted(outcome.done.begin(), outcome.done.end()));
  const std::string npy = read_text(folder / "embeddings.npy");
  ASSERT_GT(npy.size(), kListed * sizeof(float));
  std::vector<float> features(kListed);
  std::memcpy(features.data(), npy.data() + npy.size() - kListed * sizeof(float), kListed * sizeof(float));
  const std::vector<std::string> rows = rows_of(folder / "scores", true);
  for (size_t i = 0; i < kListed; ++i) {
    EXPECT_THAT(rows[i + 1], HasSubstr(name_of(outcome.done[i])));
    EXPECT_TRUE(is_broken(outcome.done[i]) || features[i] == static_cast<float>(outcome.done[i])) << i;
  }
}

TEST(ScoreUnordered, AShardHasThePlacesOfItsRows) {
  std::minstd_rand chance(3);
  const TemporaryFolder folder;
  const ScoreOutputOptions options = options_in(folder, ScoreFormat::kCsv, Shard{1, 2});
  std::vector<int64_t> members;
  for (int64_t i = 0; i < kListed; ++i)
    if (options.shard->has(name_of(i))) members.push_back(i);
  for (bool whole = false; !whole;) {
    NamedPictures pictures(kListed);
    whole = score_some(options, pictures, chance, 9).whole;
  }
  ShardFile shard(folder / "scores.shard");
  EXPECT_TRUE(shard.unordered());
  EXPECT_EQ(shard.footer().listed.pictures, kListed);
  const std::vector<std::string> rows = rows_of(folder / "scores", true);
  std::vector<int64_t> seen;
  while (const auto row = shard.next()) {
    seen.push_back(row->index);
    EXPECT_EQ(row->broken, is_broken(row->index));
    EXPECT_THAT(rows.at(seen.size()), HasSubstr(name_of(row->index)));
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, members);
}

}  // namespace
}  // namespace resflow
