// resflow score --shard and resflow merge: together what one run writes.
//
// Covers: apps/score/merged_rows apps/score/npz
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "apps/score/output.h"
#include "apps/score/tracked_source.h"
#include "io/checkpoint/checkpoint.h"
#include "io/core/setting.h"
#include "io/files/sequential_file.h"
#include "io/formats/npy_file.h"
#include "tests/apps/made_weights.h"
#include "tests/apps/program.h"
#include "tests/apps/score/named_pictures.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Merge : public ::testing::Test {
 protected:
  Merge() {
    save_checkpoint(made_checkpoint(), model_);
    for (int i = 0; i < 40; ++i)
      write_text(data_ + "/" + std::to_string(100 + i) + ".jpg", i % 7 == 5 ? "no picture" : photo_bytes(i % 4, i));
    write_text(data_ + "/a,\"b\"\nc.jpg", photo_bytes(0, 100));
    write_text(data_ + "/\xFF\xFE.jpg", photo_bytes(1, 101));
  }

  // Returns the outputs.
  std::vector<std::string> score_shards(int of, const std::string& format, const std::vector<std::string>& more = {}) {
    std::vector<std::string> outs;
    for (int i = 1; i <= of; ++i) {
      outs.push_back(path(i, "scores." + format));
      fs::create_directories(fs::path(outs.back()).parent_path());
      std::vector<std::string> all = {"score", model_,      data_,
                                      "--out", outs.back(), "--batch",
                                      "4",     "--shard",   std::to_string(i) + "/" + std::to_string(of)};
      for (const std::string& word : more) all.push_back(word.ends_with(".x") ? path(i, word) : word);
      const ProcessResult result = resflow(all);
      EXPECT_EQ(result.exit_code, 0) << result.err;
    }
    return outs;
  }
  std::string path(int shard, const std::string& name) const {
    return folder_ / ("shard-" + std::to_string(shard) + "/" + name);
  }

  ProcessResult merge(const std::vector<std::string>& outs, const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"merge"};
    all.insert(all.end(), outs.begin(), outs.end());
    all.insert(all.end(), more.begin(), more.end());
    return resflow(all);
  }

  TemporaryFolder folder_;
  std::string data_ = folder_ / "data", model_ = folder_ / "model.resflow";
};

TEST_F(Merge, GivesTheBytesOfARunWithoutShards) {
  for (const std::string format : {"csv", "jsonl", "npy", "npz"}) {
    SCOPED_TRACE(format);
    std::vector<std::string> more = {"--all-scores", "--embeddings", "e.x", "--errors", "errors.x"};
    // One more shard than anybody needs: some may have no picture.
    const std::vector<std::string> outs = score_shards(format == "csv" ? 9 : 3, format, more);
    const std::string whole = folder_ / "whole." + format, merged = folder_ / "merged." + format;
    const ProcessResult one = resflow({"score", model_, data_, "--out", whole, "--batch", "4", "--all-scores",
                                       "--embeddings", folder_ / "whole-e.npy", "--errors", folder_ / "whole-errors"});
    ASSERT_EQ(one.exit_code, 0) << one.err;
    // In any order, and from where they were moved to.
    std::vector<std::string> shuffled(outs.rbegin(), outs.rend());
    const std::string moved = folder_ / "moved";
    fs::rename(fs::path(outs[1]).parent_path(), moved);
    shuffled[outs.size() - 2] = moved + "/scores." + format;
    const ProcessResult result = merge(
        shuffled, {"--out", merged, "--embeddings", folder_ / "merged-e.npy", "--errors", folder_ / "merged-errors"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("42 rows (5 with an error)"));
    EXPECT_TRUE(read_text(merged) == read_text(whole));
    EXPECT_TRUE(read_text(folder_ / "merged-e.npy") == read_text(folder_ / "whole-e.npy"));
    EXPECT_TRUE(read_text(folder_ / "merged-errors") == read_text(folder_ / "whole-errors"));
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      EXPECT_FALSE(entry.path().string().ends_with(".partial")) << entry.path();
    fs::remove_all(moved);
  }
}

TEST_F(Merge, RefusesWhatIsNotAllShardsOfOneScoring) {
  const std::vector<std::string> outs = score_shards(3, "csv");
  const std::string merged = folder_ / "merged.csv";
  const auto refused = [&](const std::vector<std::string>& some, int exit_code, const std::string& words,
                           std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--out", merged});
    const ProcessResult result = merge(some, more);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(words));
    EXPECT_FALSE(fs::exists(merged));
    EXPECT_FALSE(fs::exists(merged + ".partial"));
  };
  refused({outs[0], outs[2]}, 3, "2 of 3 shards are there; missing: 2/3");
  refused({outs[0], outs[1], outs[2], outs[1]}, 3, "shard 2/3 is there twice");
  refused(outs, 2, "--embeddings: " + outs[0] + " was scored without it", {"--embeddings", folder_ / "e.npy"});
  refused({outs[0], outs[1], folder_ / "absent.csv"}, 3, "absent.csv.shard");
  EXPECT_EQ(merge(outs, {"--out", outs[1]}).exit_code, 2);
  EXPECT_EQ(merge(outs, {"--out", folder_ / "merged.npz"}).exit_code, 2);

  const auto rescore = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = {"score", model_, data_, "--out", outs[1], "--batch", "4", "--shard", "2/3"};
    all.insert(all.end(), more.begin(), more.end());
    const ProcessResult result = resflow(all);
    ASSERT_EQ(result.exit_code, 0) << result.err;
  };
  rescore({"--top", "2"});
  refused(outs, 3, "was scored with --top 1, " + outs[1] + " with --top 2");
  const std::string model = read_text(model_);
  save_checkpoint(made_checkpoint(2), model_);
  rescore({});
  refused(outs, 3, "was scored with model resnet18 with xxh3 ");
  write_text(model_, model);
  fs::rename(data_ + "/100.jpg", data_ + "/99.jpg");
  rescore({});
  refused(outs, 3, "its inputs held other pictures than those of " + outs[0]);
  fs::rename(data_ + "/99.jpg", folder_ / "away");
  rescore({});
  refused(outs, 3, "its inputs held 41 pictures, those of " + outs[0] + " 42");
  fs::rename(folder_ / "away", data_ + "/100.jpg");
  rescore({});
  const std::string rows = read_text(outs[1]);
  write_text(outs[1], rows + "more\n");
  refused(outs, 3, "it was changed since it was scored");
  write_text(outs[1], rows);
  const ProcessResult good = merge(outs, {"--out", merged});
  EXPECT_EQ(good.exit_code, 0) << good.err;
}

