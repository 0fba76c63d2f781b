// Features of a data set's pictures, each computed once: from its cache as far as they are there, else by the model.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/plan/plan.h"
#include "io/core/listener.h"
#include "io/files/feature_cache.h"
#include "io/pictures/dataset.h"
#include "pipeline/loader.h"

namespace resflow {

// Pictures and what is done to them before they meet the network.
struct FeatureSource {
  std::string name;        // "train", "val", "train-copy-1": for people, and of the file in a run's folder
  const Dataset* dataset;  // outlives the source
  std::string root;        // of the data set
  Recipe recipe;
  uint64_t seed = 0, epoch = 0;  // of the recipe's draws
  bool exif = false;             // pictures are turned upright as their EXIF data say
  DecodeMode decode = DecodeMode::kExact;
  Acceptance accept = {};  // which pictures are not broken
};

// Where caches lie. A run's own folder has one a source by its name, which is replaced when it is stale; one that runs
// share has them by their keys, side by side.
struct FeatureFolder {
  std::string path;
  bool shared = false;
};

using TakeBroken = std::function<void(std::span<const BrokenPicture>)>;

class FeatureExtractor {
 public:
  // The model is used in evaluation, up to its head; its parameters must not change. Model and listener outlive the
  // extractor.
  FeatureExtractor(Model& model, const FeatureFolder& folder, int threads, OnError on_error, Listener& listener,
                   const ReadingOptions& reading = {});
  ~FeatureExtractor();

  // Says what it does. False where the listener asked to stop: what is done is kept. Throws Error: kData at the first
  // broken picture under OnError::kStop, else as FeatureCache and Loader do. At an Outage the features that were
  // computed before are in the cache, for a later run. `left_out` is told of pictures that cannot be read when they are
  // met; those that the cache names are not met.
  bool extract(const FeatureSource& source, const TakeBroken& left_out = {});

  // What extract() has found, if it was not stopped: rows of the whole data set, zeros where `broken` names one.
  Array take_values() { return std::move(values_); }
  const std::vector<BrokenRow>& broken() const { return broken_; }
  // Pictures that end early and were taken all the same; of rows that were not there before.
  int64_t truncated() const { return truncated_; }

 private:
  FeatureCache open_cache(const FeatureSource& source) const;
  std::string key(const FeatureSource& source) const;
  bool compute(const FeatureSource& source, FeatureCache& cache, const TakeBroken& left_out);

  Model& model_;
  FeatureFolder folder_;
  int threads_;
  OnError on_error_;
  Listener& listener_;
  ReadingOptions reading_;
  std::string backbone_;        // hash of the model up to its head
  std::unique_ptr<Plan> plan_;  // made when a row is to be computed, for the size that plan_size_ says
  int plan_size_ = 0;
  Array values_;
  std::vector<BrokenRow> broken_;
  int64_t truncated_ = 0;
};

}  // namespace resflow
