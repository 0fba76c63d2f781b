#include "io/core/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace resflow {
namespace {

using ::testing::ElementsAre;

class Recorder : public Listener {
 public:
  void progress(const ProgressState& state) override {
    heard.push_back(state.label + " " + std::to_string(state.done) + "/" + std::to_string(state.total) + state.details);
  }
  void progress_ended() override { heard.push_back("ended"); }

  std::vector<std::string> heard;
};

TEST(Listener, HearsOfAJobFromItsBeginToItsEnd) {
  Recorder recorder;
  {
    Progress progress(recorder, {.label = "epoch 2/10", .total = 9, .first = 3});
    progress.update(5, " loss 1.5");
    progress.update(9);
  }
  EXPECT_THAT(recorder.heard, ElementsAre("epoch 2/10 3/9", "epoch 2/10 5/9 loss 1.5", "epoch 2/10 9/9", "ended"));
}

TEST(Listener, HearsOfTheEndWhereAJobFails) {
  Recorder recorder;
  try {
    const Progress progress(recorder, {.label = "packing"});
    throw 1;
  } catch (int) {
  }
  EXPECT_THAT(recorder.heard, ElementsAre("packing 0/0", "ended"));
}

TEST(Listener, TheSilentOneNeverAsksToStop) {
  Listener& listener = silent();
  listener.say("a line");
  listener.note("a note");
  listener.warn("a warning");
  EXPECT_FALSE(listener.stop());
  EXPECT_EQ(&listener, &silent());
}

}  // namespace
}  // namespace resflow
