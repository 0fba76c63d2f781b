#include "apps/report/data.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <utility>

#include "apps/report/thumbnail.h"

namespace resflow {
namespace {

// Cards of those of `places`, numbers of answers, that come first.
template <class Before>
std::vector<PictureCard> first_cards(const Evaluation& e, const std::vector<size_t>& places, Before before) {
  std::vector<size_t> first(std::min(places.size(), kReportCards));
  std::partial_sort_copy(places.begin(), places.end(), first.begin(), first.end(), [&](size_t a, size_t b) {
    const float p = e.answers[a].said_probability, q = e.answers[b].said_probability;
    return p == q ? a < b : before(p, q);
  });
  std::vector<PictureCard> all;
  Thumbnails thumbnails({.truncated = true});  // whatever has an answer
  for (const size_t i : first) {
    const Answer& answer = e.answers[i];
    Thumbnail thumbnail = thumbnails.make(e.sample(i), kThumbnailSide);
    all.push_back({.path = e.sample(i).path,
                   .truth = e.classes[static_cast<size_t>(answer.label)],
                   .said = e.classes[static_cast<size_t>(answer.said)],
                   .truth_probability = answer.label_probability,
                   .said_probability = answer.said_probability,
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
  reported.metrics = e.metrics();
  reported.mistakes = reported.metrics.pictures - reported.metrics.right;
  reported.broken = e.broken;
  reported.seconds = e.seconds;

  std::vector<size_t> all(e.answers.size()), wrong;
  std::iota(all.begin(), all.end(), size_t{0});
  std::copy_if(all.begin(), all.end(), std::back_inserter(wrong),
               [&](size_t i) { return e.answers[i].said != e.answers[i].label; });
  reported.mistaken = first_cards(e, wrong, std::greater<>());
  reported.uncertain = first_cards(e, all, std::less<>());
  return reported;
}

}  // namespace resflow
