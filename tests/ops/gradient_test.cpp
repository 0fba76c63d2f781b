// The gradients of every small case against central differences of the f64 forward: an op and its reference
// gradient cannot be wrong in the same way.
#include <gtest/gtest.h>

#include "tests/ops/op_run.h"

namespace resflow::testing {
namespace {

std::vector<OpCase> differentiable() {
  std::vector<OpCase> cases;
  for (const OpCase& c : op_cases())
    if (c.training && !c.bench) cases.push_back(c);
  return cases;
}

class GradientTest : public ::testing::TestWithParam<OpCase> {};

// sum(dst diff_dst), whose gradient backward computes.
double objective(const OpRun& run, const Values& values) {
  const Doubles dst = reference_dst(run.c, values, every_point(dst_dims(run.c)));
  double sum = 0;
  for (size_t i = 0; i < dst.size(); ++i) sum += dst[i] * run.diff_dst_values[i];
  return sum;
}

// Moves `tensor` (a member of `values`) along a random direction and compares slopes.
void expect_slope(const OpRun& run, Values& values, Doubles& tensor, const Doubles& gradient, const char* what) {
  ASSERT_EQ(tensor.size(), gradient.size()) << what;
  std::mt19937 generator(11);
  std::normal_distribution<double> normal;
  Doubles direction(tensor.size());
  double slope = 0, length = 0;
  for (size_t i = 0; i < direction.size(); ++i) {
    direction[i] = normal(generator);
    slope += direction[i] * gradient[i];
    length += gradient[i] * gradient[i];
  }
  constexpr double kStep = 1e-6;
  const Doubles start = tensor;
  const auto at_step = [&](double step) {
    for (size_t i = 0; i < tensor.size(); ++i) tensor[i] = start[i] + step * direction[i];
    return objective(run, values);
  };
  const double difference = (at_step(kStep) - at_step(-kStep)) / (2 * kStep);
  tensor = start;
  // The slope along a random direction is of the size of the gradient; 1e-5 of it is the limit of backward, the
  // rest is left to the rounding of the differences.
  EXPECT_NEAR(difference, slope, 1e-4 * std::sqrt(length) + 1e-6) << what;
}

TEST_P(GradientTest, EqualsCentralDifferences) {
  OpRun run(GetParam(), 2);
  run.forward();
  run.backward();
  Values values = run.values;
  for (size_t i = 0; i < run.diff_src.size(); ++i)
    expect_slope(run, values, values.src[i], run.diff_src_values(i), "src");
  for (const Parameter* parameter : run.op->parameters())
    expect_slope(run, values, parameter == &run.p->bias ? values.bias : values.weight,
                 export_doubles(parameter->gradient, run.compute), parameter->name.c_str());
}

INSTANTIATE_TEST_SUITE_P(Table, GradientTest, ::testing::ValuesIn(differentiable()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace resflow::testing
