#include "graph/head/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;

struct MadeTable {
  std::vector<int> labels;
  ProbabilityTable probabilities;
  std::map<std::string, std::vector<double>> wanted;  // scikit-learn's
};

MadeTable make_table(int seed, int rows, int classes) {
  const testing::TemporaryFolder folder;
  const std::string path = folder / "rows.txt";
  std::istringstream printed(testing::run_python(
      "graph/head/sklearn_metrics.py", {std::to_string(seed), std::to_string(rows), std::to_string(classes), path}));
  MadeTable made{.labels = {}, .probabilities = ProbabilityTable(static_cast<size_t>(classes)), .wanted = {}};
  for (std::string line, name; std::getline(printed, line);) {
    std::istringstream words(line);
    words >> name;
    double value = 0;
    while (words >> value) made.wanted[name].push_back(value);
  }
  std::ifstream file(path);
  std::vector<double> row(static_cast<size_t>(classes));
  for (int label = 0; file >> label;) {
    for (double& value : row) file >> value;
    made.labels.push_back(label);
    made.probabilities.add(row);
  }
  return made;
}

void expect_near(const std::vector<double>& got, const std::vector<double>& wanted, const std::string& what) {
  // Both are f64 sums of the same f32 values, in another order.
  constexpr double kRounding = 1e-12;
  ASSERT_EQ(got.size(), wanted.size()) << what;
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], kRounding) << what << " " << i;
}

std::vector<double> values(const Averages& a) { return {a.precision, a.recall, a.f1}; }

TEST(Metrics, AreThoseOfScikitLearn) {
  if (!testing::python_has({"sklearn", "scipy"})) GTEST_SKIP() << "needs python3-sklearn";
  for (const auto& [rows, classes] : {std::pair{200, 2}, {7, 3}, {300, 6}, {1000, 40}}) {
    SCOPED_TRACE(std::to_string(rows) + " rows of " + std::to_string(classes) + " classes");
    const MadeTable made = make_table(classes, rows, classes);
    ASSERT_EQ(made.probabilities.rows(), static_cast<size_t>(rows));
    const Metrics m = classification_metrics(made.labels, made.probabilities);
    const auto wanted = [&](const char* name) { return made.wanted.at(name); };

    expect_near({m.confusion.counts.begin(), m.confusion.counts.end()}, wanted("confusion"), "confusion");
    std::map<std::string, std::vector<double>> got;
    for (const ClassMetrics& c : m.classes) {
      got["precision"].push_back(c.precision);
      got["recall"].push_back(c.recall);
      got["f1"].push_back(c.f1);
      got["support"].push_back(static_cast<double>(c.support));
    }
    for (const auto& [name, of_classes] : got) expect_near(of_classes, wanted(name.c_str()), name);
    expect_near(values(m.macro), wanted("macro"), "macro");
    expect_near(values(m.weighted), wanted("weighted"), "weighted");
    EXPECT_EQ(m.pictures, rows);
    expect_near({m.accuracy}, wanted("accuracy"), "accuracy");
    expect_near({classes > 5 ? m.top5_accuracy : m.accuracy}, wanted("top"), "top k");
    // scikit-learn divides each row by its sum, which f32 leaves within 1e-6 of 1.
    EXPECT_NEAR(m.log_loss, wanted("log_loss")[0], 1e-6);
    expect_near({m.accuracy_interval.low, m.accuracy_interval.high}, wanted("interval"), "interval");

    for (const int bins : {10, 15}) {
      const auto curve = calibration_curve(made.labels, made.probabilities, bins);
      std::vector<double> accuracy, confidence;
      for (const CalibrationBin& bin : curve) {
        if (bin.count == 0) continue;  // scikit-learn leaves those out
        accuracy.push_back(bin.accuracy);
        confidence.push_back(bin.confidence);
        EXPECT_GT(bin.confidence, bin.low);
        EXPECT_LE(bin.confidence, bin.high);
      }
      const std::string n = std::to_string(bins);
      expect_near(accuracy, made.wanted.at("accuracy" + n), "accuracy" + n);
      expect_near(confidence, made.wanted.at("confidence" + n), "confidence" + n);
      expect_near({expected_calibration_error(curve)}, made.wanted.at("ece" + n), "ece" + n);
    }
    EXPECT_EQ(m.ece, expected_calibration_error(calibration_curve(made.labels, made.probabilities, 15)));
  }
}

TEST(Metrics, OfNoPictureAreZeroAndFinite) {
  const Metrics m = classification_metrics({}, ProbabilityTable(3));
  EXPECT_EQ(m.pictures, 0);
  EXPECT_EQ(m.accuracy, 0);
  EXPECT_EQ(m.log_loss, 0);
  EXPECT_EQ(m.ece, 0);
  EXPECT_EQ(m.macro.f1, 0);
  EXPECT_EQ(m.weighted.f1, 0);
  EXPECT_EQ(m.accuracy_interval.low, 0);
  EXPECT_EQ(m.accuracy_interval.high, 1);
  ASSERT_EQ(m.classes.size(), 3U);
}

TEST(Metrics, ClassesThatAreNeitherThereNorSaidCountForNothing) {
  ProbabilityTable p(4);
  p.add(std::vector<double>{0.7, 0.1, 0.1, 0.1});
  p.add(std::vector<double>{0.1, 0.7, 0.1, 0.1});
  const Metrics m = classification_metrics(std::vector<int>{0, 1}, p);
  EXPECT_EQ(m.macro.f1, 1);
  EXPECT_EQ(m.weighted.f1, 1);
}

TEST(Metrics, OneThatIsSureAndWrongDoesNotMakeTheLossInfinite) {
  ProbabilityTable p(2);
  p.add(std::vector<double>{1, 0});
  EXPECT_NEAR(log_loss(std::vector<int>{1}, p), 36.04, 0.01);  // -log(2.2e-16)
  EXPECT_NEAR(log_loss(std::vector<int>{0}, p), 0, 1e-15);
}

TEST(Metrics, EdgesOfBinsBelongToTheBinBelow) {
  ProbabilityTable p(2);
  p.add(std::vector<double>{0.5, 0.5});
  p.add(std::vector<double>{1, 0});
  const auto curve = calibration_curve(std::vector<int>{0, 0}, p, 10);
  EXPECT_EQ(curve[4].count, 1);
  EXPECT_EQ(curve[9].count, 1);
}

TEST(Metrics, ConfusedPairsAreInOrderOfTheirNumber) {
  const ConfusionMatrix confusion{3, {5, 1, 0, 2, 0, 1, 0, 0, 9}};
  const auto pairs = most_confused(confusion, 2);
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].truth, 1);
  EXPECT_EQ(pairs[0].said, 0);
  EXPECT_EQ(pairs[0].count, 2);
  EXPECT_EQ(pairs[1].truth, 0);
  EXPECT_EQ(pairs[1].said, 1);
}

TEST(Metrics, TiesGoToTheEarlierClass) {
  ProbabilityTable p(3);
  p.add(std::vector<double>{0.25, 0.375, 0.375});
  EXPECT_EQ(most_probable(p.row(0)), 1);
  EXPECT_EQ(top_k_accuracy(std::vector<int>{2}, p, 1), 0);
  EXPECT_EQ(top_k_accuracy(std::vector<int>{2}, p, 2), 1);
}

}  // namespace
}  // namespace resflow
