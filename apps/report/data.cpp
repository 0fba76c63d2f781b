#include "apps/report/data.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "apps/report/thumbnail.h"

namespace resflow {
namespace {

// Cards of the first rows of `order`.
std::vector<PictureCard> cards(const Evaluation& e, const std::vector<size_t>& order) {
  std::vector<PictureCard> all;
  Thumbnails thumbnails({.truncated = true});  // whatever has an answer
  for (size_t n = 0; n < std::min(order.size(), kReportCards); ++n) {
    const size_t i = order[n];
    const std::span<const float> row = e.probabilities.row(i);
    const auto truth = static_cast<size_t>(e.samples[i].label), said = static_cast<size_t>(most_probable(row));
    Thumbnail thumbnail = thumbnails.make(e.samples[i], kThumbnailSide);
    all.push_back({.path = e.samples[i].path,
                   .truth = e.classes[truth],
                   .said = e.classes[said],
                   .truth_probability = row[truth],
                   .said_probability = row[said],
                   .image = std::move(thumbnail.uri),
                   .width = thumbnail.width,
                   .height = thumbnail.height});
  }
  return all;
}

const char* describe(Views views) {
  switch (views) {
    case Views::kFlip:
      return "averaged with the mirror image";
    case Views::kTenCrop:
      return "averaged over five crops and their mirror images";
    case Views::kOne:
      break;
  }
  return "";
}

}  // namespace

ReportedEvaluation reported_evaluation(const Evaluation& e, const std::string& data, Views views) {
  ReportedEvaluation reported;
  reported.data = data;
  reported.views = describe(views);
  reported.classes = e.classes;
  reported.metrics = classification_metrics(e.labels(), e.probabilities);
  reported.mistakes = reported.metrics.pictures - reported.metrics.right;
  reported.broken = e.broken;
  reported.seconds = e.seconds;

  std::vector<float> confidence(e.samples.size());
  std::vector<size_t> all(e.samples.size()), wrong;
  std::iota(all.begin(), all.end(), size_t{0});
  for (const size_t i : all) {
    const std::span<const float> row = e.probabilities.row(i);
    const int said = most_probable(row);
    confidence[i] = row[static_cast<size_t>(said)];
    if (said != e.samples[i].label) wrong.push_back(i);
  }
  std::stable_sort(wrong.begin(), wrong.end(), [&](size_t a, size_t b) { return confidence[a] > confidence[b]; });
  std::stable_sort(all.begin(), all.end(), [&](size_t a, size_t b) { return confidence[a] < confidence[b]; });
  reported.mistaken = cards(e, wrong);
  reported.uncertain = cards(e, all);
  return reported;
}

}  // namespace resflow
