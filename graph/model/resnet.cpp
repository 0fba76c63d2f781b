#include "graph/model/resnet.h"

#include <numeric>
#include <string>

#include "io/checkpoint/description.h"
#include "io/core/error.h"

namespace resflow {
namespace {

class Builder {
 public:
  explicit Builder(const ResNetOptions& options) : options_(options) {}

  Graph build() {
    NodeId x = graph_.add("input", InputNode{.channels = 3}, {});
    x = stem(x);
    for (size_t i = 0; i < options_.layers.size(); ++i) {
      const bool first = i == 0, dilate = !first && dilates(i - 1);
      x = stage("layer" + std::to_string(i + 1), x, options_.channels << i, options_.layers[i], first ? 1 : 2, dilate);
    }
    x = graph_.add("avgpool", GlobalAvgPoolNode{}, {x});
    graph_.add("fc", LinearNode{.in = channels_, .out = options_.num_classes}, {x});
    return std::move(graph_);
  }

 private:
  struct BlockOptions {
    int64_t planes, stride, dilation;
    bool reshapes;  // what leaves the block has another shape than what comes in
  };

  NodeId stem(NodeId x) {
    const bool large = options_.stem == Stem::kImagenet;
    x = conv("conv1", x,
             {.in = 3, .out = channels_, .kernel = large ? 7 : 3, .stride = large ? 2 : 1, .pad = large ? 3 : 1});
    x = relu("relu", norm("bn1", x, channels_));
    return large ? graph_.add("maxpool", MaxPoolNode{.kernel = 3, .stride = 2, .pad = 1}, {x}) : x;
  }

  bool dilates(size_t i) const {
    const auto& dilate = options_.replace_stride_with_dilation;
    return i < dilate.size() && dilate[i];
  }

  NodeId stage(const std::string& name, NodeId x, int64_t planes, int64_t blocks, int64_t stride, bool dilate) {
    // The first block still sees the resolution of the stage before, so it keeps that one's dilation.
    const int64_t first_dilation = dilation_;
    if (dilate) {
      dilation_ *= stride;
      stride = 1;
    }
    for (int64_t i = 0; i < blocks; ++i) {
      const bool first = i == 0;
      const BlockOptions block = {.planes = planes,
                                  .stride = first ? stride : 1,
                                  .dilation = first ? first_dilation : dilation_,
                                  .reshapes = first && (stride != 1 || channels_ != planes * expansion())};
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
    y = relu(name + ".relu1", norm(name + ".bn1", y, o.planes));
    y = conv3x3(name + ".conv2", y, o.planes, o.planes);
    y = norm(name + ".bn2", y, o.planes);
    return join(name, x, y, "bn2", o);
  }

  NodeId bottleneck(const std::string& name, NodeId x, const BlockOptions& o) {
    const int64_t width = o.planes * options_.width_per_group / 64 * options_.groups;
    if (width < 1)
      throw usage_error("{}: width_per_group {} leaves none of {} planes", name, options_.width_per_group, o.planes);
    NodeId y = conv1x1(name + ".conv1", x, channels_, width);
    y = relu(name + ".relu1", norm(name + ".bn1", y, width));
    y = conv3x3(name + ".conv2", y, width, width, o.stride, options_.groups, o.dilation);
    y = relu(name + ".relu2", norm(name + ".bn2", y, width));
    y = conv1x1(name + ".conv3", y, width, o.planes * expansion());
    y = norm(name + ".bn3", y, o.planes * expansion());
    return join(name, x, y, "bn3", o);
  }

  // relu(residual branch + identity or what stands for it)
  NodeId join(const std::string& name, NodeId identity, NodeId branch, const std::string& last_bn,
              const BlockOptions& o) {
    if (!options_.residual) return relu(name + ".relu", branch);
    if (o.reshapes && options_.shortcut == Shortcut::kPadding) {
      identity =
          graph_.add(name + ".shortcut",
                     PadShortcutNode{.in = channels_, .out = o.planes * expansion(), .stride = o.stride}, {identity});
    } else if (o.reshapes) {
      identity = conv1x1(name + ".downsample.0", identity, channels_, o.planes * expansion(), o.stride);
      identity = norm(name + ".downsample.1", identity, o.planes * expansion());
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
  NodeId norm(const std::string& name, NodeId x, int64_t channels) {
    if (options_.norm == Norm::kBatch) return graph_.add(name, BatchNormNode{.channels = channels}, {x});
    const int64_t groups = norm_groups_of(options_);
    if (channels % groups != 0)
      throw usage_error("{}: {} groups do not divide the {} channels of a group norm; {} do", name, groups, channels,
                        std::gcd(groups, channels));
    return graph_.add(name, GroupNormNode{.channels = channels, .groups = groups}, {x});
  }
  NodeId relu(const std::string& name, NodeId x) { return graph_.add(name, ReluNode{}, {x}); }

  int64_t expansion() const { return options_.block == Block::kBasic ? 1 : 4; }

  const ResNetOptions& options_;
  Graph graph_;
  int64_t channels_ = options_.channels;
  int64_t dilation_ = 1;
};

void check_range(const char* what, int64_t value, int64_t most) {
  if (value < 1 || value > most) throw usage_error("{} is {}: wanted 1 to {}", what, value, most);
}

}  // namespace

int64_t norm_groups_of(const ResNetOptions& o) {
  if (o.norm_groups != 0) return o.norm_groups;
  constexpr int64_t kUsual = 32;
  const int64_t groups = std::gcd(kUsual, o.channels);
  return o.block == Block::kBasic ? groups : std::gcd(groups, o.channels * o.width_per_group / 64 * o.groups);
}

Graph resnet(const ResNetOptions& options) {
  if (options.num_classes < 1) throw usage_error("num_classes is {}: wanted at least 1", options.num_classes);
  if (options.groups < 1 || options.width_per_group < 1)
    throw usage_error("groups is {} and width_per_group {}: wanted at least 1", options.groups,
                      options.width_per_group);
  const auto stages = static_cast<int64_t>(options.layers.size());
  check_range("number of stages in layers", stages, kMostStages);
  for (const int64_t blocks : options.layers) check_range("number of blocks in a stage", blocks, kMostBlocks);
  check_range("channels", options.channels, int64_t{1} << 14);
  if (options.norm_groups < 0) throw usage_error("norm_groups is {}: wanted at least 1", options.norm_groups);
  if (options.norm_groups > 0 && options.norm == Norm::kBatch)
    throw usage_error("norm_groups is {}, and batch norm has none: they are of norm group", options.norm_groups);
  const auto& dilate = options.replace_stride_with_dilation;
  if (static_cast<int64_t>(dilate.size()) != stages - 1 && dilate != ResNetOptions().replace_stride_with_dilation)
    throw usage_error("replace_stride_with_dilation has {} elements: wanted one for each stage after the first, {}",
                      dilate.size(), stages - 1);
  if (!options.residual && (options.zero_init_residual || options.shortcut != Shortcut::kProjection))
    throw usage_error("a network with no_residual has neither zero_init_residual nor a shortcut");
  return Builder(options).build();
}

}  // namespace resflow
