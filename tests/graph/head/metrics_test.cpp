#include "graph/head/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "tests/io/live_bytes.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using ::testing::ElementsAre;

using Row = std::vector<double>;

struct MadeTable {
  std::vector<Answer> answers;
  std::map<std::string, std::vector<double>> wanted;  // scikit-learn's
};

MadeTable make_table(int seed, int rows, int classes) {
  const testing::TemporaryFolder folder;
  const std::string path = folder / "rows.txt";
  std::istringstream printed(testing::run_python(
      "graph/head/sklearn_metrics.py", {std::to_string(seed), std::to_string(rows), std::to_string(classes), path}));
  MadeTable made;
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
    made.answers.push_back(answer_of(row, label));
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
    ASSERT_EQ(made.answers.size(), static_cast<size_t>(rows));
    const Metrics m = classification_metrics(made.answers, static_cast<size_t>(classes));
    const auto wanted = [&](const char* name) { return made.wanted.at(name); };

    std::vector<double> confusion;
    for (size_t truth = 0; truth < m.confusion.classes; ++truth)
      for (size_t said = 0; said < m.confusion.classes; ++said)
        confusion.push_back(static_cast<double>(m.confusion.at(truth, said)));
    expect_near(confusion, wanted("confusion"), "confusion");
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
      const auto curve = calibration_curve(made.answers, bins);
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
    EXPECT_EQ(m.ece, expected_calibration_error(calibration_curve(made.answers, 15)));
  }
}

TEST(Metrics, OfNoPictureAreZeroAndFinite) {
  const Metrics m = classification_metrics({}, 3);
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
  const Metrics m = classification_metrics(
      std::vector{answer_of(Row{0.7, 0.1, 0.1, 0.1}, 0), answer_of(Row{0.1, 0.7, 0.1, 0.1}, 1)}, 4);
  EXPECT_EQ(m.macro.f1, 1);
  EXPECT_EQ(m.weighted.f1, 1);
}

TEST(Metrics, OneThatIsSureAndWrongDoesNotMakeTheLossInfinite) {
  EXPECT_NEAR(log_loss(std::vector{answer_of(Row{1, 0}, 1)}), 36.04, 0.01);  // -log(2.2e-16)
  EXPECT_NEAR(log_loss(std::vector{answer_of(Row{1, 0}, 0)}), 0, 1e-15);
}

TEST(Metrics, EdgesOfBinsBelongToTheBinBelow) {
  const auto curve = calibration_curve(std::vector{answer_of(Row{0.5, 0.5}, 0), answer_of(Row{1, 0}, 0)}, 10);
  EXPECT_EQ(curve[4].count, 1);
  EXPECT_EQ(curve[9].count, 1);
}

TEST(Metrics, ConfusedPairsAreInOrderOfTheirNumber) {
  const ConfusionMatrix confusion{3, {{0, 0, 5}, {0, 1, 1}, {1, 0, 2}, {1, 2, 1}, {2, 2, 9}}};
  EXPECT_EQ(confusion.at(1, 0), 2);
  EXPECT_EQ(confusion.at(2, 0), 0);
  const auto pairs = most_confused(confusion, 2);
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].truth, 1);
  EXPECT_EQ(pairs[0].said, 0);
  EXPECT_EQ(pairs[0].count, 2);
  EXPECT_EQ(pairs[1].truth, 0);
  EXPECT_EQ(pairs[1].said, 1);
}

TEST(Metrics, TiesGoToTheEarlierClass) {
  const Answer answer = answer_of(Row{0.25, 0.375, 0.375}, 2);
  EXPECT_EQ(answer.said, 1);
  EXPECT_EQ(top_k_accuracy(std::vector{answer}, 1), 0);
  EXPECT_EQ(top_k_accuracy(std::vector{answer}, 2), 1);
}

// What is kept of a picture does not depend on the classes, and what is made of all answers only adds to both.
TEST(Metrics, OfTwentyThousandClassesTakeLittleMemory) {
  static_assert(sizeof(Answer) == 20, "ten million pictures are 200 MB");
  constexpr size_t kClasses = 21'841;
  std::vector<Answer> answers;
  for (int32_t i = 0; i < 1000; ++i) answers.push_back({.label = i, .said = i % 3 == 0 ? 21'840 - i : i});
  testing::LiveBytes live;
  const Metrics m = classification_metrics(answers, kClasses);
  live.look();
  EXPECT_LT(live.peak(), size_t{2} << 20);  // a matrix would be 3.8 GB
  EXPECT_EQ(m.confusion.pairs.size(), 1000U);
  EXPECT_EQ(m.confusion.at(3, 21'837), 1);
  EXPECT_EQ(m.right, 666);
  EXPECT_EQ(m.classes.size(), kClasses);
}

}  // namespace
}  // namespace resflow
