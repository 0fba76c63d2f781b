#include "apps/report/tensorboard_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "tests/support/python.h"

namespace resflow {
namespace {

TEST(TensorBoardLog, ShowsEpochsAndPicturesAndGoesOnWhereARunIsResumed) {
  using testing::Python;
  if (!testing::python_has({"tensorboard"}, Python::kEnv)) GTEST_SKIP() << testing::kNoPythonEnv;
  const testing::TemporaryFolder folder;
  EpochRecord record = {.epoch = 1,
                        .train_loss = 0.5,
                        .train_accuracy = 0.75,
                        .val_loss = 0.25,
                        .val_accuracy = 1,
                        .learning_rate = 0.125,
                        .seconds = 2};
  {
    TensorBoardLog log(folder / "log", 0);
    log.epoch(record, 64);
    record.epoch = 2;
    log.epoch(record, 99);
    Image image;
    image.resize(20, 10);
    std::fill_n(image.row(0), image.row_bytes() * 10, uint8_t{128});
    log.picture("preview", image, 1);
  }
  TensorBoardLog resumed(folder / "log", 1);
  record.val_loss = record.val_accuracy = std::numeric_limits<double>::quiet_NaN();
  resumed.epoch(record, 32);
  EXPECT_EQ(testing::run_python("io/formats/read_events.py", {folder / "log"}, Python::kEnv),
            "scalar accuracy/train 1 0.75\nscalar accuracy/train 2 0.75\n"
            "scalar accuracy/validation 1 1.0\n"
            "scalar images_per_second 1 64.0\nscalar images_per_second 2 32.0\n"
            "scalar learning_rate 1 0.125\nscalar learning_rate 2 0.125\n"
            "scalar loss/train 1 0.5\nscalar loss/train 2 0.5\n"
            "scalar loss/validation 1 0.25\n"
            "scalar seconds 1 2.0\nscalar seconds 2 2.0\n"
            "image preview 1 20x10 20x10 (128, 128, 128)\n");
}

}  // namespace
}  // namespace resflow
