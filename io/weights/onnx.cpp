#include "io/weights/onnx.h"

#include <google/protobuf/io/coded_stream.h>
#include <onnx/onnx_pb.h>

#include <array>
#include <bit>
#include <climits>
#include <span>
#include <unordered_set>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/weights/onnx_dtype.h"

namespace resflow {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian, and is written as it lies");

// Protobuf's, of any message.
constexpr uint64_t kMaxFileBytes = INT_MAX;

// What comes before the bytes of a field that has a length.
std::string field_head(int number, uint64_t length) {
  using google::protobuf::io::CodedOutputStream;
  constexpr uint32_t kLengthDelimited = 2;
  std::array<uint8_t, 16> head{};
  uint8_t* end =
      CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(number) << 3U | kLengthDelimited, head.data());
  end = CodedOutputStream::WriteVarint64ToArray(length, end);
  return {head.data(), end};
}

void set_value(const OnnxValue& value, onnx::ValueInfoProto& proto) {
  proto.set_name(value.name);
  auto& tensor = *proto.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx_dtype(value.dtype));
  auto& shape = *tensor.mutable_shape();
  for (const OnnxDim& dim : value.dims) {
    if (const auto* size = std::get_if<int64_t>(&dim)) {
      shape.add_dim()->set_dim_value(*size);
    } else {
      shape.add_dim()->set_dim_param(std::get<std::string>(dim));
    }
  }
}

void set_attribute(const OnnxAttribute& attribute, onnx::AttributeProto& proto) {
  proto.set_name(attribute.first);
  if (const auto* integer = std::get_if<int64_t>(&attribute.second)) {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(*integer);
  } else if (const auto* real = std::get_if<float>(&attribute.second)) {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(*real);
  } else {
    proto.set_type(onnx::AttributeProto::INTS);
    for (const int64_t i : std::get<std::vector<int64_t>>(attribute.second)) proto.add_ints(i);
  }
}

// An initializer but for its values, whose field comes last.
std::string initializer_head(const NamedArray& initializer) {
  onnx::TensorProto proto;
  for (const int64_t dim : initializer.array.dims()) proto.add_dims(dim);
  proto.set_data_type(onnx_dtype(initializer.array.dtype()));
  proto.set_name(initializer.name);
  return proto.SerializeAsString() + field_head(onnx::TensorProto::kRawDataFieldNumber, initializer.array.bytes());
}

}  // namespace

struct OnnxBuilder::Impl {
  onnx::ModelProto model;  // without its graph, so that this can be written without a copy of the values
  onnx::GraphProto graph;  // without its initializers
  std::vector<NamedArray> initializers;
  std::unordered_set<std::string> values, nodes, keys;

  void make_value(const std::string& name) {
    if (!values.insert(name).second) throw internal_error("ONNX: {} stands twice among the values", name);
  }
  void need_value(const std::string& name, const std::string& reader) const {
    if (!values.contains(name)) throw internal_error("ONNX: {} reads {}, which is not there yet", reader, name);
  }
};

OnnxBuilder::OnnxBuilder(const std::string& graph_name, const std::string& producer_version)
    : impl_(std::make_unique<Impl>()) {
  onnx::ModelProto& model = impl_->model;
  model.set_ir_version(kOnnxIrVersion);
  model.set_producer_name("resflow");
  model.set_producer_version(producer_version);
  auto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOnnxOpset);
  impl_->graph.set_name(graph_name);
}

OnnxBuilder::~OnnxBuilder() = default;

void OnnxBuilder::add_input(const OnnxValue& value) {
  impl_->make_value(value.name);
  set_value(value, *impl_->graph.add_input());
}

void OnnxBuilder::add_initializer(const std::string& name, Array value) {
  impl_->make_value(name);
  impl_->initializers.push_back({name, std::move(value)});
}

void OnnxBuilder::add_node(const OnnxNode& node) {
  if (!impl_->nodes.insert(node.name).second) throw internal_error("ONNX: {} stands twice among the nodes", node.name);
  for (const auto& input : node.inputs) impl_->need_value(input, node.name);
  impl_->make_value(node.output);
  auto& proto = *impl_->graph.add_node();
  proto.set_op_type(node.op);
  proto.set_name(node.name);
  for (const auto& input : node.inputs) proto.add_input(input);
  proto.add_output(node.output);
  for (const auto& attribute : node.attributes) set_attribute(attribute, *proto.add_attribute());
}

void OnnxBuilder::add_output(const OnnxValue& value) {
  impl_->need_value(value.name, "the graph's output");
  set_value(value, *impl_->graph.add_output());
}

void OnnxBuilder::add_metadata(const std::string& key, const std::string& text) {
  if (!impl_->keys.insert(key).second) throw internal_error("ONNX: {} stands twice in the metadata", key);
  auto& entry = *impl_->model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(text);
}

// The order of a message's fields is free, so the values come last, one by one as they lie in memory.
void OnnxBuilder::save(const std::string& path, FileSystem& files) const {
  const std::string model = impl_->model.SerializeAsString(), graph = impl_->graph.SerializeAsString();
  uint64_t graph_bytes = graph.size();
  std::vector<std::string> heads;
  for (const NamedArray& initializer : impl_->initializers) {
    const std::string head = initializer_head(initializer);
    const uint64_t bytes = head.size() + initializer.array.bytes();
    heads.push_back(field_head(onnx::GraphProto::kInitializerFieldNumber, bytes) + head);
    graph_bytes += heads.back().size() + initializer.array.bytes();
  }
  const std::string graph_head = field_head(onnx::ModelProto::kGraphFieldNumber, graph_bytes);
  const uint64_t file_bytes = model.size() + graph_head.size() + graph_bytes;
  if (file_bytes > kMaxFileBytes) {
    throw usage_error("{}: would have {} bytes, and an ONNX file has at most {}: safetensors has no such limit", path,
                      file_bytes, kMaxFileBytes);
  }
  AtomicFile file(path, static_cast<int64_t>(file_bytes), files);
  file.write(bytes_of(model));
  file.write(bytes_of(graph_head));
  file.write(bytes_of(graph));
  for (size_t i = 0; i < heads.size(); ++i) {
    const Array& array = impl_->initializers[i].array;
    file.write(bytes_of(heads[i]));
    file.write(array.raw_bytes());
  }
  file.commit();
}

}  // namespace resflow
