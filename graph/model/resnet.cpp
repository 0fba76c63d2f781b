#include "graph/model/resnet.h"

#include <string>

#include "io/core/error.h"

namespace resflow {
namespace {

class Builder {
 public:
  explicit Builder(const ResNetOptions& options) : options_(options) {}

  Graph build() {
    NodeId x = graph_.add("input", InputNode{.channels = 3}, {});
    x = conv("conv1", x, {.in = 3, .out = channels_, .kernel = 7, .stride = 2, .pad = 3});
    x = relu("relu", batch_norm("bn1", x, channels_));
    x = graph_.add("maxpool", MaxPoolNode{.kernel = 3, .stride = 2, .pad = 1}, {x});
    x = stage("layer1", x, 64, options_.layers[0], 1, false);
    x = stage("layer2", x, 128, options_.layers[1], 2, options_.replace_stride_with_dilation[0]);
    x = stage("layer3", x, 256, options_.layers[2], 2, options_.replace_stride_with_dilation[1]);
    x = stage("layer4", x, 512, options_.layers[3], 2, options_.replace_stride_with_dilation[2]);
    x = graph_.add("avgpool", GlobalAvgPoolNode{}, {x});
    graph_.add("fc", LinearNode{.in = channels_, .out = options_.num_classes}, {x});
    return std::move(graph_);
  }

 private:
  struct BlockOptions {
    int64_t planes, stride, dilation;
    bool downsample;
  };

  NodeId stage(const std::string& name, NodeId x, int64_t planes, int blocks, int64_t stride, bool dilate) {
    // The first block still sees the resolution of the stage before, so it keeps that one's dilation.
    const int64_t first_dilation = dilation_;
    if (dilate) {
      dilation_ *= stride;
      stride = 1;
    }
    for (int i = 0; i < blocks; ++i) {
      const bool first = i == 0;
      const BlockOptions block = {.planes = planes,
                                  .stride = first ? stride : 1,
                                  .dilation = first ? first_dilation : dilation_,
                                  .downsample = first && (stride != 1 || channels_ != planes * expansion())};
      const std::string prefix = name + "." + std::to_string(i);
      x = options_.block == Block::kBasic ? basic(prefix, x, block) : bottleneck(prefix, x, block);
      channels_ = planes * expansion();
    }
    return x;
  }

  NodeId basic(const std::string& name, NodeId x, const BlockOptions& o) {
    if (options_.groups != 1 || options_.width_per_group != 64)
      throw usage_error("BasicBlock only supports groups 1 and width_per_group 64, got {} and {}", options_.groups,
                        options_.width_per_group);
    if (o.dilation > 1)
      throw usage_error(
          "{}: dilation {} is not supported in BasicBlock, only 1; leave replace_stride_with_dilation off", name,
          o.dilation);
    NodeId y = conv3x3(name + ".conv1", x, channels_, o.planes, o.stride);
    y = relu(name + ".relu1", batch_norm(name + ".bn1", y, o.planes));
    y = conv3x3(name + ".conv2", y, o.planes, o.planes);
    y = batch_norm(name + ".bn2", y, o.planes);
    return join(name, x, y, "bn2", o);
  }

  NodeId bottleneck(const std::string& name, NodeId x, const BlockOptions& o) {
    const int64_t width = o.planes * options_.width_per_group / 64 * options_.groups;
    NodeId y = conv1x1(name + ".conv1", x, channels_, width);
    y = relu(name + ".relu1", batch_norm(name + ".bn1", y, width));
    y = conv3x3(name + ".conv2", y, width, width, o.stride, options_.groups, o.dilation);
    y = relu(name + ".relu2", batch_norm(name + ".bn2", y, width));
    y = conv1x1(name + ".conv3", y, width, o.planes * expansion());
    y = batch_norm(name + ".bn3", y, o.planes * expansion());
    return join(name, x, y, "bn3", o);
  }

  // relu(residual branch + identity or its projection)
  NodeId join(const std::string& name, NodeId identity, NodeId branch, const std::string& last_bn,
              const BlockOptions& o) {
    if (o.downsample) {
      identity = conv1x1(name + ".downsample.0", identity, channels_, o.planes * expansion(), o.stride);
      identity = batch_norm(name + ".downsample.1", identity, o.planes * expansion());
    }
    if (options_.zero_init_residual) graph_.zero_init(name + "." + last_bn + ".weight");
    return relu(name + ".relu", graph_.add(name + ".add", AddNode{}, {branch, identity}));
  }

  NodeId conv3x3(const std::string& name, NodeId x, int64_t in, int64_t out, int64_t stride = 1, int64_t groups = 1,
                 int64_t dilation = 1) {
    return conv(
        name, x,
        {.in = in, .out = out, .kernel = 3, .stride = stride, .pad = dilation, .dilation = dilation, .groups = groups});
  }
  NodeId conv1x1(const std::string& name, NodeId x, int64_t in, int64_t out, int64_t stride = 1) {
    return conv(name, x, {.in = in, .out = out, .kernel = 1, .stride = stride});
  }
  NodeId conv(const std::string& name, NodeId x, const ConvNode& node) {
    if (node.in % node.groups != 0 || node.out % node.groups != 0)
      throw usage_error("{}: {} groups do not divide {} and {} channels", name, node.groups, node.in, node.out);
    return graph_.add(name, node, {x});
  }
  NodeId batch_norm(const std::string& name, NodeId x, int64_t channels) {
    return graph_.add(name, BatchNormNode{.channels = channels}, {x});
  }
  NodeId relu(const std::string& name, NodeId x) { return graph_.add(name, ReluNode{}, {x}); }

  int64_t expansion() const { return options_.block == Block::kBasic ? 1 : 4; }

  const ResNetOptions& options_;
  Graph graph_;
  int64_t channels_ = 64;
  int64_t dilation_ = 1;
};

}  // namespace

Graph resnet(const ResNetOptions& options) {
  if (options.num_classes < 1) throw usage_error("num_classes is {}: wanted at least 1", options.num_classes);
  if (options.groups < 1 || options.width_per_group < 1)
    throw usage_error("groups is {} and width_per_group {}: wanted at least 1", options.groups,
                      options.width_per_group);
  if (options.replace_stride_with_dilation.size() != 3)
    throw usage_error("replace_stride_with_dilation has {} elements: wanted one for each of layer2, layer3, layer4",
                      options.replace_stride_with_dilation.size());
  return Builder(options).build();
}

}  // namespace resflow
