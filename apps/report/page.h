// report.html: what a run or an evaluation came to, in one file that opens without a network and runs no script.
//
// Light and dark follow the reader's preference; it reads on a phone. All text is escaped, whatever names files have.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/evaluate/evaluation.h"
#include "apps/pages/html.h"
#include "graph/head/metrics.h"
#include "io/checkpoint/training_state.h"
#include "io/core/stage_times.h"

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
  std::string views = {};  // how they were looked at, where not plainly: "averaged with the mirror image"
  std::vector<std::string> classes = {};
  Metrics metrics = {};
  int64_t mistakes = 0;                     // all of them
  std::vector<PictureCard> mistaken = {};   // the most confident ones, most confident first
  std::vector<PictureCard> uncertain = {};  // the lowest highest probabilities, lowest first
  std::vector<BrokenPicture> broken = {};
  double seconds = 0;
};

struct HtmlReport {
  std::string title = {};                             // "resnet34 on photos/val"
  std::vector<EpochRecord> history = {};              // empty: no curves
  int64_t best_epoch = 0;                             // whose model was evaluated; 0: not known
  std::optional<ReportedEvaluation> evaluation = {};  // empty: there are no validation pictures
  StageTimes times = {};
  NameValues configuration = {}, versions = {};
};

inline constexpr size_t kReportCards = 24;  // of each kind
inline constexpr int kThumbnailSide = 208;

// Measures, and makes the thumbnails (reads up to 2 * kReportCards of the files again).
ReportedEvaluation reported_evaluation(const Evaluation& evaluation, const std::string& data, Views views);

// Works for any number of classes and pictures, none included.
std::string html_report(const HtmlReport& report);

// Whole or not at all. Throws as AtomicFile does (io/files/file.h).
void write_html_report(const HtmlReport& report, const std::string& path);

}  // namespace resflow
