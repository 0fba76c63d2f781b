#include "io/checkpoint/training_state.h"

#include <cmath>
#include <utility>

#include "io/core/error.h"

namespace resflow {
namespace {

// So far each whole number has a double of its own, which plots and reports count on.
constexpr int64_t kMost = int64_t{1} << 53;

void check_count(const char* what, int64_t value) {
  if (value < 0 || value > kMost) throw data_error("its run: {} {}, wanted 0 to {}", what, value, kMost);
}

// NaN stands for what was not measured.
void check_record(const EpochRecord& record, int64_t before) {
  const auto refuse = [&](const char* what, auto value) {
    throw data_error("its history: {} {} in epoch {}", what, value, record.epoch);
  };
  if (record.epoch <= before || record.epoch > kMost)
    throw data_error("its history: epoch {} after epoch {}", record.epoch, before);
  for (const auto& [what, value] :
       {std::pair{"training accuracy", record.train_accuracy}, std::pair{"validation accuracy", record.val_accuracy}})
    if (value < 0 || value > 1) refuse(what, value);
  if (record.learning_rate < 0 || std::isinf(record.learning_rate)) refuse("learning rate", record.learning_rate);
  if (record.seconds < 0 || std::isinf(record.seconds)) refuse("seconds", record.seconds);
}

}  // namespace

void check_training_state(const TrainingState& state) {
  for (const auto& [what, value] :
       {std::pair{"epoch", state.epoch}, std::pair{"next batch", state.next_batch}, std::pair{"step", state.step},
        std::pair{"pictures of the epoch", state.epoch_samples},
        std::pair{"right ones of the epoch", state.epoch_correct}, std::pair{"broken pictures", state.broken_count}})
    check_count(what, value);
  if (state.epoch_correct > state.epoch_samples)
    throw data_error("its run: {} of {} pictures of the epoch are right", state.epoch_correct, state.epoch_samples);
  if (!std::isfinite(state.epoch_loss_sum))
    throw data_error("its run: the sum of the epoch's losses is {}", state.epoch_loss_sum);
  if (!(state.epoch_seconds >= 0) || std::isinf(state.epoch_seconds))
    throw data_error("its run: seconds of the epoch {}", state.epoch_seconds);
  if (!(state.best_val_accuracy >= -1 && state.best_val_accuracy <= 1))
    throw data_error("its run: best validation accuracy {}", state.best_val_accuracy);
  int64_t before = 0;
  for (const EpochRecord& record : state.history) {
    check_record(record, before);
    before = record.epoch;
  }
}

}  // namespace resflow
