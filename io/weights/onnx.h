// ONNX: a network and its values in one file, for other programs to run. resflow writes such files, and of those that
// it reads it takes what they say of themselves, not their values.
//
// Opset 17, IR version 8 (ONNX 1.12, and onnxruntime, OpenVINO and all others since 2022).
// Facts: the ONNX project's onnx-ml.proto and Operators.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "io/core/named_array.h"
#include "io/files/file.h"

namespace resflow {

inline constexpr int64_t kOnnxOpset = 17;
inline constexpr int64_t kOnnxIrVersion = 8;

// A size, or a name for one that the run decides: "batch".
using OnnxDim = std::variant<int64_t, std::string>;

struct OnnxValue {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<OnnxDim> dims;
};

using OnnxAttribute = std::pair<std::string, std::variant<int64_t, float, std::vector<int64_t>>>;

struct OnnxNode {
  std::string op;    // "Conv"
  std::string name;  // "layer1.0.conv1"
  std::vector<std::string> inputs;
  std::string output;
  std::vector<OnnxAttribute> attributes = {};
};

// An inference graph that is put together, then saved. Nodes come after what they read.
class OnnxBuilder {
 public:
  OnnxBuilder(const std::string& graph_name, const std::string& producer_version);
  ~OnnxBuilder();
  OnnxBuilder(const OnnxBuilder&) = delete;
  OnnxBuilder& operator=(const OnnxBuilder&) = delete;

  // These throw Error{kInternal} where a name stands twice, or a node reads what no node before it has made.
  void add_input(const OnnxValue& value);
  void add_initializer(const std::string& name, Array value);
  void add_node(const OnnxNode& node);
  void add_output(const OnnxValue& value);
  void add_metadata(const std::string& key, const std::string& text);

  // Writes the file atomically and without a second copy of the values. Throws as AtomicFile does, and Error{kUsage}
  // where the file would have 2 GiB or more, which no ONNX file can have.
  void save(const std::string& path, FileSystem& files = machine_files()) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct OnnxSummary {
  int64_t ir_version = 0;
  int64_t opset = 0;                 // of the default domain; 0 where the file uses others alone
  std::string producer;              // "resflow 0.1.0"
  std::vector<TensorEntry> tensors;  // initializers, in order
  std::vector<std::string> foreign;  // initializers of a dtype that resflow does not have: "scale (int8)"
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<OnnxValue> inputs, outputs;  // tensors of a dtype of ours; initializers that are listed as inputs are not
};

// True where the file starts as an ONNX model does. ONNX has no magic bytes, so the file must start with fields of its
// schema, one of them a version, as far as the graph.
bool is_onnx(const std::string& path);

// Reads no tensor's values. Throws Error{kData} for what is damaged, truncated, or no ONNX at all.
OnnxSummary read_onnx_summary(const std::string& path);

}  // namespace resflow
