// resflow bench: its reports, and that batches are the same bits for any number of threads.
//
// Covers: apps/bench/options apps/bench/report apps/bench/random_model
// Covers: apps/bench/layers apps/bench/load apps/bench/network apps/bench/pipeline_html
// Covers: apps/bench/pipeline_report apps/bench/read apps/bench/score apps/bench/step_times apps/bench/train
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "io/weights/safetensors.h"
#include "ops/precision.h"
#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

using ::testing::HasSubstr;

class BenchProgram : public ::testing::Test {
 protected:
  nlohmann::json bench(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "bench");
    arguments.insert(arguments.end(), {"--json", json_});
    const ProcessResult result = resflow(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(read_text(json_));
  }

  TemporaryFolder folder_;
  std::string json_ = folder_ / "report.json";
};

TEST_F(BenchProgram, TrainAndScoreReportSpeedAndMemory) {
  for (const char* what : {"train", "score"}) {
    const auto report = bench(
        {what, "--model", "resnet18", "--image-size", "32", "--batch", "2", "--seconds", "0.1", "--threads", "2"});
    EXPECT_EQ(report.at("what"), what);
    EXPECT_EQ(report.at("model"), "resnet18");
    EXPECT_EQ(report.at("batch"), 2);
    EXPECT_EQ(report.at("threads"), 2);
    EXPECT_GT(report.at("peak_rss_bytes").get<int64_t>(), 40'000'000);  // its parameters alone
    EXPECT_GE(report.at("step_ms_median").get<double>(), report.at("step_ms_minimum").get<double>());
    const int batches = report.value("executors", 1);
    EXPECT_NEAR(report.at("images_per_second").get<double>(), 2e3 * batches / report.at("step_ms_median").get<double>(),
                1e-6);
    EXPECT_TRUE(report.at("versions").contains("oneDNN"));
  }
}

TEST_F(BenchProgram, TrainAndLayersKnowBf16) {
  const auto train = [&](const std::string& precision) {
    std::vector<std::string> arguments = {"train",  "--model",   "resnet18", "--image-size", "64", "--batch",
                                          "8",      "--seconds", "0",        "--threads",    "2",  "--precision",
                                          precision};
    if (precision == "bf16") arguments.emplace_back("--force-precision");
    return bench(arguments);
  };
  const auto f32 = train("f32"), bf16 = train("bf16");
  EXPECT_EQ(f32.at("precision"), "f32");
  EXPECT_EQ(bf16.at("precision"), "bf16");
  if (precision_obstacle(Precision::kBf16).empty()) {
    EXPECT_LT(bf16.at("planned_bytes").get<int64_t>(), f32.at("planned_bytes").get<int64_t>());
  }
  const auto layers = bench({"layers", "--train", "--model", "resnet18", "--image-size", "64", "--batch", "2",
                             "--rounds", "1", "--precision", "bf16", "--force-precision"});
  EXPECT_EQ(layers.at("precision"), "bf16");
}

TEST_F(BenchProgram, TrainingRefusesPrecisionsThatItDoesNotKnow) {
  for (const char* precision : {"int8", "f16"}) {
    const ProcessResult result = resflow({"bench", "train", "--precision", precision});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, HasSubstr(std::string("--precision ") + precision + ": wanted f32 or bf16"));
  }
  EXPECT_EQ(resflow({"bench", "train", "--force-precision"}).exit_code, 2);
  // As far as oneDNN may use it, the CPU is one without the instructions.
  const auto on_avx2 = [](std::vector<std::string> more) {
    std::vector<std::string> arguments = {
        RESFLOW_PROGRAM, "bench", "train",     "--model", "resnet18",    "--image-size", "32",
        "--batch",       "2",     "--seconds", "0",       "--precision", "bf16"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_process(arguments, {.input = {}, .environment = {"ONEDNN_MAX_CPU_ISA=AVX2"}});
  };
  const ProcessResult refused = on_avx2({}), result = on_avx2({"--force-precision"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("no bf16 instructions"));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("no faster than f32, or slower"));
}

TEST_F(BenchProgram, ScoreHasAsManyExecutorsAsItIsTold) {
  const auto score = [&](const std::string& executors) {
    return bench({"score", "--model", "resnet18", "--image-size", "32", "--batch", "1", "--seconds", "0", "--threads",
                  "4", "--executors", executors});
  };
  const auto latency = score("latency"), two = score("2"), throughput = score("throughput");
  EXPECT_EQ(latency.at("executors"), 1);
  EXPECT_EQ(two.at("executors"), 2);
  EXPECT_EQ(throughput.at("executors"), 4);
  const int chosen = score("auto").at("executors").get<int>();
  EXPECT_TRUE(chosen == 1 || chosen == 4) << chosen;
  // Activations of one more, and no weights.
  const auto planned = [](const auto& report) { return report.at("planned_bytes").template get<int64_t>(); };
  EXPECT_LT(planned(throughput), planned(latency) + planned(latency) / 4);
  EXPECT_GT(planned(throughput), planned(two));
}

