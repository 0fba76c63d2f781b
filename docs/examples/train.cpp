// Trains a ResNet-18 on a folder of photographs: the whole of training on one page, in the order in which it happens.
//
//   train DATA MODEL.resflow      DATA holds train/CLASS/*.jpg and val/CLASS/*.jpg
#include <fmt/format.h>
#include <resflow/graph/model/model.h>         // Model: a network and the values of its parameters
#include <resflow/graph/train/evaluator.h>     // Evaluator: loss and accuracy of a model on batches
#include <resflow/graph/train/schedule.h>      // learning_rate(): the rate of each epoch
#include <resflow/graph/train/trainer.h>       // Trainer: forward, loss, backward and update
#include <resflow/io/checkpoint/checkpoint.h>  // Checkpoint, save_checkpoint(): a model in a file
#include <resflow/io/core/error.h>             // Error: what every function here throws
#include <resflow/io/pictures/dataset.h>       // Dataset, list_image_folder(): pictures and their classes
#include <resflow/pipeline/loader.h>           // Loader, Batch: from files to batches, on all threads
#include <resflow/pipeline/recipe.h>           // Recipe: what happens to a picture on its way

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

using namespace resflow;

namespace {

constexpr int kImageSize = 64, kBatch = 16, kEpochs = 5;
constexpr uint64_t kSeed = 0;  // the same seed and number of threads give the same model, bit by bit

void train(const std::string& data, const std::string& out) {
  const int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));

  // 1. What there is to learn from, and what to check with.
  const Dataset train = list_image_folder(data + "/train"), val = list_image_folder(data + "/val");
  if (val.classes != train.classes) throw data_error("{}: train/ and val/ have different classes", data);

  // 2. A loader reads, decodes, crops and flips while the network computes. Training draws crops at random, evaluation
  //    takes the centre.
  const Preprocessing preprocessing = eval_preprocessing(kImageSize);
  Loader train_loader(train, Recipe::train(kImageSize), {.batch = kBatch, .threads = threads, .seed = kSeed});
  Loader val_loader(val, Recipe::eval(preprocessing), {.batch = kBatch, .threads = threads, .shuffle = false});

  // 3. The model, and the plan of a training step. The evaluator works in the memory of that plan.
  const Compute compute(threads);
  Model model({.architecture = "resnet18", .num_classes = std::ssize(train.classes)}, compute);
  model.initialise(kSeed);
  Trainer trainer(model, kBatch, kImageSize, {.name = "adam", .lr = 1e-3});
  Evaluator evaluator(model, {.batch = kBatch, .height = kImageSize, .width = kImageSize, .mode = Mode::kEval}, {},
                      &trainer.plan());

  const ScheduleOptions schedule = {.name = "cosine", .base = 1e-3, .epochs = kEpochs};
  std::vector<double> losses;  // of the epochs so far
  double best = -1;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    // 4. An epoch of steps: each is forward, loss, backward and update.
    trainer.set_lr(learning_rate(schedule, losses));
    double loss = 0;
    int64_t right = 0, pictures = 0;
    train_loader.run(epoch, 0, [&](const Batch& batch) {
      if (batch.size == 0) return true;  // not one of its files could be read: Loader::run's report names them
      const StepResult step = trainer.step(batch.pixels, batch.labels);
      loss += step.loss * batch.size;
      right += step.correct;
      pictures += batch.size;
      return true;  // false would end the epoch here
    });
    const auto seen = static_cast<double>(pictures);

    // 5. What the model makes of pictures that it does not learn from.
    EvaluationSums sums;
    val_loader.run(0, 0, [&](const Batch& batch) {
      if (batch.size > 0) sums += evaluator.evaluate(batch.pixels, batch.labels);
      return true;
    });
    losses.push_back(sums.loss());
    fmt::print("epoch {}/{}  train loss {:.4f} accuracy {:.4f}  validation loss {:.4f} accuracy {:.4f}\n", epoch + 1,
               kEpochs, loss / seen, static_cast<double>(right) / seen, sums.loss(), sums.accuracy());

    // 6. The best model so far, with all that scoring needs. The file is replaced as a whole or not at all.
    if (sums.accuracy() <= best) continue;
    best = sums.accuracy();
    Checkpoint checkpoint;
    checkpoint.model = model.description();
    checkpoint.classes = train.classes;
    checkpoint.preprocessing = preprocessing;
    checkpoint.parameters = model.state();
    save_checkpoint(checkpoint, out);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "train DATA MODEL.resflow\n");
    return 2;
  }
  try {
    train(argv[1], argv[2]);
  } catch (const Error& error) {
    fmt::print(stderr, "train: {}\n", error.what());
    return error.exit_code();
  }
  return 0;
}
