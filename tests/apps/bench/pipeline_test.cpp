// resflow bench pipeline and layers, by the real program and piece by piece.
//
// Covers: apps/bench/layer_times apps/bench/pictures apps/bench/pipeline_bench apps/bench/pipeline_stages
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "apps/bench/layer_times.h"
#include "apps/bench/pictures.h"
#include "apps/bench/pipeline_bench.h"
#include "apps/bench/pipeline_stages.h"
#include "io/files/file.h"
#include "tests/apps/environment.h"
#include "tests/apps/program.h"
#include "tests/io/expect_error.h"

namespace resflow::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// As little as possible of everything.
std::vector<std::string> pipeline_arguments(const std::vector<std::string>& more) {
  std::vector<std::string> all = {"bench",   "pipeline", "--model",   "resnet18", "--image-size", "32",
                                  "--batch", "2",        "--seconds", "0",        "--repeats",    "2"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(ThreadsToSweep, EndsWithTheMost) {
  EXPECT_THAT(threads_to_sweep(1), ElementsAre(1));
  EXPECT_THAT(threads_to_sweep(2), ElementsAre(1, 2));
  EXPECT_THAT(threads_to_sweep(6), ElementsAre(1, 2, 3, 4, 6));
  EXPECT_THAT(threads_to_sweep(16), ElementsAre(1, 2, 3, 4, 8, 16));
}

TEST(SpreadPictures, TakesEvenlyAndNoMoreThanMemoryHolds) {
  Dataset set = {.classes = {"a"}, .samples = {}};
  for (int i = 0; i < 100; ++i) set.samples.push_back({"absent" + std::to_string(i), 0});
  const Dataset some = spread_pictures(set, 4);
  ASSERT_EQ(some.samples.size(), 4U);
  EXPECT_EQ(some.samples[0].path, "absent0");
  EXPECT_EQ(some.samples[3].path, "absent75");
  EXPECT_EQ(spread_pictures(set, 1000).samples.size(), 100U);
}

class Stages : public ::testing::Test {
 protected:
  Stages() { draw_photos(folder_ / "data", 2, 4); }
  TemporaryFolder folder_;
};

// BenchPictures compares with the loader itself and throws where they differ; here: for which recipes it must hold.
TEST_F(Stages, GiveTheLoadersPixelsForAnyRecipe) {
  write_text(folder_ / "data/fence/broken.jpg", "\xFF\xD8 no picture");
  // The crop of 224 is larger than these pictures; 20 is smaller.
  for (const Recipe& recipe :
       {Recipe::train(48), Recipe::eval(eval_preprocessing(20)), Recipe::eval({.resize = 30, .crop = 60})}) {
    const BenchPictures pictures(list_image_folder(folder_ / "data"), recipe, 3, 2);
    EXPECT_EQ(pictures.broken, 1);
    EXPECT_EQ(pictures.all.size(), 8U);
    StageRunner runner(pictures, 2, 4);
    for (const Stage stage : kStages) {
      runner.check(stage);
      EXPECT_GT(runner.run(stage, 0), 0);
    }
  }
}

TEST_F(Stages, AStageThatGivesAnotherResultIsFound) {
  BenchPictures pictures(list_image_folder(folder_ / "data"), Recipe::train(48), 3, 1);
  StageRunner runner(pictures, 1, 4);
  pictures.all[2].resized.row(5)[7] ^= 1;
  expect_error(ErrorKind::kInternal, {"resize alone gives another result"}, [&] { runner.check(Stage::kResize); });
  pictures.all[2].decoded.row(0)[0] ^= 1;
  expect_error(ErrorKind::kInternal, {"decode alone gives another result"}, [&] { runner.check(Stage::kDecode); });
  replace_file(pictures.dataset.samples[1].path, std::vector<uint8_t>(3));
  expect_error(ErrorKind::kInternal, {"read alone gives another result"}, [&] { runner.check(Stage::kRead); });
}

TEST_F(Stages, NoPictureAtAllIsSaid) {
  const std::string data = folder_ / "broken";
  write_text(data + "/a/x.jpg", "no picture");
  const Dataset set = list_image_folder(data);
  expect_error(ErrorKind::kData, {"x.jpg", "none of its pictures can be read"},
               [&] { const BenchPictures pictures(set, Recipe::train(48), 0, 1); });
}

// Names in the first column of the table in docs/bench-json.md that follows `heading`, and those that every file has.
std::set<std::string> documented(const std::string& heading) {
  std::istringstream page(read_text(std::string(RESFLOW_SOURCE_DIR) + "/docs/bench-json.md"));
  std::string line;
  while (std::getline(page, line) && !line.starts_with(heading)) {
  }
  std::set<std::string> names;
  while (std::getline(page, line) && (names.empty() || line.starts_with("|"))) {
    const std::string cell = line.substr(0, line.find('|', 1));
    for (size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
      const size_t end = cell.find('`', at + 1);
      names.insert(cell.substr(at + 1, end - at - 1));
      at = end;
    }
  }
  return names;
}

std::set<std::string> names_of(const json& object) {
  std::set<std::string> names;
  for (const auto& [name, value] : object.items()) names.insert(name);
  return names;
}

// Of all in the list together.
std::set<std::string> names_of_all(const json& list) {
  std::set<std::string> names;
  for (const json& object : list) names.merge(names_of(object));
  return names;
}

std::set<std::string> with_process(std::set<std::string> names) {
  names.insert({"cpu", "isa", "versions", "peak_rss_bytes"});
  return names;
}

// What docs/bench-json.md says.
void expect_documented(const json& file, const std::vector<int>& threads) {
  EXPECT_EQ(file.at("what"), "pipeline");
  EXPECT_EQ(file.at("schema"), 1);
  for (const char* name : {"folder", "synthetic", "pictures", "pictures_in_folder", "broken", "bytes"})
    EXPECT_TRUE(file.at("data").contains(name)) << name;
  EXPECT_EQ(names_of(file), with_process(documented("## `bench pipeline`")));
  EXPECT_EQ(names_of_all(file.at("parts")), documented("Each of `parts`"));
  EXPECT_EQ(file.at("threads"), threads);
  EXPECT_EQ(file.at("interval").at("kind"), "order statistics of the median");
  EXPECT_EQ(file.at("interval").at("coverage"), 0.5) << "of two repeats";
  EXPECT_FALSE(file.at("bottleneck").at("part").get<std::string>().empty());
  EXPECT_FALSE(file.at("bottleneck").at("sentence").get<std::string>().empty());

  std::vector<std::string> found, wanted;
  for (const char* part : {"read", "decode", "resize", "normalize", "loader", "model", "together", "gemm"})
    for (const int n : threads) wanted.push_back(part + std::to_string(n));
  for (const json& part : file.at("parts")) {
    const auto name = part.at("part").get<std::string>();
    SCOPED_TRACE(name);
    const int n = part.at("threads").get<int>();
    found.push_back(name + std::to_string(n));
    const auto repeats = part.at("repeats").get<std::vector<double>>();
    ASSERT_EQ(repeats.size(), 2U);
    EXPECT_GT(*std::min_element(repeats.begin(), repeats.end()), 0);
    const double median = (repeats[0] + repeats[1]) / 2;
    EXPECT_DOUBLE_EQ(part.at("median").get<double>(), median);
    EXPECT_EQ(part.at("interval").at(0), *std::min_element(repeats.begin(), repeats.end()));
    EXPECT_EQ(part.at("interval").at(1), *std::max_element(repeats.begin(), repeats.end()));
    EXPECT_EQ(part.at("unit"), name == "gemm" ? "GFLOPS" : "img/s");
    EXPECT_EQ(part.contains("ms_per_image"), name != "gemm");
    if (n == threads.front()) {
      EXPECT_DOUBLE_EQ(part.at("efficiency").get<double>(), 1);
    }
    const bool has_loader = name == "loader" || name == "together";
    EXPECT_EQ(part.contains("shares"), has_loader);
    if (has_loader) {
      const json& shares = part.at("shares");
      double of_threads = 0;
      for (const Stage stage : kStages) of_threads += shares.at(stage_name(stage)).get<double>();
      EXPECT_DOUBLE_EQ(shares.at("transform").get<double>(),
                       shares.at("resize").get<double>() + shares.at("normalize").get<double>());
      EXPECT_GT(of_threads, 0);
      EXPECT_LE(of_threads, 1.001) << "threads cannot work for longer than there is";
      EXPECT_LE(shares.at("model").get<double>() + shares.at("wait").get<double>(), 1.001);
      EXPECT_EQ(shares.at("model").get<double>() > 0, name == "together");
      EXPECT_GT(part.at("bytes_read").get<int64_t>(), 0);
      EXPECT_GT(part.at("bytes_per_second").get<double>(), 0);
    }
    if (name == "model") {
      EXPECT_NEAR(part.at("gflops").get<double>(), 1e-9 * file.at("operations_per_image").get<double>() * median,
                  1e-9 * median);
      EXPECT_GT(part.at("of_peak").get<double>(), 0);
    }
  }
  EXPECT_EQ(found, wanted);
}

class BenchPipeline : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::string json_ = folder_ / "now.json", html_ = folder_ / "now.html";
};

TEST_F(BenchPipeline, SyntheticEndToEnd) {
  const std::string scratch = folder_ / "scratch";
  std::filesystem::create_directories(scratch);
  const EnvironmentVariable temporary("TMPDIR", scratch);
  const ProcessResult result = resflow(
      pipeline_arguments({"--synthetic", "--pictures", "4", "--sweep", "2,1", "--json", json_, "--html", html_}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json file = json::parse(read_text(json_));
  expect_documented(file, {1, 2});
  EXPECT_EQ(file.at("data").at("synthetic"), true);
  EXPECT_EQ(file.at("data").at("pictures"), 4);
  EXPECT_THAT(result.out, HasSubstr("4 drawn pictures"));
  EXPECT_THAT(result.out, HasSubstr(file.at("bottleneck").at("sentence").get<std::string>()));
  // 2 x the multiply-adds of ResNet-18 at 224, of which 32 x 32 is a 49th but for the head.
  EXPECT_NEAR(file.at("operations_per_image").get<double>(), 2 * 1.814e9 / 49, 2 * 1.814e9 / 49 * 0.02);
  EXPECT_THAT(std::filesystem::directory_iterator(scratch) == std::filesystem::directory_iterator(), true)
      << "what was drawn is removed";

  if (!python_has({"PIL"})) return;  // page.py's
  const std::string page = run_python("apps/page.py", {html_});
  EXPECT_THAT(page, HasSubstr("svg 3\n"));
  for (const char* words : {"resnet18 on drawn pictures", "together", "product of matrices", "Where the time goes"})
    EXPECT_THAT(page, HasSubstr(words));
}

TEST_F(BenchPipeline, TrainsAndComparesWithAnEarlierFile) {
  draw_photos(folder_ / "data", 2, 3);
  const auto run = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"--data", folder_ / "data", "--train", "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return resflow(pipeline_arguments(arguments));
  };
  ASSERT_EQ(run({"--json", json_}).exit_code, 0);
  json file = json::parse(read_text(json_));
  expect_documented(file, {1});
  EXPECT_EQ(file.at("mode"), "train");
  EXPECT_EQ(file.at("recipe"), "train");
  const auto doctored = [&](double factor) {
    json other = file;
    for (json& part : other.at("parts"))
      for (json& value : part.at("repeats")) value = value.get<double>() * factor;
    write_text(folder_ / "old.json", other.dump());
    return folder_ / "old.json";
  };
  // A hundred times: no other program on the machine makes that much.
  const ProcessResult slower = run({"--compare", doctored(100)});
  EXPECT_EQ(slower.exit_code, 1) << slower.err;
  EXPECT_THAT(slower.out, HasSubstr("SLOWER"));
  EXPECT_THAT(slower.out, HasSubstr("7 parts are slower"));
  const ProcessResult faster = run({"--compare", doctored(0.01)});
  EXPECT_EQ(faster.exit_code, 0) << faster.err;
  EXPECT_THAT(faster.out, HasSubstr("no part is slower"));

  file["model"] = "resnet34";
  const ProcessResult other = run({"--compare", doctored(1)});
  EXPECT_EQ(other.exit_code, 3);
  EXPECT_THAT(other.err, HasSubstr("model is resnet34, here resnet18 (--model)"));
  EXPECT_THAT(other.out, IsEmpty()) << "said before anything is measured";
}

TEST_F(BenchPipeline, RefusesWhatCannotBe) {
  const auto refused = [&](const std::vector<std::string>& arguments, int code, const std::string& words) {
    std::vector<std::string> all = {"bench", "pipeline"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ProcessResult result = resflow(all);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(words));
  };
  refused({}, 2, "give --data");
  refused({"--synthetic", "--data", "x"}, 2, "give one of them");
  refused({"--data", folder_ / "absent"}, 3, "absent");
  refused({"--synthetic", "--sweep", "1,0"}, 2, "--sweep is 0");
  refused({"--synthetic", "--sweep", "1", "--threads", "2"}, 2, "--threads");
  refused({"--synthetic", "--repeats", "0"}, 2, "--repeats is 0");
  refused({"--synthetic", "--recipe", "none"}, 2, "--recipe none");
  refused({"--synthetic", "--batch", "0"}, 2, "--batch is 0");
  refused({"--synthetic", "--image-size", "31"}, 2, "--image-size is 31");
  refused({"--synthetic", "--pictures", "-1"}, 2, "--pictures is -1");
  refused({"--synthetic", "--pictures", "1", "--compare", folder_ / "absent.json"}, 3, "absent.json");
  refused({"--synthetic", "--pictures", "1", "--model", "resnet19"}, 2, "resnet19");
  // Before the measuring, whose first words are the set-up's.
  for (const std::string option : {"--json", "--html"}) {
    const ProcessResult result = resflow({"bench", "pipeline", "--synthetic", option, folder_ / "absent/report"});
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr("absent"));
    EXPECT_EQ(result.out, "");
  }
}

TEST(LayerTimes, OfTheRoof) {
  const Roof roof = {.gflops = 100, .gbytes_a_second = 10};
  // A thousandth of a second: 0.1 x 10^9 operations, or 0.01 x 10^9 bytes.
  EXPECT_NEAR((LayerTime{.seconds = 1e-3, .operations = 5e7, .bytes = 1e6}.of_roof(roof)), 0.5, 1e-12);
  EXPECT_NEAR((LayerTime{.seconds = 1e-3, .operations = 5e6, .bytes = 2e6}.of_roof(roof)), 0.2, 1e-12);
}

TEST(LayerTimes, LongestFirstAndByKind) {
  std::vector<Plan::Row> rows(2);
  rows[0].name = "a";
  rows[0].kind = "conv";
  rows[0].multiply_adds = 10;
  rows[0].forward_bytes = 7;
  rows[1].name = "b";
  rows[1].kind = "backward reorder";
  rows[1].reorder = true;
  Plan::Profile profile;
  profile.steps = {{.forward = 1, .backward = 3}, {.forward = 0, .backward = 2}};
  const std::vector<LayerTime> layers = layer_times(rows, profile);
  ASSERT_EQ(layers.size(), 3U);
  EXPECT_EQ(layers[0].name + layers[1].name + layers[2].name, "aba");
  EXPECT_TRUE(layers[0].backward);
  EXPECT_EQ(layers[2].operations, 20);
  EXPECT_EQ(layers[2].bytes, 7);
  EXPECT_EQ(sum_seconds(layers), 6);
  const std::vector<KindTime> kinds = by_kind(layers);
  ASSERT_EQ(kinds.size(), 3U);
  EXPECT_EQ(kinds[0].kind, "backward conv");
  EXPECT_EQ(kinds[1].kind, "backward reorder");
}

TEST_F(BenchPipeline, LayersAddUp) {
  for (const bool train : {false, true}) {
    std::vector<std::string> arguments = {"bench",   "layers", "--model",   "resnet18", "--image-size", "64",
                                          "--batch", "4",      "--threads", "2",        "--rounds",     "5",
                                          "--top",   "3",      "--json",    json_};
    if (train) arguments.emplace_back("--train");
    const ProcessResult result = resflow(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("more\n"));
    const json file = json::parse(read_text(json_));
    EXPECT_EQ(file.at("what"), "layers");
    EXPECT_EQ(names_of(file), with_process(documented("## `bench layers`")));
    EXPECT_EQ(names_of_all(file.at("layers")), documented("Each of `layers`"));
    EXPECT_EQ(file.at("mode"), train ? "train" : "score");
    double sum = file.at("copy_pixels_ms").get<double>(), operations = 0, last = 1e9;
    bool backward = false;
    for (const json& layer : file.at("layers")) {
      EXPECT_GT(layer.at("bytes").get<double>(), 0) << layer.dump();
      const double ms = layer.at("ms").get<double>();
      EXPECT_LE(ms, last);
      last = ms;
      sum += ms;
      operations += layer.at("operations").get<double>();
      backward = backward || layer.at("pass") == "backward";
    }
    EXPECT_EQ(backward, train);
    EXPECT_NEAR(file.at("sum_ms").get<double>(), sum, 1e-6 * sum);
    // Forward once; with gradients of weights and sources three times, but for the first convolution's source.
    const double forward = 2 * 4 * 1.814e9 * 64 * 64 / (224 * 224);
    EXPECT_NEAR(operations / forward, train ? 3 - 0.065 : 1, 0.02);
  }
}

TEST_F(BenchPipeline, LayersRefusesWhatCannotBe) {
  for (const auto& [option, value] :
       {std::pair{"--rounds", "0"}, {"--top", "-1"}, {"--batch", "0"}, {"--image-size", "31"}})
    EXPECT_THAT(resflow({"bench", "layers", option, value}).err, HasSubstr(std::string(option) + " is " + value));
  EXPECT_EQ(resflow({"bench", "layers", "--model", "resnet19"}).exit_code, 2);
}

}  // namespace
}  // namespace resflow::testing
