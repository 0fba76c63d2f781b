// Files of every format of resflow's own, as it once wrote them (tests/golden): each later version reads them.
//
// RESFLOW_WRITE_GOLDEN=1 writes those that are not there. A file that is there never changes: a new version of a format
// gets a file of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "apps/data/split_manifest.h"
#include "apps/score/journal.h"
#include "apps/score/output.h"
#include "apps/score/shard_file.h"
#include "apps/score/tracked_source.h"
#include "io/checkpoint/checkpoint.h"
#include "io/core/setting.h"
#include "io/files/feature_cache.h"
#include "io/pack/reader.h"
#include "io/pack/writer.h"
#include "tests/apps/program.h"
#include "tests/apps/score/named_pictures.h"
#include "tests/support/files.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

// The file's path; made by `make` where it is wanted and not there.
std::string golden(const std::string& name, const std::function<void(const std::string& path)>& make) {
  const std::string path = std::string(RESFLOW_SOURCE_DIR) + "/tests/golden/" + name;
  if (std::getenv("RESFLOW_WRITE_GOLDEN") != nullptr && !fs::exists(path)) {
    fs::create_directories(fs::path(path).parent_path());
    make(path);
  }
  return path;
}

Checkpoint golden_checkpoint() {
  Checkpoint c;
  c.model = {.architecture = "resnet18", .num_classes = 2};
  c.classes = {"ant", "bee \xFF"};
  c.preprocessing = {.resize = 64, .crop = 56, .mean = {0.5F, 0.25F, 0.125F}, .std = {1, 2, 4}, .exif = true};
  c.quantization = {.pictures = 3, .activations = {{"input", -2, 2.5F}}};
  c.parameters = {{"fc.weight", Array::from<float>({2, 2}, std::vector<float>{1, -0.5, 0.25, 1e-40F})},
                  {"bn1.num_batches_tracked", Array::from<int64_t>({}, std::vector<int64_t>{7})}};
  c.optimizer = {{"fc.weight/exp_avg", Array::from<float>({2, 2}, std::vector<float>{0, 1, 2, 3})}};
  c.optimizer_name = "adam";
  c.training.seed = 11;
  c.training.epoch = 1;
  c.training.next_batch = 3;
  c.training.step = 20;
  c.training.best_val_accuracy = 0.75;
  c.training.history = {{.epoch = 1,
                         .train_loss = 0.5,
                         .train_accuracy = 0.625,
                         .val_loss = 0.25,
                         .val_accuracy = 0.75,
                         .learning_rate = 1e-3,
                         .seconds = 2}};
  c.training.options = {{"--model", "resnet18"}, {"--lr", "0.001"}};
  c.training.fingerprint = "resflow 0.1.0, 2 threads";
  c.training.files = "0123456789abcdef";
  c.training.broken = {{"ant/9.jpg", "is truncated"}};
  c.training.broken_count = 1;
  c.provenance = {{"made by", "resflow 0.1.0"}};
  return c;
}

void expect_golden(const Checkpoint& c) {
  const Checkpoint wanted = golden_checkpoint();
  EXPECT_EQ(c.model, wanted.model);
  EXPECT_EQ(c.classes, wanted.classes);
  EXPECT_EQ(c.preprocessing, wanted.preprocessing);
  EXPECT_EQ(c.quantization, wanted.quantization);
  EXPECT_EQ(c.provenance, wanted.provenance);
  EXPECT_EQ(c.optimizer_name, "adam");
  for (const auto& [got, want] : {std::pair{&c.parameters, &wanted.parameters}, {&c.optimizer, &wanted.optimizer}}) {
    ASSERT_EQ(got->size(), want->size());
    for (size_t i = 0; i < want->size(); ++i) {
      EXPECT_EQ((*got)[i].name, (*want)[i].name);
      const auto a = (*got)[i].array.raw_bytes(), b = (*want)[i].array.raw_bytes();
      EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << (*want)[i].name;
    }
  }
  const TrainingState &t = c.training, &w = wanted.training;
  EXPECT_EQ(t.seed, w.seed);
  EXPECT_EQ(t.next_batch, w.next_batch);
  EXPECT_EQ(t.step, w.step);
  EXPECT_EQ(t.options, w.options);
  EXPECT_EQ(t.files, w.files);
  EXPECT_EQ(t.broken, w.broken);
  ASSERT_EQ(t.history.size(), 1U);
  EXPECT_EQ(t.history[0].val_accuracy, 0.75);
}

