#include "apps/report/tensorboard_log.h"

#include <cmath>
#include <utility>
#include <vector>

#include "io/images/jpeg_encode.h"

namespace resflow {

TensorBoardLog::TensorBoardLog(const std::string& folder, int64_t finished_epochs)
    : file_(folder, finished_epochs > 0 ? finished_epochs + 1 : 0) {}

void TensorBoardLog::epoch(const EpochRecord& record, double images_per_second) {
  std::vector<std::pair<std::string, double>> values = {{"loss/train", record.train_loss},
                                                        {"accuracy/train", record.train_accuracy}};
  if (std::isfinite(record.val_accuracy)) {
    values.emplace_back("loss/validation", record.val_loss);
    values.emplace_back("accuracy/validation", record.val_accuracy);
  }
  if (std::isfinite(record.learning_rate)) values.emplace_back("learning_rate", record.learning_rate);
  values.emplace_back("images_per_second", images_per_second);
  values.emplace_back("seconds", record.seconds);
  file_.scalars(record.epoch, values);
}

void TensorBoardLog::picture(const std::string& tag, const Image& image, int64_t step) {
  constexpr int kQuality = 95;  // what is looked at closely shows no blocks
  file_.image(step, tag, image.width(), image.height(), encode_jpeg(image, kQuality));
}

}  // namespace resflow
