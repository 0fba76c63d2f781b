#include "apps/score_predict.h"

#include <string>
#include <utility>
#include <vector>

namespace resflow {

PredictSummary predict_pictures(const TrainedModel& trained, PictureSource& source, const PredictOptions& options,
                                const std::function<void(const ScoredPicture&)>& take) {
  std::vector<Sample> samples;
  std::vector<std::string> names;
  for (Picture picture; source.next(picture);) {
    samples.push_back({.path = picture.path, .label = -1});
    names.push_back(std::move(picture.name));
  }
  return predict_samples(trained, samples, options, [&](const Prediction& p) {
    take({.name = names[static_cast<size_t>(p.sample)],
          .error = p.error,
          .probabilities = p.probabilities,
          .features = p.features});
  });
}

}  // namespace resflow