TEST(Golden, ACheckpointOfVersion1) {
  const std::string path =
      golden("checkpoint-1.resflow", [](const std::string& to) { save_checkpoint(golden_checkpoint(), to); });
  const Checkpoint c = load_checkpoint(path);
  expect_golden(c);
  EXPECT_EQ(c.head, Head());
  EXPECT_EQ(read_checkpoint_summary(path).format_version, 1);
}

TEST(Golden, ACheckpointOfVersion2) {
  const Head head = {.kind = Head::Kind::kOneVsRest, .platt_a = {-1.5, 2}, .platt_b = {0, 0.25}};
  const std::string path = golden("checkpoint-2.resflow", [&](const std::string& to) {
    Checkpoint c = golden_checkpoint();
    c.head = head;
    save_checkpoint(c, to);
  });
  const Checkpoint c = load_checkpoint(path);
  expect_golden(c);
  EXPECT_EQ(c.head, head);
  EXPECT_EQ(read_checkpoint_summary(path).format_version, 2);
}

TEST(Golden, APackOfVersion1) {
  const std::string bytes = "BM and what follows", more = "another picture";
  const PackInfo info = {.classes = {"ant", "bee"}, .short_side = 256, .quality = 90};
  const auto span_of = [](const std::string& text) {
    return std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  };
  const std::string path = golden("pack-1.pack", [&](const std::string& to) {
    PackWriter writer(to, info);
    writer.add("ant/1.bmp", 0, span_of(bytes));
    writer.add("bee/\xFF.jpg", 1, span_of(more));
    writer.commit();
  });
  const PackReader pack(path);
  EXPECT_EQ(pack.info(), info);
  EXPECT_EQ(pack.damage(), "");
  ASSERT_EQ(pack.size(), 2);
  EXPECT_EQ(pack.name(1), "bee/\xFF.jpg");
  EXPECT_EQ(pack.label(1), 1);
  std::vector<uint8_t> buffer;
  const auto first = pack.read(0, buffer);
  EXPECT_EQ(std::string(first.begin(), first.end()), bytes);
}

TEST(Golden, AFeatureCacheOfVersion1) {
  const FeatureCacheKey key = {.key = std::string(60, 'a') + "0123", .rows = 3, .columns = 2};
  const std::string path = golden("features-1.features", [&](const std::string& to) {
    FeatureCache cache(to, key);
    cache.append(2, std::vector<float>{1, -2, 0, 0}, {{.row = 1, .reason = "is truncated"}});
    cache.append(1, std::vector<float>{0.5F, 3}, {});
    cache.sync();
  });
  const TemporaryFolder folder;  // it is opened to be written
  fs::copy_file(path, folder / "f");
  const FeatureCache cache(folder / "f", key);
  EXPECT_EQ(cache.discarded(), "");
  EXPECT_TRUE(cache.complete());
  const auto values = cache.values().values<float>();
  EXPECT_THAT(std::vector<float>(values.begin(), values.end()), ElementsAre(1, -2, 0, 0, 0.5F, 3));
  EXPECT_THAT(cache.broken(), ElementsAre(BrokenRow{.row = 1, .reason = "is truncated"}));
}

