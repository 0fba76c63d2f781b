#include "apps/options/precision_options.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "tests/io/expect_error.h"

namespace resflow::testing {
namespace {

TEST(PrecisionOptions, AreParsed) {
  PrecisionOptions options;
  CLI::App app;
  add_precision_options(app, options);
  app.parse("--precision bf16 --force-precision");
  EXPECT_EQ(options.name, "bf16");
  EXPECT_TRUE(options.force);
}

TEST(PrecisionOptions, AFileThatIsNotQuantizedIsRefusedWithTheCommandThatQuantizes) {
  const Compute compute(1);
  TrainedModel trained;
  trained.model = std::make_unique<Model>(ModelDescription{.architecture = "resnet18", .num_classes = 2}, compute);
  EXPECT_NO_THROW(require_quantized_file(trained, Precision::kF32, "m.pth"));
  expect_error(ErrorKind::kUsage,
               {"m.pth is not quantized; resflow quantize m.pth PHOTOS --out FILE makes one that is"},
               [&] { require_quantized_file(trained, Precision::kInt8, "m.pth"); });
}

}  // namespace
}  // namespace resflow::testing