TEST_F(BenchProgram, BatchesAreTheSameBitsForAnyNumberOfThreads) {
  draw_photos(folder_ / "data", 2, 9);
  const auto load = [&](const std::string& recipe, const std::string& threads, const std::string& seed) {
    return bench({"load", "--data", folder_ / "data", "--recipe", recipe, "--seed", seed, "--threads", threads,
                  "--epochs", "2", "--batch", "4", "--image-size", "64"});
  };
  for (const char* recipe : {"train", "eval"}) {
    const auto one = load(recipe, "1", "5");
    EXPECT_EQ(one.at("images"), 36);
    EXPECT_EQ(one.at("batches_sha256").get<std::string>().size(), 64U);
    EXPECT_EQ(one.at("batches_sha256"), load(recipe, "2", "5").at("batches_sha256"));
    EXPECT_EQ(one.at("batches_sha256"), load(recipe, "16", "5").at("batches_sha256"));
  }
  EXPECT_NE(load("train", "2", "5").at("batches_sha256"), load("train", "2", "6").at("batches_sha256"));
}

TEST_F(BenchProgram, LoadMeasuresForATime) {
  draw_photos(folder_ / "data", 2, 3);
  const auto report = bench({"load", "--data", folder_ / "data", "--seconds", "0.2", "--batch", "2"});
  EXPECT_GE(report.at("seconds").get<double>(), 0.2);
  EXPECT_GT(report.at("images_per_second").get<double>(), 0);
  EXPECT_FALSE(report.contains("batches_sha256"));
}

TEST_F(BenchProgram, ReadingWeightsIsMeasured) {
  const std::string file = folder_ / "a.safetensors";
  write_safetensors({{"a", Array(DType::kF32, {100, 10})}, {"b", Array(DType::kI64, {})}}, {}, file);
  const auto report = bench({"read", file, "--seconds", "0"});
  EXPECT_EQ(report.at("tensors"), 2);
  EXPECT_EQ(report.at("bytes"), 4008);
  EXPECT_GT(report.at("first_ms").get<double>(), 0);
  EXPECT_NEAR(report.at("megabytes_per_second").get<double>(), 4.008 / report.at("step_ms_median").get<double>(), 1e-6);
  EXPECT_EQ(resflow({"bench", "read", folder_ / "absent.pth"}).exit_code, 3);
}

TEST_F(BenchProgram, UsesTheCpusOfTheAffinityMask) {
  const ProcessResult result =
      run_process({"taskset", "-c", "0", RESFLOW_PROGRAM, "bench", "score", "--model", "resnet18", "--image-size", "32",
                   "--batch", "1", "--seconds", "0", "--json", json_});
  if (result.exit_code == 127) GTEST_SKIP() << "no taskset here";
  EXPECT_EQ(nlohmann::json::parse(read_text(json_)).at("threads"), 1);
}

TEST_F(BenchProgram, RefusesExecutorsThatCannotBe) {
  const auto refused = [](const std::string& executors, const std::string& words) {
    const ProcessResult result = resflow({"bench", "score", "--threads", "2", "--executors", executors});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, ::testing::HasSubstr(words));
  };
  refused("3", "--executors 3: wanted at most one a thread, of which there are 2 (--threads)");
  for (const char* text : {"0", "-1", "2x", "", "fast"})
    refused(text, std::string("--executors ") + text + ": wanted auto, throughput, latency or a number from 1");
}

TEST_F(BenchProgram, RefusesWhatCannotBe) {
  EXPECT_EQ(resflow({"bench", "load", "--data", folder_ / "absent"}).exit_code, 3);
  EXPECT_EQ(resflow({"bench", "load"}).exit_code, 2);
  EXPECT_EQ(resflow({"bench", "train", "--batch", "0"}).exit_code, 2);
  EXPECT_EQ(resflow({"bench", "score", "--image-size", "31"}).exit_code, 2);
  EXPECT_EQ(resflow({"bench", "score", "--model", "resnet19"}).exit_code, 2);
}

}  // namespace
}  // namespace resflow::testing
