// Who may include whom, room by room (tests/house/rooms.h). Reads the #include lines of every source file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/house/rooms.h"
#include "tests/house/sources.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLargestRoom = 42;  // files of its own: what one can still look over

bool within(const std::string& room, const std::set<std::string>& rooms) {
  if (rooms.contains(room)) return true;
  const std::string top = room.substr(0, room.find('/'));
  // "apps" alone is the room of the subcommands for what belongs to the program.
  return top != room && rooms.contains(top) && !rooms.contains("apps/options");
}

// What a file of `room` must not include; empty where all is well.
std::string forbidden(const std::string& room, const std::string& included) {
  const std::string target = folder_of(included);
  if (arrows().contains(target) && target != room && !arrows().at(room).contains(target)) return room + " -> " + target;
  for (const auto& [library, users] : libraries())
    if (included.starts_with(library) && !within(room, users)) return room + " -> " + library;
  return {};
}

std::vector<std::string> includes_of(const fs::path& file) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  std::vector<std::string> found;
  std::ifstream stream(file);
  std::smatch match;
  for (std::string line; std::getline(stream, line);)
    if (std::regex_search(line, match, kInclude)) found.push_back(match[1]);
  return found;
}

TEST(Arrows, TheRuleForbidsWhatTheDesignForbids) {
  EXPECT_EQ(forbidden("pipeline", "graph/plan/plan.h"), "pipeline -> graph/plan");
  EXPECT_EQ(forbidden("graph/train", "pipeline/loader.h"), "graph/train -> pipeline");
  EXPECT_EQ(forbidden("io/images", "ops/tensor.h"), "io/images -> ops");
  EXPECT_EQ(forbidden("ops", "graph/model/graph.h"), "ops -> graph/model");
  EXPECT_EQ(forbidden("graph/plan", "ops/kernels/winograd.h"), "graph/plan -> ops/kernels");
  EXPECT_EQ(forbidden("graph/plan", "graph/train/trainer.h"), "graph/plan -> graph/train");
  EXPECT_EQ(forbidden("graph/plan", "apps/host/console.h"), "graph/plan -> apps/host");
  EXPECT_EQ(forbidden("apps/train", "apps/host/signals.h"), "apps/train -> apps/host");
  EXPECT_EQ(forbidden("apps/score", "apps/train/options.h"), "apps/score -> apps/train");
  EXPECT_EQ(forbidden("apps/train", "CLI/CLI.hpp"), "apps/train -> CLI/");
  EXPECT_EQ(forbidden("apps/host", "toml++/toml.h"), "apps/host -> toml++");
  EXPECT_EQ(forbidden("io/files", "oneapi/tbb/flow_graph.h"), "io/files -> oneapi/tbb");
  EXPECT_EQ(forbidden("pipeline", "dnnl.hpp"), "pipeline -> dnnl");
  EXPECT_EQ(forbidden("graph/plan", "ops/op.h"), "");
  EXPECT_EQ(forbidden("apps/options", "CLI/CLI.hpp"), "");
  EXPECT_EQ(forbidden("apps", "CLI/CLI.hpp"), "");
  EXPECT_EQ(forbidden("apps", "pipeline/loader.h"), "");
  EXPECT_EQ(forbidden("io/core", "vector"), "");
}

TEST(Arrows, EveryIncludeFollowsTheDesign) {
  std::vector<std::string> wrong;
  for (const std::string top : {"io", "ops", "graph", "pipeline", "apps"}) {
    const auto files = sources(top);
    EXPECT_FALSE(files.empty()) << top;
    for (const std::string& file : files) {
      const std::string room = folder_of(file);
      if (!arrows().contains(room)) {
        wrong.push_back(file + " lies in no room of tests/house/rooms.h");
        continue;
      }
      for (const std::string& included : includes_of(fs::path(RESFLOW_SOURCE_DIR) / file)) {
        const std::string arrow = forbidden(room, included);
        if (!arrow.empty()) wrong.push_back(file + " includes " + included + ": " + arrow);
      }
    }
  }
  EXPECT_THAT(wrong, ::testing::IsEmpty());
}

TEST(Arrows, NobodyIncludesTestsAndBenchmarks) {
  for (const std::string top : {"io", "ops", "graph", "pipeline", "apps"})
    for (const std::string& file : sources(top))
      for (const std::string& included : includes_of(fs::path(RESFLOW_SOURCE_DIR) / file))
        EXPECT_FALSE(included.starts_with("tests/") || included.starts_with("bench/")) << file << " " << included;
}

TEST(Arrows, ARoomCanBeLookedOver) {
  std::map<std::string, size_t> files;
  for (const std::string top : {"io", "ops", "graph", "pipeline", "apps", "tests", "bench"})
    for (const std::string& file : sources(top)) ++files[folder_of(file)];
  for (const auto& [room, count] : files) EXPECT_LE(count, kLargestRoom) << room;
}

}  // namespace
}  // namespace resflow::testing
