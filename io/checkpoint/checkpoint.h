// Everything that makes a trained model usable and a run resumable, in one file (docs/checkpoint.md).
//
// The file is a Protobuf manifest plus raw aligned tensors, each with a checksum; no message holds tensor
// values, so size is bounded by the disk only. Saving is atomic and durable: a crash or a full disk leaves
// the previous file as it was.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/core/named_array.h"
#include "io/files/file.h"

namespace resflow {

// What is needed to build the network again (graph/model/model_zoo.h reads it).
struct ModelDescription {
  std::string architecture;  // "resnet34"
  int64_t num_classes = 1000;
  bool zero_init_residual = false;
  std::vector<bool> replace_stride_with_dilation = {false, false, false};
  int64_t groups = 0;           // 0: what the architecture says
  int64_t width_per_group = 0;  // 0: what the architecture says
  bool operator==(const ModelDescription&) const = default;
};

// How a photograph becomes the network's input when it is scored.
struct Preprocessing {
  int resize = 256;  // short side
  int crop = 224;    // centre crop, square
  std::vector<float> mean = {0.485F, 0.456F, 0.406F};
  std::vector<float> std = {0.229F, 0.224F, 0.225F};
  std::string interpolation = "bilinear";  // Pillow's, with antialiasing; the only one there is
  bool exif = false;                       // first turned upright, as its EXIF orientation says
  bool operator==(const Preprocessing&) const = default;
};

// How the network's outputs become probabilities.
struct Head {
  enum class Kind {
    kSoftmax,    // outputs are logits: p = softmax(x)
    kOneVsRest,  // outputs are decision values of a classifier a class: p_k = q_k / sum q, with Platt's sigmoid
                 // q_k = 1 / (1 + exp(platt_a[k] x_k + platt_b[k]))
  };
  Kind kind = Kind::kSoftmax;
  std::vector<double> platt_a = {}, platt_b = {};  // kOneVsRest: one a class
  bool operator==(const Head&) const = default;
};
// "softmax", "one_vs_rest": as files have it.
std::string head_name(Head::Kind kind);
Head::Kind head_of_name(const std::string& name);  // Throws Error{kData} for another.
// Throws Error{kData} unless there are as many finite A and B as the kind wants.
void check_head(const Head& head, int64_t classes);

// What scoring in 8 bits needs to know beside the weights: the range of values of each activation, as seen in a sample
// of pictures (graph/plan/calibration.h). Names are those of the ops that make them: "input", "conv1",
// "layer1.0.conv1".
struct ActivationRange {
  std::string name;
  float low = 0, high = 0;
  bool operator==(const ActivationRange&) const = default;
};
struct Quantization {
  int64_t pictures = 0;  // of the sample
  std::vector<ActivationRange> activations;
  bool operator==(const Quantization&) const = default;
};
// Throws Error{kData} for a range that is none, and where two have the same name.
void check_quantization(const Quantization& quantization);

// One epoch's line of history.csv.
struct EpochRecord {
  int64_t epoch = 0;  // from 1
  double train_loss = 0, train_accuracy = 0;
  double val_loss = 0, val_accuracy = 0;  // NaN where there is no validation set
  double learning_rate = 0;
  double seconds = 0;
};

// Where a run stands: all that is needed to go on to the same bits.
struct TrainingState {
  uint64_t seed = 0;
  int64_t epoch = 0;          // finished epochs
  int64_t next_batch = 0;     // within the epoch that is under way
  int64_t step = 0;           // optimizer steps so far
  double epoch_loss_sum = 0;  // of the epoch under way, over samples
  int64_t epoch_correct = 0;
  int64_t epoch_samples = 0;
  double epoch_seconds = 0;
  double best_val_accuracy = -1;
  std::vector<EpochRecord> history;
  std::vector<std::pair<std::string, std::string>> options;  // the run's options, to refuse a resume with others
  std::string fingerprint;  // machine, threads, versions: the same one gives the same bits
};

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
