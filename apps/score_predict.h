// Pictures of any source through a model.
#pragma once

#include <functional>

#include "apps/predictions.h"
#include "apps/score_rows.h"
#include "apps/trained_model.h"
#include "io/picture_source.h"

namespace resflow {

// Calls `take` once a picture, in the source's order, from one thread at a time. An exception of `take` ends the work
// and leaves. Throws as the source does.
PredictSummary predict_pictures(const TrainedModel& trained, PictureSource& source, const PredictOptions& options,
                                const std::function<void(const ScoredPicture&)>& take);

}  // namespace resflow