TEST(Golden, AScoreJournalOfVersion1) {
  const std::string path = golden("journal-1.journal", [](const std::string& to) {
    save_journal({.fingerprint = {{"model", "resnet18"}, {setting("top"), "3"}},
                  .machine = "resflow 0.1.0, 2 threads",
                  .rows = 4,
                  .failed = 1,
                  .place = {.pictures = 8, .names = 255, .last = "a/\xFF.jpg", .files = 77},
                  .missing = {{.index = 2, .name = 16}},
                  .files = {{.path = "scores.csv", .bytes = 120}},
                  .executors = 2,
                  .complete = false},
                 to);
  });
  const auto journal = load_journal(path);
  ASSERT_TRUE(journal);
  EXPECT_EQ(journal->fingerprint, (Fingerprint{{"model", "resnet18"}, {setting("top"), "3"}}));
  EXPECT_EQ(journal->machine, "resflow 0.1.0, 2 threads");
  EXPECT_EQ(journal->rows, 4);
  EXPECT_EQ(journal->place.last, "a/\xFF.jpg");
  EXPECT_EQ(journal->place.files, 77U);
  EXPECT_THAT(journal->missing, ElementsAre(ListedPicture{.index = 2, .name = 16}));
  EXPECT_EQ(journal->executors, 2);
}

TEST(Golden, AManifestOfASplitOfVersion1) {
  const std::vector<SplitMade> made = {{.place = "train/ant/1.jpg", .source = "/data/ant/1.jpg", .bytes = 12},
                                       {.place = "val/bee \xFF/2.jpg", .source = "/data/bee \xFF/2.jpg", .bytes = 0}};
  const std::string path = golden("split-1/split.json", [&](const std::string& to) {
    write_text(to, manifest_text({.out = "/out",
                                  .data = "/data",
                                  .how = SplitHow::kCopy,
                                  .files = {},
                                  .plan = {.val = 0.5, .test = 0, .stratify = true, .seed = 3},
                                  .group_duplicates = false},
                                 made));
  });
  const auto manifest = read_manifest(fs::path(path).parent_path());
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->how, SplitHow::kCopy);
  ASSERT_EQ(manifest->files.size(), made.size());
  for (size_t i = 0; i < made.size(); ++i) {
    EXPECT_EQ(manifest->files[i].place, made[i].place);
    EXPECT_EQ(manifest->files[i].source, made[i].source);
    EXPECT_EQ(manifest->files[i].bytes, made[i].bytes);
  }
  EXPECT_TRUE(lies_within(*manifest, "/data"));
}

// Of both kinds: in the order of the inputs, and in any order.
TEST(Golden, ShardsOfBothVersions) {
  for (const bool unordered : {false, true}) {
    SCOPED_TRACE(unordered);
    const std::string stem = unordered ? "shard-2" : "shard-1";
    const std::string path = golden(stem + ".csv.shard", [&](const std::string& to) {
      const std::string out = to.substr(0, to.size() - std::string(".shard").size());
      NamedPictures pictures(20);
      Unscored unscored;
      const Shard shard = {.number = 1, .of = 3};
      ScoreOutput output({.out = out, .shard = shard, .unordered = unordered}, {"ant"}, 2,
                         {{setting("format"), "csv"}, {"model", "resnet18"}});
      TrackedSource source(pictures, silent(), shard, output.unscored());
      for (Picture picture; source.next(picture);)
        output.add({.name = picture.name,
                    .error = is_broken(picture.place.index) ? "is broken" : "",
                    .probabilities = is_broken(picture.place.index) ? std::vector<double>() : std::vector<double>{1},
                    .place = picture.place});
      output.finish(source.listed());
    });
    ShardFile file(path);
    EXPECT_EQ(file.unordered(), unordered);
    EXPECT_EQ(file.footer().shard, (Shard{.number = 1, .of = 3}));
    EXPECT_EQ(file.footer().listed.pictures, 20);
    EXPECT_EQ(file.footer().fingerprint.at(1), (std::pair<std::string, std::string>{"model", "resnet18"}));
    int64_t rows = 0, broken = 0;
    while (const auto row = file.next()) {
      ASSERT_TRUE(file.footer().shard.has(name_of(row->index)));
      EXPECT_EQ(row->broken, is_broken(row->index));
      ++rows;
      broken += row->broken ? 1 : 0;
    }
    EXPECT_EQ(rows, file.footer().rows);
    EXPECT_EQ(broken, file.footer().failed);
    EXPECT_EQ(file.footer().files.at("out").bytes,
              static_cast<int64_t>(fs::file_size(path.substr(0, path.size() - std::string(".shard").size()))));
  }
}

}  // namespace
}  // namespace resflow::testing
