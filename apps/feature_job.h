// What the two modes that train on features begin with: data, run folder, model, and the features themselves.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/feature_extraction.h"
#include "apps/initial_weights.h"
#include "apps/run_folder.h"
#include "apps/threads.h"
#include "apps/train_options.h"
#include "apps/training_data.h"
#include "apps/training_outcome.h"
#include "io/checkpoint.h"

namespace resflow {

// Whole rows of features with their labels; pictures that cannot be read are not among them.
struct FeatureRows {
  int64_t columns = 0;
  std::vector<const float*> rows;
  std::vector<int32_t> labels;
  std::vector<int64_t> pictures;  // index into the data set: a picture's augmented copies have the same
  int64_t originals = 0;          // the first so many rows are of the pictures themselves

  std::vector<Array> values;  // what the rows point into
};

// One after another, `rows` of them from `first` on, into `to`.
void gather(const FeatureRows& from, int64_t first, int64_t rows, std::vector<float>& to);

class FeatureJob {
 public:
  // As a TrainingRun does: opens the folder, builds or resumes the model.
  // Throws Error: kUsage for options that cannot be, kData for data or a checkpoint that cannot be used.
  FeatureJob(TrainOptions options, TrainingData data);
  ~FeatureJob();

  const TrainOptions& options() const { return options_; }
  const TrainingData& data() const { return data_; }
  const RunFolder& folder() const { return *folder_; }
  const Compute& compute() const { return *compute_; }
  Model& model() { return *model_; }
  const Preprocessing& preprocessing() const { return preprocessing_; }
  bool has_validation() const { return !data_.val.samples.empty(); }
  // The run's state and the optimizer's, as the resumed checkpoint has them; new ones else.
  TrainingState& state() { return state_; }
  const std::vector<NamedArray>& optimizer() const { return optimizer_; }

  void print_setup() const;  // up to what is the mode's own

  // Computes or reads the features of the training pictures, their augmented copies and the validation pictures.
  // False where a signal asked to stop. Throws as FeatureExtractor does, and Error{kData} where none can be read.
  bool extract();
  const FeatureRows& train() const { return train_; }
  const FeatureRows& val() const { return val_; }

  // Of the model as it is now, without an optimizer.
  Checkpoint checkpoint() const;

  void report_broken() const;
  TrainingOutcome outcome(bool finished) const;

 private:
  void read_weights_option();
  void open_model();
  bool extract(FeatureExtractor& extractor, const FeatureSource& source, const Dataset& dataset, FeatureRows& to);

  TrainOptions options_;
  TrainingData data_;
  std::unique_ptr<RunFolder> folder_;
  std::unique_ptr<ThreadLimit> thread_limit_;
  std::unique_ptr<Compute> compute_;
  std::unique_ptr<Model> model_;
  InitialWeights initial_;
  Preprocessing preprocessing_;
  std::vector<std::pair<std::string, std::string>> provenance_;
  TrainingState state_;
  std::vector<NamedArray> optimizer_;
  FeatureRows train_, val_;
  std::map<std::string, std::string> broken_;  // path -> reason
};

}  // namespace resflow
