// The table of torchvision's weights, compared with torchvision, and how their files are found.
#include "apps/model/pretrained.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "graph/model/model_zoo.h"
#include "io/files/sha256.h"
#include "tests/apps/environment.h"
#include "tests/apps/program.h"
#include "tests/io/expect_error.h"

namespace resflow::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Pretrained, TheTableIsTorchvisions) {
  const std::string output = run_python("apps/model/pretrained_table.py", model_names());
  if (output.starts_with("absent")) GTEST_SKIP() << output;
  const auto wanted = nlohmann::json::parse(output)["entries"];
  std::vector<PretrainedWeights> table;
  for (const PretrainedWeights& w : pretrained_weights())
    if (!w.of_timm) table.push_back(w);
  ASSERT_EQ(wanted.size(), table.size());
  for (size_t i = 0; i < table.size(); ++i) {
    const PretrainedWeights& w = table[i];
    const auto& theirs = wanted[i];
    SCOPED_TRACE(w.name());
    EXPECT_EQ(theirs["name"], w.name());
    EXPECT_EQ(theirs["default"], default_weights(w.model).entry == w.entry);
    EXPECT_EQ(theirs["url"], w.url());
    EXPECT_EQ(theirs["acc@1"], w.top1);
    EXPECT_EQ(theirs["acc@5"], w.top5);
    EXPECT_EQ(theirs["parameters"], w.parameters);
    const Preprocessing p = w.preprocessing();
    EXPECT_EQ(theirs["preprocessing"]["resize"], p.resize);
    EXPECT_EQ(theirs["preprocessing"]["crop"], p.crop);
    EXPECT_EQ(theirs["preprocessing"]["interpolation"], p.interpolation);
    EXPECT_EQ(theirs["preprocessing"]["mean"].get<std::vector<float>>(), p.mean);
    EXPECT_EQ(theirs["preprocessing"]["std"].get<std::vector<float>>(), p.std);
    if (!theirs["mebibytes"].is_null()) {
      EXPECT_EQ(theirs["mebibytes"], w.mebibytes);
    }
  }
}

// timm's own description of every entry that there is, and the entries that it has of our networks.
TEST(Pretrained, TheTableHasAllOfTimms) {
  if (!python_has({"timm", "torch"}, Python::kEnv)) GTEST_SKIP() << kNoPythonEnv;
  const auto wanted =
      nlohmann::json::parse(run_python("apps/model/timm_table.py", model_names(), Python::kEnv)).at("entries");
  std::vector<PretrainedWeights> table;
  for (const PretrainedWeights& w : pretrained_weights())
    if (w.of_timm) table.push_back(w);
  std::sort(table.begin(), table.end(), [](const auto& a, const auto& b) { return a.name() < b.name(); });
  ASSERT_EQ(wanted.size(), table.size());
  for (size_t i = 0; i < table.size(); ++i) {
    const PretrainedWeights& w = table[i];
    const auto& theirs = wanted[i];
    SCOPED_TRACE(w.name());
    EXPECT_EQ(theirs["name"], w.name());
    EXPECT_EQ(theirs["hub"], fmt::format("timm/{}.{}", w.model, w.entry));
    EXPECT_EQ(theirs["pth"], w.pth);
    EXPECT_EQ(theirs["train_size"], w.train_size);
    const Preprocessing p = w.preprocessing();
    EXPECT_EQ(theirs["resize"], p.resize);
    EXPECT_EQ(theirs["crop"], p.crop);
    EXPECT_EQ(theirs["interpolation"], p.interpolation);
    EXPECT_EQ(theirs["mean"].get<std::vector<float>>(), p.mean);
    EXPECT_EQ(theirs["std"].get<std::vector<float>>(), p.std);
  }
}

TEST(Pretrained, EveryRowFitsItself) {
  std::vector<std::string> models;
  for (const PretrainedWeights& w : pretrained_weights()) {
    SCOPED_TRACE(w.name());
    if (models.empty() || models.back() != w.model) models.emplace_back(w.model);
    EXPECT_TRUE(w.file.starts_with(w.model));
    EXPECT_EQ(w.parameters, default_weights(w.model).parameters);
    EXPECT_GT(w.top1, 60);
    EXPECT_GT(w.top5, w.top1);
    EXPECT_GE(w.resize, w.crop);
    if (!w.pth_file().empty()) {
      EXPECT_EQ(w.hash_prefix().size(), 8U);
      EXPECT_EQ(w.hash_prefix().find_first_not_of("0123456789abcdef"), std::string::npos);
      // timm has torchvision's own files, too: those are torchvision's.
      const PretrainedWeights* found = pretrained_of_hash(std::string(w.hash_prefix()) + std::string(56, '0'));
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->model, w.model);
      EXPECT_TRUE(found->name() == w.name() || !found->of_timm);
    }
    // Two files hold half precision; all others f32, and little but the parameters.
    const double bytes_each = w.mebibytes * 0x1p20 / static_cast<double>(w.parameters);
    EXPECT_NEAR(bytes_each, bytes_each < 3 ? 2 : 4, 0.02);
  }
  EXPECT_EQ(models, model_names());
  EXPECT_EQ(pretrained_of_hash(std::string(64, '0')), nullptr);
}

