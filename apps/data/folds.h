// k-fold cross validation: the same pictures, divided k times into what is learnt from and what is checked with.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "apps/data/training_data.h"

namespace resflow {

// There is one list of samples, which each fold in turn divides anew.
class Folds {
 public:
  // Divides the training pictures of `all`, class by class. Throws Error{kUsage} for fewer than two folds, or more than
  // the smallest class has pictures.
  Folds(TrainingData all, int folds, uint64_t seed);

  // Fold `fold`, from 0, validates with its part of the pictures and trains on the rest. Pictures keep their order.
  // REQUIRES: nobody holds what an earlier call gave.
  std::shared_ptr<const TrainingData> fold(int fold);

 private:
  void divide(int fold);
  void join();  // puts the samples back into one list

  std::shared_ptr<TrainingData> data_;
  std::vector<int> fold_of_;  // of each sample
  int divided_ = -1;          // by which fold; -1: all samples are in data_->train
};

}  // namespace resflow
