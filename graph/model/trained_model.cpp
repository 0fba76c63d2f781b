#include "graph/model/trained_model.h"

#include <utility>

#include "io/core/error.h"

namespace resflow {

TrainedModel make_trained_model(Checkpoint checkpoint, const std::string& path, const Compute& compute) {
  if (static_cast<int64_t>(checkpoint.classes.size()) != checkpoint.model.num_classes)
    throw data_error("{}: has {} class names, but its {} has {} outputs: the file was not written whole by one program",
                     path, checkpoint.classes.size(), checkpoint.model.architecture, checkpoint.model.num_classes);
  TrainedModel trained;
  try {
    trained.model = std::make_unique<Model>(checkpoint.model, compute);
    trained.model->load(checkpoint.parameters);
    trained.model->set_quantization(std::move(checkpoint.quantization));
  } catch (const Error& e) {
    if (e.kind() == ErrorKind::kSystem) throw;  // there is no memory for it
    // The description comes from the file, not from the command line.
    throw data_error("{}: {}", path, e.marked());
  }
  trained.classes = std::move(checkpoint.classes);
  trained.preprocessing = std::move(checkpoint.preprocessing);
  trained.head = std::move(checkpoint.head);
  return trained;
}

TrainedModel load_trained_model(const std::string& path, const Compute& compute) {
  return make_trained_model(load_checkpoint(path), path, compute);
}

}  // namespace resflow