TEST_F(Merge, AShardIsResumedAsAnyRun) {
  const std::string out = folder_ / "scores.csv";
  const std::vector<std::string> run = {"score",   model_, data_,      "--out",        out, "--batch", "2",
                                        "--shard", "1/2",  "--resume", "--save-every", "0"};
  const ProcessResult whole = resflow(run);
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  const std::string rows = read_text(out), shard = read_text(out + ".shard");
  bool went_on = false;
  for (int i = 0; i < 5 && !went_on; ++i) {
    fs::remove(out);
    fs::remove(out + ".shard");
    {
      RunningProgram program(run, folder_ / "log");
      program.wait_until([&] { return fs::exists(out + ".journal"); });
      program.send(SIGKILL);
      program.wait();
    }
    went_on = fs::exists(out + ".journal");
    const ProcessResult resumed = resflow(run);
    ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
    EXPECT_TRUE(read_text(out) == rows);
    EXPECT_TRUE(read_text(out + ".shard") == shard);
  }
  EXPECT_TRUE(went_on) << "it was always done before it was killed";
}

// Each shard has four files to read, and each of its rows may come next. A process has a limit of open files, often
// 1024, here 64.
TEST_F(Merge, TakesMoreShardsThanFilesMayBeOpen) {
  constexpr int kShards = 150, kPictures = 600;
  const std::vector<std::string> classes = {"ant", "bee"};
  std::vector<std::string> outs;
  for (int number = 1; number <= kShards; ++number) {
    NamedPictures pictures(kPictures);
    const Shard shard = {.number = number, .of = kShards};
    const std::string stem = folder_ / ("s" + std::to_string(number));
    outs.push_back(stem + ".csv");
    TrackedSource source(pictures, silent(), shard);
    ScoreOutput output({.out = outs.back(), .embeddings = stem + ".npy", .errors = stem + ".errors", .shard = shard},
                       classes, 2, {{setting("format"), "csv"}});
    for (Picture picture; source.next(picture);) {
      const auto index = static_cast<double>(picture.place.index);
      const std::vector<double> scores = {index / kPictures, 1 - index / kPictures};
      const std::vector<float> features = {static_cast<float>(index), 0};
      const bool broken = is_broken(picture.place.index);
      output.add({.name = picture.name,
                  .error = broken ? "is broken" : "",
                  .probabilities = broken ? std::span<const double>() : scores,
                  .features = broken ? std::span<const float>() : features,
                  .place = picture.place});
    }
    output.finish(source.listed());
  }
  std::vector<std::string> command = {"sh", "-c", "ulimit -n 64; exec \"$0\" \"$@\"", RESFLOW_PROGRAM, "merge"};
  command.insert(command.end(), outs.begin(), outs.end());
  const std::string all = folder_ / "all.csv", embeddings = folder_ / "all.npy", errors = folder_ / "all.errors";
  command.insert(command.end(), {"--out", all, "--embeddings", embeddings, "--errors", errors});
  const ProcessResult result = run_process(command);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("merged 150 shards: 600 rows (120 with an error)"));
  SequentialFile rows(all);
  EXPECT_EQ(rows.next_row(true), "path,class,probability,error\n");
  const std::string values = read_text(embeddings);
  for (int i = 0; i < kPictures; ++i) {
    const std::string row(rows.next_row(true).value_or(""));
    EXPECT_THAT(row, HasSubstr(name_of(i)));
    float first = 0;
    std::memcpy(&first, values.data() + kNpyHeaderBytes + static_cast<size_t>(i) * 8, sizeof first);
    if (is_broken(i))
      EXPECT_TRUE(std::isnan(first)) << i;
    else
      EXPECT_EQ(first, static_cast<float>(i));
  }
  EXPECT_EQ(rows.next_row(true), std::nullopt);
}

}  // namespace
}  // namespace resflow::testing
