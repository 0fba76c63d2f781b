#include "apps/score/scored_with.h"

#include <gtest/gtest.h>

#include "io/core/setting.h"
#include "tests/support/files.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

TEST(ScoreFingerprint, DiffersWhereRowsWould) {
  const testing::TemporaryFolder folder;
  testing::write_text(folder / "model", "weights");
  const ScoredWith with = {.model_path = folder / "model",
                           .architecture = "resnet18",
                           .classes = {"cat", "dog"},
                           .preprocessing = {},
                           .inputs = {"photos"}};
  const Fingerprint same = score_fingerprint(with, {});
  const auto difference = [&](const ScoredWith& other, const ScoreOutputOptions& output) {
    const auto found = first_difference(same, score_fingerprint(other, output));
    return found ? without_marks(found->second) : "";
  };
  EXPECT_EQ(difference(with, {}), "");
  // Where rows go and when they are saved does not change them.
  EXPECT_EQ(difference(with, {.out = "elsewhere.csv", .start = ScoreStart::kResume, .save_seconds = 9}), "");
  ScoredWith other = with;
  other.classes = {"cat", "eel"};
  EXPECT_TRUE(difference(other, {}).starts_with("class names 2 with xxh3 "));
  other = with;
  other.batch = 8;
  EXPECT_EQ(difference(other, {}), "batch 8");
  other = with;
  other.exif = true;
  EXPECT_EQ(difference(other, {}), "exif given");
  other = with;
  other.accept = {.truncated = true};
  EXPECT_EQ(difference(other, {}), "truncated take");
  other.accept = {.scale_grey16 = true};
  EXPECT_EQ(difference(other, {}), "grey16 scale");
  other = with;
  other.preprocessing.scale_grey16 = true;
  EXPECT_EQ(difference(other, {}), "grey16 scale");
  other = with;
  other.accept = {.max_pixels = 1000};
  EXPECT_EQ(difference(other, {}), "max_pixels 1000");
  other = with;
  other.inputs = {"photos", "more"};
  EXPECT_EQ(difference(other, {}), R"(inputs ["photos","more"])");
  EXPECT_EQ(difference(with, {.rows = {.top = 3}}), "top 3");
  EXPECT_EQ(difference(with, {.format = ScoreFormat::kJsonl}), "format jsonl");
  EXPECT_EQ(difference(with, {.embeddings = "e.npy", .embeddings_dtype = DType::kF16}), "embeddings f16");
  EXPECT_EQ(difference(with, {.errors = "e.csv"}), "errors given");
  EXPECT_EQ(difference(with, {.shard = Shard{.number = 2, .of = 3}}), "shard 2/3");
  EXPECT_EQ(difference(with, {.unordered = true}), "unordered given");
  testing::write_text(folder / "model", "other weights");
  EXPECT_TRUE(difference(with, {}).starts_with("model resnet18 with xxh3 "));
}

}  // namespace
}  // namespace resflow
