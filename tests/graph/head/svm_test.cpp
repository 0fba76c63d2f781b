#include "graph/head/svm.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "pipeline/stratified_folds.h"
#include "tests/io/expect_error.h"
#include "tests/support/process.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

constexpr const char* kTrain = "/usr/bin/liblinear-train";
constexpr const char* kPredict = "/usr/bin/liblinear-predict";

// Clouds that overlap, in columns of very different sizes, as pooled activations have them; one column says nothing.
struct Clouds {
  Clouds(int64_t rows, int64_t columns_, int64_t classes_, unsigned seed) : columns(columns_), classes(classes_) {
    std::mt19937 random(seed);
    const auto noise = [&] {
      double sum = 0;
      for (int i = 0; i < 12; ++i) sum += static_cast<double>(random()) / 4294967296.0;
      return sum - 6;
    };
    std::vector<double> centres(static_cast<size_t>(classes * columns));
    for (double& c : centres) c = 0.35 * noise();
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t label = row % classes;
      labels.push_back(static_cast<int32_t>(label));
      for (int64_t j = 0; j < columns; ++j) {
        const double size = std::pow(10, static_cast<double>(j % 5) - 2);
        const double x = 3 + centres[static_cast<size_t>(label * columns + j)] + noise();
        values.push_back(j == 7 ? 0.0F : static_cast<float>(size * x));
      }
    }
    for (int64_t row = 0; row < rows; ++row) pointers.push_back(values.data() + row * columns);
  }

  SvmData data() const { return {.rows = pointers, .labels = labels, .columns = columns, .classes = classes}; }

  int64_t columns, classes;
  std::vector<float> values;
  std::vector<int32_t> labels;
  std::vector<const float*> pointers;
};

const auto go_on = [](int64_t /*done*/, int64_t /*all*/) { return true; };

