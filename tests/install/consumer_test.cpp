// What another project finds after `cmake --install`: the examples of docs/examples, copied to a folder outside the
// tree, are configured, built and run against an installed prefix and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/process.h"

namespace resflow::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Runs a command that has to succeed; returns what it writes to standard output.
std::string run(const std::vector<std::string>& command) {
  const ProcessResult result = run_process(command);
  EXPECT_EQ(result.exit_code, 0) << command[0] << "\n" << result.out << result.err;
  return result.out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// A picture of one colour and some noise, which decides every byte of it.
void write_picture(const fs::path& path, const int (&colour)[3], uint32_t noise) {
  constexpr int kSide = 48;
  std::string text = "P6\n48 48\n255\n";
  for (int i = 0; i < kSide * kSide * 3; ++i) {
    noise = noise * 1664525 + 1013904223;
    text += static_cast<char>(colour[i % 3] + static_cast<int>(noise >> 27));
  }
  write_text(path.string(), text);
}

class Consumer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = fs::temp_directory_path() / ("resflow-consumer-" + std::to_string(getpid()));
    fs::remove_all(root_);
    run({"cmake", "--install", RESFLOW_BUILD_DIR, "--prefix", prefix()});
    fs::create_directories(root_);
    fs::copy(fs::path(RESFLOW_SOURCE_DIR) / "docs" / "examples", root_ / "examples");
    run({"cmake", "-S", at("examples"), "-B", at("build"), "-G", "Ninja", "-DCMAKE_PREFIX_PATH=" + prefix(),
         std::string("-DCMAKE_CXX_COMPILER=") + RESFLOW_CXX});
    const int colours[3][3] = {{200, 40, 40}, {40, 200, 40}, {40, 40, 200}};
    const char* classes[3] = {"blue", "green", "red"};
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < 40; ++i)
        write_picture(root_ / "data" / (i < 32 ? "train" : "val") / classes[c] / (std::to_string(i) + ".ppm"),
                      colours[c], static_cast<uint32_t>(c * 100 + i));
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  static std::string at(const std::string& name) { return (root_ / name).string(); }
  static std::string prefix() { return at("prefix"); }
  static std::string include() { return at("prefix/include"); }

  static void build(const std::string& example) { run({"cmake", "--build", at("build"), "--target", example}); }

  // Trains once for all tests; returns what the example printed.
  static const std::string& trained() {
    static const std::string kOutput = [] {
      build("train");
      return run({at("build/train"), at("data"), at("model.resflow")});
    }();
    return kOutput;
  }

  static std::vector<std::string> compiler(const std::string& mode) {
    std::vector<std::string> command = {RESFLOW_CXX, "-std=c++20", "-I" + include(), mode};
    for (const char* folder : {RESFLOW_HEADER_FOLDERS}) command.insert(command.end(), {"-isystem", folder});
    command.insert(command.end(), {"-x", "c++"});
    return command;
  }

  static std::vector<std::string> installed_headers() {
    std::vector<std::string> headers;
    for (const auto& entry : fs::recursive_directory_iterator(include()))
      if (entry.is_regular_file()) headers.push_back(entry.path().string());
    std::sort(headers.begin(), headers.end());
    return headers;
  }

  inline static fs::path root_;
};

