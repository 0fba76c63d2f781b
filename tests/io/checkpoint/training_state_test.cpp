#include "io/checkpoint/training_state.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "tests/io/expect_error.h"

namespace resflow {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();
constexpr int64_t kHuge = int64_t{1} << 62;

TrainingState usual_state() {
  TrainingState state;
  state.epoch = 2;
  state.epoch_samples = 7;
  state.epoch_correct = 7;
  state.history = {{.epoch = 1, .val_loss = kNan, .val_accuracy = kNan, .learning_rate = kNan}, {.epoch = 3}};
  return state;
}

TEST(TrainingState, HoldsWhatARunCanComeTo) {
  check_training_state({});
  check_training_state(usual_state());
  const auto refused = [](const std::string& says, const std::function<void(TrainingState&)>& change) {
    TrainingState state = usual_state();
    change(state);
    testing::expect_error(ErrorKind::kData, {says}, [&] { check_training_state(state); });
  };
  for (const int64_t bad : {int64_t{-1}, kHuge, std::numeric_limits<int64_t>::min()}) {
    refused("epoch ", [&](TrainingState& s) { s.epoch = bad; });
    refused("next batch", [&](TrainingState& s) { s.next_batch = bad; });
    refused("step", [&](TrainingState& s) { s.step = bad; });
    refused("broken pictures", [&](TrainingState& s) { s.broken_count = bad; });
    refused("pictures of the epoch", [&](TrainingState& s) { s.epoch_samples = bad; });
    refused("its history: epoch", [&](TrainingState& s) { s.history[1].epoch = bad; });
  }
  refused("8 of 7 pictures", [](TrainingState& s) { s.epoch_correct = 8; });
  for (const double bad : {kNan, kInf}) {
    refused("sum of the epoch's losses", [&](TrainingState& s) { s.epoch_loss_sum = bad; });
    refused("seconds of the epoch", [&](TrainingState& s) { s.epoch_seconds = bad; });
    refused("best validation accuracy", [&](TrainingState& s) { s.best_val_accuracy = bad; });
  }
  refused("epoch 1 after epoch 1", [](TrainingState& s) { s.history[1].epoch = 1; });
  refused("epoch 0 after epoch 0", [](TrainingState& s) { s.history[0].epoch = 0; });
  refused("training accuracy 1.5 in epoch 3", [](TrainingState& s) { s.history[1].train_accuracy = 1.5; });
  refused("validation accuracy -1", [](TrainingState& s) { s.history[1].val_accuracy = -1; });
  refused("learning rate inf", [](TrainingState& s) { s.history[1].learning_rate = kInf; });
  refused("seconds -2", [](TrainingState& s) { s.history[1].seconds = -2; });
}

}  // namespace
}  // namespace resflow