TEST(Pretrained, SpecsNameEntries) {
  EXPECT_EQ(pretrained_named("resnet34:IMAGENET1K_V1").file, "resnet34-b627a593.pth");
  EXPECT_EQ(pretrained_named("resnet34:DEFAULT").entry, "IMAGENET1K_V1");
  EXPECT_EQ(pretrained_named("resnet50:DEFAULT").entry, "IMAGENET1K_V2");
  EXPECT_EQ(pretrained_named("resnext101_64x4d:DEFAULT").resize, 232);
  expect_error(ErrorKind::kUsage, {"resnet19:DEFAULT", "resnet18, resnet34", "wide_resnet101_2"},
               [] { pretrained_named("resnet19:DEFAULT"); });
  expect_error(ErrorKind::kUsage, {"no weights called \"V9\"", "resnet50:IMAGENET1K_V1, resnet50:IMAGENET1K_V2"},
               [] { pretrained_named("resnet50:V9"); });
  EXPECT_EQ(pretrained_named("resnet50:a1_in1k").url(),
            "https://huggingface.co/timm/resnet50.a1_in1k/resolve/main/model.safetensors");
  EXPECT_EQ(pretrained_named("resnet50:a1_in1k").crop, 288);
  // The case is torchvision's.
  expect_error(ErrorKind::kUsage, {"resnet50:imagenet1k_v1"}, [] { pretrained_named("resnet50:imagenet1k_v1"); });
  expect_error(ErrorKind::kUsage,
               {"does not say which", "wanted resnet18:IMAGENET1K_V1, resnet18:a1_in1k, ", ", resnet18:DEFAULT"},
               [] { pretrained_named("resnet18"); });
}

TEST(Pretrained, AFileIsNoSpec) {
  const TemporaryFolder folder;
  EXPECT_TRUE(names_pretrained("resnet18:IMAGENET1K_V1"));
  EXPECT_TRUE(names_pretrained("resnet18"));
  EXPECT_TRUE(names_pretrained("resnet19:DEFAULT"));
  EXPECT_FALSE(names_pretrained("weights.pth"));
  EXPECT_FALSE(names_pretrained("folder/a:b.pth"));
  write_text(folder / "odd:name", "x");
  EXPECT_FALSE(names_pretrained(folder / "odd:name"));
}

// An entry whose file the test can write: of this content, under the name that its hash gives.
class FoundFiles : public ::testing::Test {
 protected:
  FoundFiles() {
    Sha256 hash;
    hash.add(content_.data(), content_.size());
    sha256_ = hash.hex();
    file_ = "resnet18-" + sha256_.substr(0, 8) + ".pth";
    entry_ = {.model = "resnet18", .entry = "IMAGENET1K_V1", .file = file_, .mebibytes = 44.661};
  }

  TemporaryFolder folder_;
  // Longer than what is hashed at once.
  std::string content_ = std::string((1 << 20) + 123, 'w'), sha256_, file_;
  PretrainedWeights entry_;
  EnvironmentVariable own_{"RESFLOW_WEIGHTS", folder_ / "own"}, torch_{"TORCH_HOME", folder_ / "torch"},
      cache_{"XDG_CACHE_HOME", folder_ / "cache"}, home_{"HOME", folder_ / "home"};
};

TEST_F(FoundFiles, AreLookedForInOrder) {
  const std::vector<std::string> folders = {folder_ / "own", folder_ / "torch/hub/checkpoints",
                                            folder_ / "cache/torch/hub/checkpoints"};
  EXPECT_EQ(pretrained_folders(), folders);
  EXPECT_EQ(locate_pretrained(entry_), std::nullopt);
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    write_text(*folder + "/" + file_, content_);
    const PretrainedFile found = find_pretrained(entry_);
    EXPECT_EQ(found.path, *folder + "/" + file_);
    EXPECT_EQ(found.sha256, sha256_);
    EXPECT_EQ(found.weights, &entry_);
  }
}