int best_of(const std::vector<double>& values) {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

void write_rows(const std::string& path, const SvmData& data) {
  const Standardization standard = standardization(data);
  std::ofstream file(path);
  for (size_t row = 0; row < data.rows.size(); ++row) {
    file << data.labels[row];
    for (size_t j = 0; j < static_cast<size_t>(data.columns); ++j)
      file << fmt::format(" {}:{:.17g}", j + 1,
                          (static_cast<double>(data.rows[row][j]) - standard.mean[j]) * standard.scale[j]);
    file << '\n';
  }
}

TEST(Standardization, MakesRowsOfUnitLength) {
  const Clouds clouds(200, 30, 4, 1);
  const SvmData data = clouds.data();
  const Standardization standard = standardization(data);
  double all = 0;
  for (size_t j = 0; j < 30; ++j) {
    double sum = 0, squares = 0;
    for (const float* row : data.rows) {
      const double x = (static_cast<double>(row[j]) - standard.mean[j]) * standard.scale[j];
      sum += x;
      squares += x * x;
    }
    EXPECT_NEAR(sum, 0, 1e-9);
    if (j == 7)
      EXPECT_EQ(standard.scale[j], 0) << "the column that never changes";
    else
      EXPECT_NEAR(squares / 200, 1.0 / 30, 1e-12);
    all += squares;
  }
  EXPECT_NEAR(all / 200, 29.0 / 30, 1e-12) << "mean squared length";
}

// What liblinear's own program makes of the same rows.
TEST(Svm, IsThatOfLiblinearsProgram) {
  if (!std::filesystem::exists(kTrain) || !std::filesystem::exists(kPredict)) GTEST_SKIP() << "needs liblinear-tools";
  for (const int64_t classes : {2, 4}) {
    for (const double c : {0.125, 3.0}) {  // the program keeps C as an f32
      const Clouds clouds(240, 40, classes, 2);
      const SvmData data = clouds.data();
      const testing::TemporaryFolder folder;
      write_rows(folder / "rows", data);
      std::vector<std::string> command = {kTrain, "-s", "1", "-B", "1", "-c", fmt::format("{}", c), "-q"};
      SvmOptions options = {.c = c, .folds = stratified_folds(data.labels, 5, 0)};
      if (classes == 4) {
        options.class_weights = {1, 2, 0.5, 1};
        for (const char* weight : {"-w1", "2", "-w2", "0.5"}) command.emplace_back(weight);
      }
      command.insert(command.end(), {folder / "rows", folder / "model"});
      const testing::ProcessResult trained = testing::run_process(command);
      ASSERT_EQ(trained.exit_code, 0) << trained.out << trained.err;
      const testing::ProcessResult predicted =
          testing::run_process({kPredict, folder / "rows", folder / "model", folder / "labels"});
      ASSERT_EQ(predicted.exit_code, 0) << predicted.err;

      const std::optional<SvmResult> result = train_svm(data, options, go_on);
      ASSERT_TRUE(result);
      EXPECT_EQ(result->c, c);
      std::ifstream labels(folder / "labels");
      int64_t right = 0;
      for (size_t row = 0; row < data.rows.size(); ++row) {
        int theirs = -1;
        ASSERT_TRUE(labels >> theirs);
        const int ours = best_of(result->svm.decide(data.rows[row]));
        EXPECT_EQ(ours, theirs) << "row " << row;
        right += ours == data.labels[row] ? 1 : 0;
      }
      EXPECT_NE(predicted.out.find(fmt::format("({}/{})", right, data.rows.size())), std::string::npos)
          << predicted.out << ", ours " << right;

      // The file: "solver_type ...", ..., "label 0 1 2", ..., "w", then a line a column with a weight a class.
      std::ifstream model(folder / "model");
      std::vector<size_t> order;
      for (std::string line; std::getline(model, line) && line != "w";) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (word == "label")
          for (size_t k = 0; words >> k;) order.push_back(k);
      }
      const size_t columns_of_w = classes == 2 ? 1 : static_cast<size_t>(classes);
      const Standardization standard = standardization(data);
      std::vector<double> bias(columns_of_w);
      std::vector<std::vector<double>> weights;
      for (int64_t j = 0; j <= data.columns; ++j) {
        std::vector<double> row(columns_of_w);
        for (double& w : row) ASSERT_TRUE(model >> w);
        weights.push_back(row);
      }
      for (size_t i = 0; i < columns_of_w; ++i) {
        double folded = weights.back()[i];
        for (size_t j = 0; j < static_cast<size_t>(data.columns); ++j) {
          const double w = weights[j][i] * standard.scale[j];
          folded -= w * standard.mean[j];
          // The program writes 17 digits: only the order of sums differs.
          EXPECT_NEAR(result->svm.weights[order[i] * static_cast<size_t>(data.columns) + j], w,
                      1e-9 * (1e-3 + std::abs(w)))
              << classes << " classes, C " << c;
        }
        EXPECT_NEAR(result->svm.biases[order[i]], folded, 1e-9);
      }
    }
  }
}

TEST(Svm, ChoosesCByHeldOutRows) {
  const Clouds clouds(300, 40, 3, 3);
  const SvmData data = clouds.data();
  const SvmOptions options = {.folds = stratified_folds(data.labels, 4, 1)};
  int64_t calls = 0;
  const std::optional<SvmResult> result = train_svm(data, options, [&](int64_t done, int64_t all) {
    ++calls;
    EXPECT_EQ(all, static_cast<int64_t>(svm_costs().size()) * 4 + 1);
    EXPECT_LE(done, all);
    return true;
  });
  ASSERT_TRUE(result);
  ASSERT_EQ(result->tried.size(), svm_costs().size());
  for (const auto& [c, accuracy] : result->tried) {
    // The same C alone sees the same folds.
    const std::optional<SvmResult> alone = train_svm(data, {.c = c, .folds = options.folds}, go_on);
    EXPECT_EQ(alone->tried[0].accuracy, accuracy);
    const auto chosen =
        std::find_if(result->tried.begin(), result->tried.end(), [&](const auto& t) { return t.c == result->c; });
    EXPECT_TRUE(chosen->accuracy > accuracy || (chosen->accuracy == accuracy && result->c <= c));
    if (c != result->c) continue;
    EXPECT_EQ(alone->svm.weights, result->svm.weights);
    EXPECT_EQ(alone->head, result->head);
  }
  EXPECT_GT(calls, 30);
  for (const double a : result->head.platt_a) EXPECT_LT(a, 0) << "a larger decision value is more probable";
}

