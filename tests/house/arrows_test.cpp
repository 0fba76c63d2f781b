// The arrows of the design: who may include whom. Reads the #include lines of every source file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

// folder -> folders whose headers it may include
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"io", {"io"}},
    {"ops", {"ops", "io"}},
    {"graph", {"graph", "ops", "io"}},
    {"pipeline", {"pipeline", "io"}},
    {"apps", {"apps", "graph", "ops", "pipeline", "io"}},
    {"bench", {"bench", "apps", "graph", "ops", "pipeline", "io", "tests"}},
    {"tests", {"tests", "bench", "apps", "graph", "ops", "pipeline", "io"}},
};

// Libraries that a folder does without: header prefix -> folders that may use it.
const std::map<std::string, std::set<std::string>> kMayUse = {
    {"dnnl", {"ops", "graph", "apps", "bench", "tests"}},
    {"oneapi/dnnl", {"ops", "graph", "apps", "bench", "tests"}},
    {"oneapi/tbb", {"ops", "graph", "pipeline", "apps", "bench", "tests"}},
    {"tbb/", {"ops", "graph", "pipeline", "apps", "bench", "tests"}},
    {"jpeglib", {"io", "apps", "bench", "tests"}},
    {"png.h", {"io", "apps", "bench", "tests"}},
    {"minizip/", {"io", "tests"}},
    {"libdeflate", {"io", "tests"}},
    {"archive", {"io", "tests"}},
    {"CLI/", {"apps", "tests"}},
    {"onnx/", {"io"}},
    {"linear.h", {"apps"}},
    {"google/protobuf", {"io", "apps", "tests"}},
    {"nlohmann/", {"io", "apps", "tests"}},
};

// What a file of `folder` must not include; empty where all is well.
std::string forbidden(const std::string& folder, const std::string& included) {
  const size_t slash = included.find('/');
  const std::string top = slash == std::string::npos ? "" : included.substr(0, slash);
  if (kMayInclude.contains(top) && !kMayInclude.at(folder).contains(top)) return folder + " -> " + top;
  for (const auto& [library, users] : kMayUse)
    if (included.starts_with(library) && !users.contains(folder)) return folder + " -> " + library;
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

bool is_source(const fs::path& file) {
  const std::string extension = file.extension().string();
  return extension == ".cpp" || extension == ".h" || extension == ".inc";
}

TEST(Arrows, TheRuleForbidsWhatTheDesignForbids) {
  EXPECT_EQ(forbidden("pipeline", "graph/plan/plan.h"), "pipeline -> graph");
  EXPECT_EQ(forbidden("graph", "pipeline/loader.h"), "graph -> pipeline");
  EXPECT_EQ(forbidden("io", "ops/tensor.h"), "io -> ops");
  EXPECT_EQ(forbidden("ops", "graph/model/graph.h"), "ops -> graph");
  EXPECT_EQ(forbidden("graph", "apps/host/console.h"), "graph -> apps");
  EXPECT_EQ(forbidden("io", "oneapi/tbb/flow_graph.h"), "io -> oneapi/tbb");
  EXPECT_EQ(forbidden("pipeline", "dnnl.hpp"), "pipeline -> dnnl");
  EXPECT_EQ(forbidden("graph", "ops/op.h"), "");
  EXPECT_EQ(forbidden("apps", "pipeline/loader.h"), "");
  EXPECT_EQ(forbidden("io", "vector"), "");
}

TEST(Arrows, EveryIncludeFollowsTheDesign) {
  std::vector<std::string> wrong;
  for (const auto& [folder, ignored] : kMayInclude) {
    const fs::path root = fs::path(RESFLOW_SOURCE_DIR) / folder;
    ASSERT_TRUE(fs::is_directory(root)) << root;
    int files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      ++files;
      for (const std::string& included : includes_of(entry.path())) {
        const std::string arrow = forbidden(folder, included);
        if (!arrow.empty()) wrong.push_back(entry.path().string() + " includes " + included + ": " + arrow);
      }
    }
    if (folder != "bench") {
      EXPECT_GT(files, 0) << root;
    }
  }
  EXPECT_THAT(wrong, testing::IsEmpty());
}

}  // namespace
