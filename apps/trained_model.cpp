#include "apps/trained_model.h"

#include "io/error.h"

namespace resflow {

void check_classes(const Checkpoint& checkpoint, const std::string& path) {
  if (static_cast<int64_t>(checkpoint.classes.size()) != checkpoint.model.num_classes)
    throw data_error("{}: has {} class names, but its {} has {} outputs: the file was not written whole by one program",
                     path, checkpoint.classes.size(), checkpoint.model.architecture, checkpoint.model.num_classes);
}

TrainedModel load_trained_model(const std::string& path, const Compute& compute) {
  Checkpoint checkpoint = load_checkpoint(path);
  check_classes(checkpoint, path);
  TrainedModel trained;
  try {
    trained.model = std::make_unique<Model>(checkpoint.model, compute);
    trained.model->load(checkpoint.parameters);
  } catch (const Error& e) {
    // The description comes from the file, not from the command line.
    throw data_error("{}: {}", path, e.what());
  }
  trained.classes = std::move(checkpoint.classes);
  trained.preprocessing = std::move(checkpoint.preprocessing);
  return trained;
}

}  // namespace resflow