TEST_F(Consumer, RunsTheInstalledProgram) {
  const ProcessResult result = run_process({"sh", "-c", "cd / && " + prefix() + "/bin/resflow --version"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(Consumer, TrainsWithTheExample) {
  const std::regex epoch(
      R"(epoch (\d)/5  train loss ([\d.]+) accuracy ([\d.]+)  validation loss (-?[\d.]+) accuracy ([\d.]+))");
  std::vector<double> losses, accuracies;
  for (const std::string& line : lines_of(trained())) {
    std::smatch match;
    ASSERT_TRUE(std::regex_match(line, match, epoch)) << line;
    losses.push_back(std::stod(match[2]));
    accuracies.push_back(std::stod(match[5]));
  }
  ASSERT_EQ(losses.size(), 5U);
  EXPECT_LT(losses.back(), losses.front() / 2);
  EXPECT_GT(*std::max_element(accuracies.begin(), accuracies.end()), 0.9);
  EXPECT_TRUE(fs::exists(at("model.resflow")));
}

TEST_F(Consumer, ScoresWithTheExampleAsTheProgramDoes) {
  trained();
  build("score");
  const std::string val = at("data/val");
  std::vector<std::string> example = lines_of(run({at("build/score"), at("model.resflow"), val}));
  std::vector<std::string> program = lines_of(run({prefix() + "/bin/resflow", "score", at("model.resflow"), val}));
  ASSERT_EQ(program.front(), "path,class,probability,error");
  program.erase(program.begin());
  ASSERT_EQ(example.size(), 24U);
  for (std::string& line : example) line += ",";  // the column of errors
  EXPECT_EQ(example, program);
}

TEST_F(Consumer, SaysWhatIsWrong) {
  build("train");
  const ProcessResult result = run_process({at("build/train"), at("nothing"), at("x.resflow")});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr(at("nothing/train")));
}

// The header whose rule of what `g++ -M` printed holds `name`: "array.o: .../resflow/io/core/array.h ...".
std::string rule_with(const std::string& rules, const std::string& name) {
  const size_t colon = rules.rfind(".o:", rules.find(name));
  return colon == std::string::npos ? "" : rules.substr(colon, rules.find_first_of("\\\n", colon) - colon);
}

// Headers include the standard library, fmt, oneDNN, oneTBB and one another. What else the libraries are made with
// stays behind them, and so do headers that are not installed: those would not be found.
TEST_F(Consumer, HeadersBringNothingThatAConsumerNeedNotHave) {
  std::vector<std::string> command = compiler("-M");
  const std::vector<std::string> headers = installed_headers();
  EXPECT_GT(headers.size(), 100U);
  command.insert(command.end(), headers.begin(), headers.end());
  const std::string seen = run(command);
  for (const std::string library :
       {"nlohmann/", "CLI/", "toml++/", "google/", "onnx/", ".pb.h", "openssl/", "minizip/", "webp/", "cairo", "hwloc",
        "include/jpeglib.h", "include/png.h", "include/tiffio.h", "include/archive.h", "include/linear.h",
        "include/libdeflate.h", "include/xxhash.h", RESFLOW_SOURCE_DIR})
    EXPECT_EQ(seen.find(library), std::string::npos) << library << ", by " << rule_with(seen, library);
  EXPECT_NE(seen.find("dnnl.hpp"), std::string::npos);
  EXPECT_NE(seen.find("fmt/"), std::string::npos);
}

// Those of the guide in docs/library.md; all that are installed where RESFLOW_EVERY_HEADER is set, which takes minutes.
TEST_F(Consumer, EachHeaderCompilesAlone) {
  std::vector<std::string> headers;
  if (std::getenv("RESFLOW_EVERY_HEADER") != nullptr) {
    headers = installed_headers();
  } else {
    const std::string page = read_text(RESFLOW_SOURCE_DIR "/docs/library.md");
    const std::regex row(R"(\| `([a-z_/0-9]+\.h)`)");
    for (auto i = std::sregex_iterator(page.begin(), page.end(), row); i != std::sregex_iterator(); ++i)
      headers.push_back(include() + "/resflow/" + (*i)[1].str());
    EXPECT_GE(headers.size(), 20U);
  }
  const auto compile = [&](size_t first) {
    std::string failed;
    for (size_t i = first; i < headers.size(); i += 2) {
      std::vector<std::string> command = compiler("-fsyntax-only");
      // By another source: a header by itself is told that it holds `#pragma once` and is no header.
      command.emplace_back("-");
      const ProcessResult result =
          run_process(command, {.input = "#include \"" + headers[i] + "\"\n", .environment = {}});
      if (result.exit_code != 0) failed += headers[i] + "\n" + result.err.substr(0, 1000) + "\n";
    }
    return failed;
  };
  auto other = std::async(std::launch::async, compile, 1);
  const std::string failed = compile(0);
  EXPECT_THAT(failed + other.get(), IsEmpty());
}

}  // namespace
}  // namespace resflow::testing
