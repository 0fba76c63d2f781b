// A model as an ONNX file that scores pictures in other programs: input "input" (batch,3,height,width) f32, output
// "logits" (batch,classes).
//
// Values keep torchvision's names; num_batches_tracked stays behind, scoring has no use for it.
#pragma once

#include <string>

#include "graph/model/model.h"
#include "io/files/file.h"
#include "io/weights/model_metadata.h"

namespace resflow {

struct OnnxExportOptions {
  // Convolution and batch norm become one convolution with a bias, computed in f64: CONV.folded.weight and .bias.
  bool fold_batch_norm = false;
  std::string producer_version;  // of resflow
};

// `metadata` goes into metadata_props (io/weights/onnx_metadata.h); the description in it is replaced by the model's
// own. Throws as OnnxBuilder::save does.
void export_onnx(const Model& model, ModelMetadata metadata, const OnnxExportOptions& options, const std::string& path,
                 FileSystem& files = machine_files());

}  // namespace resflow