TEST_F(FoundFiles, OfTimmAreInTheHubsCacheToo) {
  const EnvironmentVariable no_hub("HF_HUB_CACHE", std::nullopt), no_hf("HF_HOME", std::nullopt);
  const PretrainedWeights& weights = pretrained_named("resnet50:a1_in1k");
  expect_error(ErrorKind::kData,
               {"resnet50:a1_in1k: resnet50.a1_in1k.safetensors is not on this machine: get "
                "https://huggingface.co/timm/resnet50.a1_in1k/resolve/main/model.safetensors",
                "under that name into " + folder_ / "own"},
               [&] { find_pretrained(weights); });
  EXPECT_EQ(hub_cache(), folder_ / "cache/huggingface/hub");
  const std::string repository = hub_cache() + "/models--timm--resnet50.a1_in1k";
  write_text(repository + "/snapshots/aaaa/model.safetensors", "old");
  EXPECT_EQ(locate_pretrained(weights), repository + "/snapshots/aaaa/model.safetensors");
  write_text(repository + "/snapshots/bbbb/model.safetensors", content_);
  write_text(repository + "/refs/main", "bbbb");
  const PretrainedFile found = find_pretrained(weights);
  EXPECT_EQ(found.path, repository + "/snapshots/bbbb/model.safetensors");
  EXPECT_EQ(found.sha256, sha256_);
  EXPECT_FALSE(says_hash(weights, found.path));
  // What torch's hub has under the name of before is checked, for the name says its hash.
  write_text(folder_ / "torch/hub/checkpoints/resnet50_a1_0-14fe96d1.pth", content_);
  expect_error(ErrorKind::kData, {"resnet50_a1_0-14fe96d1.pth: its SHA-256 begins with"},
               [&] { find_pretrained(weights); });
  const EnvironmentVariable hf("HF_HOME", folder_ / "hf");
  EXPECT_EQ(hub_cache(), folder_ / "hf/hub");
  const EnvironmentVariable hub("HF_HUB_CACHE", folder_ / "hub");
  EXPECT_EQ(hub_cache(), folder_ / "hub");
}

TEST_F(FoundFiles, FollowTorchsRulesForTheCache) {
  const EnvironmentVariable no_own("RESFLOW_WEIGHTS", std::nullopt), no_cache("XDG_CACHE_HOME", std::nullopt);
  {
    const EnvironmentVariable in_home("TORCH_HOME", "~/models");
    EXPECT_THAT(pretrained_folders(),
                ElementsAre(folder_ / "home/models/hub/checkpoints", folder_ / "home/.cache/torch/hub/checkpoints"));
  }
  const EnvironmentVariable no_torch("TORCH_HOME", std::nullopt);
  EXPECT_THAT(pretrained_folders(), ElementsAre(folder_ / "home/.cache/torch/hub/checkpoints"));
  const EnvironmentVariable no_home("HOME", std::nullopt);
  EXPECT_THAT(pretrained_folders(), IsEmpty());
  expect_error(ErrorKind::kData, {"RESFLOW_WEIGHTS"}, [&] { find_pretrained(entry_); });
}

TEST_F(FoundFiles, AbsentOnesAreNamedWithTheirPlace) {
  expect_error(ErrorKind::kData,
               {"resnet50:IMAGENET1K_V2: resnet50-11ad3fa6.pth is not on this machine",
                "https://download.pytorch.org/models/resnet50-11ad3fa6.pth (102.5 MB)", folder_ / "own",
                folder_ / "torch/hub/checkpoints", folder_ / "cache/torch/hub/checkpoints"},
               [] { find_pretrained("resnet50:DEFAULT"); });
}

TEST_F(FoundFiles, OfAnotherHashAreRefused) {
  const std::string path = folder_ / "own/" + file_;
  for (const std::string& content : {content_.substr(1), content_ + "x", std::string()}) {
    write_text(path, content);
    expect_error(ErrorKind::kData, {path, "that of resnet18:IMAGENET1K_V1 with " + sha256_.substr(0, 8), "get "},
                 [&] { find_pretrained(entry_); });
  }
  std::filesystem::remove(path);
  std::filesystem::create_directories(path);
  expect_error(ErrorKind::kData, {path}, [&] { find_pretrained(entry_); });
}

}  // namespace
}  // namespace resflow::testing
