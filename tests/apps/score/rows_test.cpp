// Covers: apps/score/rows_csv apps/score/rows_jsonl
#include "apps/score/rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace resflow {
namespace {

using ::testing::ElementsAre;

const std::vector<std::string> kRowClasses = {"cat", "dog", "eel"};
const std::vector<double> kScores = {0.25, 0.75 - 1e-7, 1e-7};

std::string csv_row(const ScoredPicture& picture, const RowOptions& options,
                    const std::vector<std::string>& classes = kRowClasses) {
  std::string text;
  make_csv_rows(classes, options)->append(picture, text);
  return text;
}

std::string json_row(const ScoredPicture& picture, const RowOptions& options,
                     const std::vector<std::string>& classes = kRowClasses) {
  std::string text;
  make_jsonl_rows(classes, options)->append(picture, text);
  return text;
}

TEST(ScoreCsv, HeaderNamesEveryColumn) {
  EXPECT_EQ(make_csv_rows(kRowClasses, {.top = 1})->header(), "path,class,probability,error\n");
  EXPECT_EQ(make_csv_rows(kRowClasses, {.top = 3})->header(),
            "path,class,probability,class_2,probability_2,class_3,probability_3,error\n");
  EXPECT_EQ(make_csv_rows({"cat", "error", "a,b", "cat"}, {.top = 1, .all_scores = true})->header(),
            "path,class,probability,cat,error (1),\"a,b\",cat (3),error\n");
}

TEST(ScoreCsv, ARowHasItsClassesOrItsErrorInAsManyColumns) {
  const ScoredPicture whole = {.name = "a.jpg", .probabilities = kScores},
                      broken = {.name = "b.jpg", .error = "is empty"};
  EXPECT_EQ(csv_row(whole, {.top = 2}), "a.jpg,dog,0.750000,cat,0.250000,\n");
  EXPECT_EQ(csv_row(broken, {.top = 2}), "b.jpg,,,,,is empty\n");
  EXPECT_EQ(csv_row(whole, {.top = 1, .all_scores = true}), "a.jpg,dog,0.750000,0.25,0.7499999,1e-07,\n");
  EXPECT_EQ(csv_row(broken, {.top = 1, .all_scores = true}), "b.jpg,,,,,,is empty\n");
}

TEST(ScoreCsv, TheThresholdEmptiesColumnsAndKeepsRows) {
  const ScoredPicture whole = {.name = "a.jpg", .probabilities = kScores};
  EXPECT_EQ(csv_row(whole, {.top = 2, .threshold = 0.3}), "a.jpg,dog,0.750000,,,\n");
  EXPECT_EQ(csv_row(whole, {.top = 2, .threshold = 0.25}), "a.jpg,dog,0.750000,cat,0.250000,\n");
  EXPECT_EQ(csv_row(whole, {.top = 1, .threshold = 0.9}), "a.jpg,,,\n");
}

TEST(ScoreCsv, OddNamesAreQuoted) {
  EXPECT_EQ(csv_row({.name = "a, \"b\".jpg", .probabilities = std::vector<double>{1}}, {.top = 1}, {"x\ny"}),
            "\"a, \"\"b\"\".jpg\",\"x\ny\",1.000000,\n");
}

TEST(ScoreJsonl, ARowHasItsClassesOrItsError) {
  const ScoredPicture whole = {.name = "a.jpg", .probabilities = kScores};
  EXPECT_EQ(json_row(whole, {.top = 2}),
            "{\"path\": \"a.jpg\", \"classes\": [{\"class\": \"dog\", \"probability\": 0.7499999}, "
            "{\"class\": \"cat\", \"probability\": 0.25}]}\n");
  EXPECT_EQ(json_row({.name = "b.jpg", .error = "is \"empty\""}, {.top = 2}),
            "{\"path\": \"b.jpg\", \"error\": \"is \\\"empty\\\"\"}\n");
  EXPECT_EQ(json_row(whole, {.top = 1, .threshold = 0.9}), "{\"path\": \"a.jpg\", \"classes\": []}\n");
}

TEST(ScoreJsonl, ScoresHaveAKeyAClass) {
  const auto row = nlohmann::ordered_json::parse(json_row({.name = "a.jpg", .probabilities = kScores},
                                                          {.top = 1, .all_scores = true}, {"crane", "crane", "a\"b"}));
  std::vector<std::string> keys;
  for (const auto& [key, value] : row.at("scores").items()) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("crane", "crane (1)", "a\"b"));
  EXPECT_EQ(row.at("scores").at("crane (1)").get<float>(), static_cast<float>(kScores[1]));
  EXPECT_EQ(row.at("classes").at(0).at("class"), "crane");
}

TEST(ScoreJsonl, ANameThatIsNoUtf8IsThereInBase64) {
  const auto row = nlohmann::json::parse(json_row({.name = "\xFF.jpg", .error = "is empty"}, {.top = 1}));
  EXPECT_EQ(row.at("path"), "\xEF\xBF\xBD.jpg");
  EXPECT_EQ(row.at("path_base64"), "/y5qcGc=");
}

TEST(DistinctNames, AreDistinctWhateverTheyWere) {
  EXPECT_THAT(distinct_names({"a", "a", "a (1)", "b"}, {"b"}), ElementsAre("a", "a (1)", "a (1) (2)", "b (3)"));
}

}  // namespace
}  // namespace resflow
