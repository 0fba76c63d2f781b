// What stands in report.html: an evaluation with its most telling pictures, a history, times, a configuration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/evaluate/evaluation.h"
#include "apps/pages/html.h"
#include "graph/head/metrics.h"
#include "io/checkpoint/training_state.h"
#include "io/core/stage_times.h"
#include "io/pictures/broken_picture.h"

namespace resflow {

// One photograph and what the model said.
struct PictureCard {
  std::string path = {};
  std::string truth = {}, said = {};
  double truth_probability = 0, said_probability = 0;
  std::string image = {};  // a data: URI; empty where the file cannot be read any more
  int width = 0, height = 0;
};

// The part of a report that speaks of answers to labelled pictures.
struct ReportedEvaluation {
  std::string data = {};   // where the pictures are: "photos/val"
  std::string views = {};  // "averaged with the mirror image"; empty where each was looked at once
  std::vector<std::string> classes = {};
  Metrics metrics = {};
  int64_t mistakes = 0;                     // how many there are in all
  std::vector<PictureCard> mistaken = {};   // those of which the model was most confident, the most confident first
  std::vector<PictureCard> uncertain = {};  // those whose highest probability is lowest, the lowest first
  std::vector<BrokenPicture> broken = {};
  double seconds = 0;
};

struct HtmlReport {
  std::string title = {};                             // "resnet34 on photos/val"
  std::vector<EpochRecord> history = {};              // empty where there are no curves to draw
  int64_t best_epoch = 0;                             // whose model was evaluated; 0 where that is not known
  std::optional<ReportedEvaluation> evaluation = {};  // empty where there are no validation pictures
  StageTimes times = {};
  NameValues configuration = {}, versions = {};
};

inline constexpr size_t kReportCards = 24;  // of each kind
inline constexpr int kThumbnailSide = 208;

// Measures the evaluation and finds the mistakes of which the model was most confident, and the pictures of which it
// was least certain. For their thumbnails it reads up to 2 * kReportCards of the files again.
ReportedEvaluation reported_evaluation(const Evaluation& evaluation, const std::string& data, Views views);

}  // namespace resflow