TEST(Svm, TheSameDataGiveTheSameBits) {
  const Clouds clouds(120, 20, 3, 4);
  const SvmOptions options = {.folds = stratified_folds(clouds.labels, 3, 1)};
  const auto a = train_svm(clouds.data(), options, go_on), b = train_svm(clouds.data(), options, go_on);
  EXPECT_EQ(a->svm.weights, b->svm.weights);
  EXPECT_EQ(a->svm.biases, b->svm.biases);
  EXPECT_EQ(a->head, b->head);
}

// Copies of the held-out rows among the training rows would make every row look easy.
TEST(Svm, AnAugmentedCopyIsNotLearntFromWhileItsPictureIsHeldOut) {
  Clouds clouds(60, 200, 2, 5);
  for (size_t i = 0; i < clouds.labels.size(); ++i) clouds.labels[i] = static_cast<int32_t>((i * 7 + i / 5) % 2);
  const std::vector<int> folds = stratified_folds(clouds.labels, 5, 0);
  SvmOptions options = {.c = 100, .folds = folds};
  for (size_t i = 0; i < folds.size(); ++i) {
    clouds.pointers.push_back(clouds.pointers[i]);
    clouds.labels.push_back(clouds.labels[i]);
    options.folds.push_back(-1 - folds[i]);
  }
  const auto honest = train_svm(clouds.data(), options, go_on);
  // The labels mean nothing.
  EXPECT_LT(honest->tried[0].accuracy, 0.75);
  for (size_t i = folds.size(); i < options.folds.size(); ++i)
    options.folds[i] = -1 - (folds[i - folds.size()] + 1) % 5;
  const auto leaking = train_svm(clouds.data(), options, go_on);
  EXPECT_GT(leaking->tried[0].accuracy, 0.95) << "a picture that has its copy among the others is known by heart";
}

TEST(Svm, StopsWhenAsked) {
  const Clouds clouds(60, 10, 2, 6);
  EXPECT_FALSE(train_svm(clouds.data(), {.folds = stratified_folds(clouds.labels, 3, 0)},
                         [](int64_t done, int64_t /*all*/) { return done < 4; }));
}

// A fit of many rows may take hours: it is asked in between, not only at its end.
TEST(Svm, LeavesAFitThatIsUnderWay) {
  const Clouds clouds(300, 40, 3, 6);
  const SvmOptions options = {.c = 1, .folds = stratified_folds(clouds.labels, 3, 0)};
  const auto whole = train_svm(clouds.data(), options, go_on);
  for (const int64_t fit : {0, 1, 3}) {  // the last one is the fit of all rows
    int asked = 0;
    EXPECT_FALSE(train_svm(clouds.data(), options, [&](int64_t done, int64_t /*all*/) {
      return done < fit || ++asked < 2;
    })) << fit;
    EXPECT_EQ(asked, 2);
  }
  EXPECT_EQ(train_svm(clouds.data(), options, go_on)->svm.weights, whole->svm.weights) << "nothing of it is left over";
}

// liblinear draws from std::rand(), which belongs to the whole process.
TEST(Svm, LeavesTheProcessRandomNumbersAlone) {
  const Clouds clouds(60, 8, 3, 1);
  SvmOptions options;
  options.c = 1;
  for (int row = 0; row < 60; ++row) options.folds.push_back(row / 3 % 2);
  std::srand(7);
  std::vector<int> wanted;
  for (int i = 0; i < 5; ++i) wanted.push_back(std::rand());
  std::srand(7);
  std::vector<int> drawn = {std::rand(), std::rand()};
  const auto first = train_svm(clouds.data(), options, go_on);
  for (int i = 0; i < 3; ++i) drawn.push_back(std::rand());
  EXPECT_EQ(drawn, wanted);
  // And they do not change what comes out.
  std::srand(8);
  EXPECT_EQ(train_svm(clouds.data(), options, go_on)->svm.weights, first->svm.weights);
}

}  // namespace
}  // namespace resflow
