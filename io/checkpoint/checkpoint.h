// Everything that makes a trained model usable and a run resumable, in one file (docs/checkpoint.md).
//
// The file is a Protobuf manifest plus raw aligned tensors, each with a checksum; no message holds tensor
// values, so size is bounded by the disk only. Saving is atomic and durable: a crash or a full disk leaves
// the previous file as it was.
//
//   Checkpoint checkpoint;
//   checkpoint.model = model.description();
//   checkpoint.classes = {"ants", "bees"};
//   checkpoint.parameters = model.state();
//   save_checkpoint(checkpoint, "model.resflow");
//   const Checkpoint again = load_checkpoint("model.resflow");  // the same values, bit by bit
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/checkpoint/description.h"
#include "io/checkpoint/training_state.h"
#include "io/core/named_array.h"
#include "io/files/file.h"

namespace resflow {

struct Checkpoint {
  ModelDescription model;
  std::vector<std::string> classes;
  Preprocessing preprocessing;
  Head head = {};
  std::optional<Quantization> quantization = {};  // none: the model is not quantized
  std::vector<NamedArray> parameters;             // and BN's buffers, torchvision's names, plain layout
  std::vector<NamedArray> optimizer;              // "layer1.0.conv1.weight/exp_avg", ...
  std::string optimizer_name;                     // "adam"; empty in a model that is not to be trained on
  TrainingState training;
  // Where the values come from, in the order it happened: ("weights", "resnet34:IMAGENET1K_V1"), ("converted from",
  // "x.pth"), ("made by", "resflow 0.1.0").
  std::vector<std::pair<std::string, std::string>> provenance;
};

// Writes `path` durably: a temporary file beside it, fsync, rename, fsync of the folder. The previous
// `generations` - 1 files stay as path.1, path.2, ... (newest first).
// Throws Error{kSystem} (disk full: bytes needed and free; I/O) or Error{kUsage} (no permission); the
// previous file is untouched then.
void save_checkpoint(const Checkpoint& checkpoint, const std::string& path, int generations = 1,
                     FileSystem& files = machine_files());

// Throws Error{kData} for what is no checkpoint, of another version, truncated, or whose checksum differs
// (which tensor), and names the generation beside it that is whole, if any.
Checkpoint load_checkpoint(const std::string& path);

// Reads the manifest alone: arrays have dims and dtype as listed, but no values.
struct CheckpointSummary {
  Checkpoint checkpoint;  // without tensors
  std::vector<TensorEntry> parameters, optimizer;
  int format_version = 0;
};
CheckpointSummary read_checkpoint_summary(const std::string& path);  // Throws as load_checkpoint does.

// True where the file starts as a checkpoint does.
bool is_checkpoint(const std::string& path);

}  // namespace resflow
