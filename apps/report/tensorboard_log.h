// What a run tells TensorBoard: the figures of its epochs, and pictures. `tensorboard --logdir RUN` shows them.
#pragma once

#include <string>

#include "io/checkpoint/training_state.h"
#include "io/formats/event_file.h"
#include "io/images/image.h"

namespace resflow {

class TensorBoardLog {
 public:
  // Event files in FOLDER, which is made. `finished_epochs` > 0 where a run is resumed: what earlier files say of later
  // epochs goes. Throws as EventFile does.
  TensorBoardLog(const std::string& folder, int64_t finished_epochs);

  // Charts loss/train, loss/validation, accuracy/train, accuracy/validation, learning_rate, images_per_second and
  // seconds, at step `record.epoch`; none of validation or of a learning rate where there is none. Throws
  // Error{kSystem}.
  void epoch(const EpochRecord& record, double images_per_second);

  // A picture at `step`: what a batch looks like. Throws Error{kSystem}.
  void picture(const std::string& tag, const Image& image, int64_t step);

 private:
  EventFile file_;
};

}  // namespace resflow
