#include "apps/score_predict.h"

namespace resflow {

PredictSummary predict_pictures(const TrainedModel& trained, PictureSource& source, const PredictOptions& options,
                                const std::function<void(const ScoredPicture&)>& take) {
  return predict_stream(trained, source, options, [&](const Prediction& p) {
    take({.name = p.name, .error = p.error, .probabilities = p.probabilities, .features = p.features});
  });
}

}  // namespace resflow
