// Says what photographs show:  score MODEL.resflow PHOTOS
// A line a photograph on standard output: path, most probable class, its probability.
#include <fmt/format.h>
#include <resflow/apps/machine/threads.h>       // cpu_limits(): the CPUs that this process may use
#include <resflow/apps/score/predictions.h>     // predict_samples(): pictures to probabilities
#include <resflow/graph/head/probabilities.h>   // top_classes()
#include <resflow/graph/model/trained_model.h>  // TrainedModel, load_trained_model()
#include <resflow/io/core/error.h>              // Error
#include <resflow/io/core/listener.h>           // silent(): nobody hears of the progress, nobody stops the work
#include <resflow/io/pictures/dataset.h>        // Sample, list_pictures()

using namespace resflow;

int main(int argc, char** argv) try {
  if (argc != 3) throw usage_error("wanted: score MODEL.resflow PHOTOS");
  const int threads = cpu_limits().usable();
  const Compute compute(threads);
  const TrainedModel trained = load_trained_model(argv[1], compute);
  const std::vector<Sample> pictures = list_pictures(argv[2]);
  const PredictOptions options = {.batch = 32, .threads = threads};
  predict_samples(trained, pictures, options, silent(), [&](const ScoredPicture& picture) {
    if (picture.error.empty()) {
      const int best = top_classes(picture.probabilities, 1).front();
      fmt::print("{},{},{:.6f}\n", picture.name, trained.classes[best], picture.probabilities[best]);
    } else {
      fmt::print(stderr, "score: {}: {}\n", picture.name, picture.error);
    }
  });
  return 0;
} catch (const Error& error) {
  fmt::print(stderr, "score: {}\n", error.what());
  return error.exit_code();
}
