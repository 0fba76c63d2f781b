// What a training run says: all of its lines stand here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/train/lr_find.h"
#include "apps/train/run.h"
#include "graph/head/svm.h"
#include "graph/plan/plan.h"

namespace resflow {

using Lines = std::vector<std::string>;

void say(Listener& listener, const Lines& lines);

// The set-up, of a mode each.
struct NetworkMemory {
  PlanMemory plan;
  size_t optimizer = 0, validation = 0;  // bytes
};
Lines network_lines(const Run& run, int64_t batches, const NetworkMemory& memory);  // `batches` of an epoch
Lines features_lines(const Run& run);
Lines svm_lines(const Run& run);

// "epoch  3/10  train loss 0.4178 accuracy 0.8333  validation loss ... (best)  12.3 s"
std::string epoch_line(const Run& run, const EpochRecord& record, bool is_best, int second_digits);
std::string svm_line(const Run& run, const EpochRecord& record);
Lines svm_tried_lines(const SvmResult& result);  // what cross validation found of each C

// How a run ended.
std::string epochs_done_line(const Run& run);
std::string early_stop_line(const Run& run);
std::string stopped_in_epoch_line(const Run& run, int64_t batches);
std::string stopped_after_epoch_line(const Run& run);
Lines broken_lines(const Run& run);
// How many pictures were taken though they end early; none where there was none.
Lines truncated_lines(const Run& run);
std::string lone_pictures_line(const Run& run, int64_t batches);

std::string low_disk_sentence(const Run& run, int64_t free_bytes, int64_t wanted_bytes);
Lines lr_advice_lines(const Run& run, const std::vector<LrFindPoint>& points);

}  // namespace resflow
