// Medians with their intervals, and the rule by which one measurement is slower than another.
//
// Covers: apps/bench/median_interval
#include "apps/bench/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/apps/program.h"
#include "tests/io/expect_error.h"

namespace resflow {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Verdict = ComparedPart::Verdict;

TEST(MedianInterval, OfKnownNumbers) {
  // Coverages by hand: 1 - 2 P(B < k), B binomial with n and 1/2.
  struct Case {
    int n;
    double median, low, high, coverage;
  };
  for (const Case& c : {Case{1, 1, 1, 1, 0}, Case{2, 1.5, 1, 2, 0.5}, Case{5, 3, 1, 5, 1 - 2.0 / 32},
                        Case{6, 3.5, 1, 6, 1 - 2.0 / 64}, Case{8, 4.5, 1, 8, 1 - 2.0 / 256},
                        Case{9, 5, 2, 8, 1 - 2 * 10.0 / 512}, Case{20, 10.5, 6, 15, 1 - 2 * 21700.0 / 1048576}}) {
    std::vector<double> values;
    for (int i = 0; i < c.n; ++i) values.push_back((i * 7 % c.n) + 1);  // 1 to n in disorder: 7 divides no n
    const MedianInterval interval = median_interval(values);
    EXPECT_EQ(interval.median, c.median) << c.n;
    EXPECT_EQ(interval.low, c.low) << c.n;
    EXPECT_EQ(interval.high, c.high) << c.n;
    EXPECT_NEAR(interval.coverage, c.coverage, 1e-12) << c.n;
  }
  EXPECT_EQ(median_interval({1, 2, 3, 4, 5, 6}, 0.5).low, 2) << "less is wanted: a narrower one";
}

json part(const char* name, int threads, std::vector<double> repeats) {
  return {{"part", name}, {"threads", threads}, {"unit", "img/s"}, {"repeats", std::move(repeats)}};
}

json measurement(std::vector<json> parts) {
  json file = {{"what", "pipeline"}, {"schema", 1},      {"mode", "score"}, {"model", "resnet34"}, {"batch", 32},
               {"image_size", 224},  {"recipe", "eval"}, {"cpu", "A"},      {"isa", "avx2"}};
  file["data"] = {{"folder", "d"}, {"synthetic", false}, {"pictures", 10}, {"bytes", 1000}};
  file["parts"] = std::move(parts);
  return file;
}

const std::vector<double> kAround100 = {98, 99, 100, 101, 102, 103};

std::vector<double> times(double factor) {
  std::vector<double> values = kAround100;
  for (double& value : values) value *= factor;
  return values;
}

Verdict verdict_of(const std::vector<double>& before, const std::vector<double>& now, double tolerance = 0.03) {
  return compare_bench("old", measurement({part("decode", 1, before)}), measurement({part("decode", 1, now)}),
                       tolerance)
      .parts.at(0)
      .verdict;
}

TEST(BenchCompare, SlowerIsAnIntervalApartAndMoreThanTheTolerance) {
  EXPECT_EQ(verdict_of(kAround100, kAround100), Verdict::kSame);
  EXPECT_EQ(verdict_of(kAround100, times(0.9)), Verdict::kSlower);
  EXPECT_EQ(verdict_of(kAround100, times(1.1)), Verdict::kFaster);
  EXPECT_EQ(verdict_of(kAround100, times(0.97)), Verdict::kSame) << "the intervals meet";
  EXPECT_EQ(verdict_of(kAround100, times(0.9), 0.2), Verdict::kSame) << "within the tolerance";
  EXPECT_EQ(verdict_of({99.9, 100, 100, 100, 100, 100.1}, {98, 98, 98, 98, 98, 98}), Verdict::kSame)
      << "apart, but 2 % less";
  EXPECT_EQ(verdict_of({99.9, 100, 100, 100, 100, 100.1}, {98, 98, 98, 98, 98, 98}, 0.01), Verdict::kSlower);
  EXPECT_EQ(verdict_of(kAround100, {60, 60, 60, 60, 60, 99}), Verdict::kSame) << "its own noise reaches there";
}

TEST(BenchCompare, CountsThePipelineAndNotTheMachine) {
  const json before = measurement({part("decode", 1, kAround100), part("loader", 2, kAround100),
                                   part("gemm", 2, kAround100), part("decode", 4, kAround100)});
  const json now = measurement({part("decode", 1, times(0.5)), part("loader", 2, times(2)), part("gemm", 2, times(0.5)),
                                part("decode", 8, kAround100)});
  const BenchComparison comparison = compare_bench("old.json", before, now, 0.03);
  EXPECT_EQ(comparison.slower(), 1);
  EXPECT_DOUBLE_EQ(comparison.parts.at(1).ratio(), 2);
  EXPECT_DOUBLE_EQ(comparison.machine_ratio, 0.5);
  EXPECT_THAT(comparison.only_before, ElementsAre("decode with 4 threads"));
  EXPECT_THAT(comparison.only_now, ElementsAre("decode with 8 threads"));
  const std::string text = comparison_text("old.json", comparison, 0.03);
  EXPECT_THAT(text, HasSubstr("0.500x  SLOWER"));
  EXPECT_THAT(text, HasSubstr("2.000x  faster"));
  EXPECT_THAT(text, HasSubstr("1 part is slower"));
  EXPECT_THAT(text, HasSubstr("a product of two matrices has 0.50 times the speed"));
  EXPECT_EQ(compare_bench("old.json", now, now, 0).slower(), 0) << "with itself";
}

TEST(BenchCompare, RefusesWhatMeasuredSomethingElse) {
  const json now = measurement({part("decode", 1, kAround100)});
  EXPECT_THAT(check_comparable("old.json", now, now), IsEmpty());
  const auto changed = [&](const char* place, const json& value) {
    json before = now;
    before[json::json_pointer(place)] = value;
    return before;
  };
  for (const auto& [place, value, words] :
       {std::tuple<const char*, json, const char*>{"/model", "resnet18", "model is resnet18, here resnet34 (--model)"},
        {"/batch", 16, "batch is 16, here 32 (--batch)"},
        {"/mode", "train", "mode is train, here score (--train)"},
        {"/image_size", 64, "image size is 64, here 224"},
        {"/recipe", "train", "recipe is train, here eval"},
        {"/data/pictures", 9, "number of pictures is 9, here 10"},
        {"/data/bytes", 9, "bytes of all pictures is 9, here 1000"}}) {
    const json before = changed(place, value);
    testing::expect_error(ErrorKind::kData, {words}, [&] { check_comparable("old.json", before, now); });
  }
  const auto remarks = check_comparable("old.json", changed("/cpu", "B"), now);
  ASSERT_EQ(remarks.size(), 1U);
  EXPECT_EQ(remarks[0], "old.json: the CPU was B, here it is A: the ratios compare machines, not programs");
  const json other_threads = measurement({part("decode", 2, kAround100)});
  testing::expect_error(ErrorKind::kData, {"--sweep"}, [&] { compare_bench("old.json", other_threads, now, 0); });
}

TEST(BenchCompare, ReadsNothingButMeasurements) {
  const testing::TemporaryFolder folder;
  const auto refused = [&](const std::string& text, const std::string& words) {
    testing::write_text(folder / "x.json", text);
    testing::expect_error(ErrorKind::kData, {words}, [&] { read_bench(folder / "x.json"); });
  };
  refused("{", "is no JSON");
  refused("", "is no JSON");
  refused("[1]", "has no measurements of a pipeline");
  refused(R"({"what": "load"})", "has no measurements of a pipeline");
  for (const char* repeats : {"[]", "[0]", "[\"a\"]", "[-1, 2]", "3"})
    refused(
        fmt::format(R"({{"what": "pipeline", "schema": 1, "parts": [{{"part": "a", "threads": 1, "repeats": {}}}]}})",
                    repeats),
        "has no measurements of a pipeline");
  json newer = measurement({part("decode", 1, kAround100)});
  newer["schema"] = 2;
  refused(newer.dump(), "schema is 2");
  testing::expect_error(ErrorKind::kData, {"absent.json"}, [&] { read_bench(folder / "absent.json"); });
  testing::write_text(folder / "good.json", measurement({part("decode", 1, kAround100)}).dump());
  EXPECT_EQ(read_bench(folder / "good.json").at("batch"), 32);
}

}  // namespace
}  // namespace resflow
