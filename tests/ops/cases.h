// The table of op cases. Each row is checked against f64 loops (op_test.cpp), its gradients against finite
// differences (gradient_test.cpp), and those with `bench` are timed (bench/ops_bench.cpp).
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "ops/batch_norm.h"
#include "ops/conv.h"
#include "ops/kernels/simd.h"
#include "ops/pooling/max_pool.h"
#include "ops/precision.h"

namespace resflow::testing {

enum class Kind {
  kConv,
  kFoldedConv,
  kBatchNorm,
  kGroupNorm,
  kRelu,
  kMaxPool,
  kGlobalAvgPool,
  kAdd,
  kPadShortcut,
  kLinear
};

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

struct OpCase {
  std::string name{};
  Kind kind = Kind::kConv;
  Dims src{};                      // of the first source
  int64_t out = 0;                 // channels of dst: conv, folded conv, shortcut by padding, linear
  int64_t groups = 1, stride = 1;  // of group norm; of the shortcut
  ConvOptions conv{};
  MaxPoolOptions pool{};
  bool training = true;
  bool relu = false, residual = false;
  bool need_diff_src = true;
  Layout layout = Layout::kAny;
  Tag tag = Tag::nchw;  // layout in which the source comes
  float mean = 0;       // of the source's values; their deviation is 1
  bool bench = false;   // too large for whole f64 loops: checked at points
  // How the sources and dst are to be stored: f32 where nothing is said.
  std::vector<Storage> src_storage{};
  Storage dst_storage{};
};

inline std::ostream& operator<<(std::ostream& out, const OpCase& c) { return out << c.name; }

inline std::string to_name(Tag tag) {
  return tag == Tag::nhwc ? "nhwc" : tag == Tag::nChw16c ? "nChw16c" : tag == Tag::nChw8c ? "nChw8c" : "nchw";
}

inline void add_conv_cases(std::vector<OpCase>& cases) {
  struct Row {
    Dims src;
    int64_t out;
    ConvOptions conv;
  };
  const std::vector<Row> rows = {
      {{2, 64, 14, 14}, 128, {.kernel = 1}},
      {{2, 64, 15, 13}, 128, {.kernel = 1, .stride = 2}},
      {{1, 64, 1, 1}, 32, {.kernel = 1}},
      {{5, 5, 7, 9}, 7, {.kernel = 1}},
      {{2, 32, 14, 14}, 64, {.kernel = 3, .pad = 1}},
      {{5, 32, 7, 7}, 32, {.kernel = 3, .pad = 1}},
      {{2, 32, 15, 17}, 64, {.kernel = 3, .stride = 2, .pad = 1}},
      {{2, 64, 1, 1}, 64, {.kernel = 3, .pad = 1}},
      {{1, 64, 2, 2}, 64, {.kernel = 3, .stride = 2, .pad = 1}},
      {{2, 20, 11, 9}, 36, {.kernel = 3, .pad = 1}},
      {{1, 6, 10, 10}, 10, {.kernel = 3, .stride = 2, .pad = 1}},
      {{2, 32, 13, 13}, 32, {.kernel = 3, .pad = 2, .dilation = 2}},
      {{2, 64, 7, 7}, 64, {.kernel = 3, .pad = 4, .dilation = 4}},
      {{2, 32, 9, 9}, 64, {.kernel = 3, .pad = 1, .groups = 2}},
      {{2, 128, 14, 14}, 128, {.kernel = 3, .pad = 1, .groups = 32}},
      {{2, 128, 15, 15}, 128, {.kernel = 3, .stride = 2, .pad = 1, .groups = 32}},
      {{1, 256, 7, 7}, 256, {.kernel = 3, .pad = 1, .groups = 32}},
      {{2, 128, 9, 9}, 128, {.kernel = 3, .pad = 2, .dilation = 2, .groups = 32}},
      {{2, 3, 33, 35}, 64, {.kernel = 7, .stride = 2, .pad = 3}},
      {{5, 3, 32, 32}, 64, {.kernel = 7, .stride = 2, .pad = 3}},
  };
  const auto name_of = [](const Row& r, Layout layout) {
    const ConvOptions& c = r.conv;
    std::string name = fmt::format("k{}s{}p{}d{}g{}_{}to{}_{}x{}_n{}", c.kernel, c.stride, c.pad, c.dilation, c.groups,
                                   r.src[1], r.out, r.src[2], r.src[3], r.src[0]);
    return name + (layout == Layout::kAny ? "_any" : "_last");
  };
  for (const Layout layout : {Layout::kAny, Layout::kChannelsLast}) {
    for (const Row& r : rows) {
      OpCase c{.name = "conv_" + name_of(r, layout), .kind = Kind::kConv, .src = r.src, .out = r.out, .conv = r.conv};
      c.layout = layout;
      cases.push_back(c);
      if (r.src[1] == 3) {
        c.name += "_first";
        c.need_diff_src = false;
        cases.push_back(c);
      }
      c.kind = Kind::kFoldedConv;
      c.need_diff_src = true;
      c.training = false;
      for (const bool relu : {false, true})
        for (const bool residual : {false, true}) {
          c.relu = relu;
          c.residual = residual;
          c.name = "folded_" + name_of(r, layout) + (residual ? "_residual" : "") + (relu ? "_relu" : "");
          cases.push_back(c);
        }
    }
    // The layers of ResNet-34 and ResNet-50 at 224 x 224.
    const std::vector<Row> layers = {
        {{8, 3, 224, 224}, 64, {.kernel = 7, .stride = 2, .pad = 3}},
        {{8, 64, 56, 56}, 64, {.kernel = 3, .pad = 1}},
        {{8, 64, 56, 56}, 128, {.kernel = 3, .stride = 2, .pad = 1}},
        {{8, 128, 28, 28}, 128, {.kernel = 3, .pad = 1}},
        {{8, 256, 14, 14}, 256, {.kernel = 3, .pad = 1}},
        {{8, 512, 7, 7}, 512, {.kernel = 3, .pad = 1}},
        {{8, 256, 56, 56}, 64, {.kernel = 1}},
        {{8, 1024, 14, 14}, 256, {.kernel = 1}},
        {{8, 256, 56, 56}, 512, {.kernel = 1, .stride = 2}},
        {{8, 128, 56, 56}, 128, {.kernel = 3, .pad = 1, .groups = 32}},
    };
    for (const Row& r : layers) {
      OpCase c{.name = "conv_" + name_of(r, layout), .kind = Kind::kConv, .src = r.src, .out = r.out, .conv = r.conv};
      c.layout = layout;
      c.need_diff_src = r.src[1] != 3;
      c.bench = true;
      cases.push_back(c);
      c.kind = Kind::kFoldedConv;
      c.training = false;
      c.relu = true;
      c.name = "folded_" + name_of(r, layout) + "_relu";
      cases.push_back(c);
    }
  }
}

inline void add_batch_norm_cases(std::vector<OpCase>& cases) {
  const auto add = [&](OpCase c) {
    c.kind = Kind::kBatchNorm;
    c.name = fmt::format("batch_norm_{}_{}x{}_n{}_{}{}{}{}{}", c.src[1], c.src[2], c.src[3], c.src[0], to_name(c.tag),
                         c.training ? "" : "_eval", c.residual ? "_residual" : "", c.relu ? "_relu" : "",
                         c.mean != 0 ? "_far_mean" : "");
    cases.push_back(c);
  };
  for (const Tag tag : {Tag::nhwc, Tag::nChw16c, Tag::nChw8c, Tag::nchw})
    for (const bool relu : {false, true})
      for (const bool residual : {false, true}) {
        for (const bool training : {true, false})
          add({.src = {2, 64, 7, 9}, .training = training, .relu = relu, .residual = residual, .tag = tag});
        add({.src = {3, 20, 5, 5}, .relu = relu, .residual = residual, .tag = tag});
        add({.src = {1, 33, 40, 13}, .relu = relu, .residual = residual, .tag = tag});
        add({.src = {5, 16, 1, 1}, .relu = relu, .residual = residual, .tag = tag});
      }
  for (const Tag tag : {Tag::nhwc, Tag::nChw16c}) {
    add({.src = {5, 512, 7, 7}, .relu = true, .residual = true, .tag = tag});
    add({.src = {4, 32, 17, 19}, .relu = true, .tag = tag, .mean = 100});
    for (const bool residual : {false, true}) {
      add({.src = {8, 64, 56, 56}, .relu = true, .residual = residual, .tag = tag, .bench = true});
      add({.src = {8, 256, 56, 56}, .relu = true, .residual = residual, .tag = tag, .bench = true});
      add({.src = {8, 512, 7, 7}, .relu = true, .residual = residual, .tag = tag, .bench = true});
    }
    add({.src = {8, 64, 112, 112}, .relu = true, .tag = tag, .bench = true});
  }
}

inline void add_group_norm_cases(std::vector<OpCase>& cases) {
  const auto add = [&](OpCase c) {
    c.kind = Kind::kGroupNorm;
    c.name = fmt::format("group_norm_{}_of_{}_{}x{}_n{}_{}{}{}{}{}", c.groups, c.src[1], c.src[2], c.src[3], c.src[0],
                         to_name(c.tag), c.training ? "" : "_eval", c.residual ? "_residual" : "",
                         c.relu ? "_relu" : "", c.mean != 0 ? "_far_mean" : "");
    cases.push_back(c);
  };
  for (const Tag tag : {Tag::nhwc, Tag::nChw16c, Tag::nChw8c, Tag::nchw})
    for (const bool relu : {false, true})
      for (const bool residual : {false, true}) {
        for (const bool training : {true, false})
          add({.src = {3, 64, 7, 9},
               .groups = 32,
               .training = training,
               .relu = relu,
               .residual = residual,
               .tag = tag});
        // Groups end within blocks of channels, and a block is not full.
        add({.src = {2, 20, 5, 5}, .groups = 4, .relu = relu, .residual = residual, .tag = tag});
      }
  for (const Tag tag : {Tag::nhwc, Tag::nChw16c}) {
    add({.src = {1, 33, 40, 13}, .groups = 1, .relu = true, .residual = true, .tag = tag});
    add({.src = {5, 16, 1, 2}, .groups = 16, .relu = true, .tag = tag});
    add({.src = {1, 48, 1, 1}, .groups = 8, .residual = true, .tag = tag});
    add({.src = {4, 32, 17, 19}, .groups = 8, .relu = true, .tag = tag, .mean = 100});
    add({.src = {8, 256, 56, 56}, .groups = 32, .relu = true, .residual = true, .tag = tag, .bench = true});
  }
}

inline void add_pad_shortcut_cases(std::vector<OpCase>& cases) {
  for (const Tag tag : {Tag::nhwc, Tag::nChw16c, Tag::nChw8c, Tag::nchw}) {
    const auto add = [&](OpCase c, const char* what) {
      c.kind = Kind::kPadShortcut;
      c.tag = tag;
      c.name = fmt::format("pad_shortcut_{}_{}", what, to_name(tag));
      cases.push_back(c);
    };
    add({.src = {2, 16, 8, 8}, .out = 32, .stride = 2}, "cifar");
    add({.src = {3, 20, 7, 5}, .out = 45, .stride = 2}, "odd");
    add({.src = {2, 16, 5, 5}, .out = 64, .stride = 1}, "wider");
    add({.src = {1, 16, 9, 9}, .out = 16, .stride = 2}, "smaller");
    add({.src = {2, 32, 8, 8}, .out = 64, .stride = 2, .training = false}, "eval");
    const Storage eight = {Type::u8, 0.05F};
    if (tag == Tag::nhwc)
      add({.src = {2, 16, 8, 8},
           .out = 32,
           .stride = 2,
           .training = false,
           .src_storage = {eight},
           .dst_storage = eight},
          "8_bits");
  }
}

inline void add_other_cases(std::vector<OpCase>& cases) {
  std::vector<Tag> tags = {Tag::nhwc, Tag::nChw16c, Tag::nchw};
  if (cpu_isa() == Isa::kAvx2) tags.push_back(Tag::nChw8c);  // no other CPU's plan has blocks of eight
  for (const Tag tag : tags) {
    const std::string layout = to_name(tag);
    cases.push_back({.name = "relu_" + layout, .kind = Kind::kRelu, .src = {2, 20, 5, 7}, .tag = tag});
    cases.push_back(
        {.name = "relu_eval_" + layout, .kind = Kind::kRelu, .src = {2, 20, 5, 7}, .training = false, .tag = tag});
    cases.push_back({.name = "add_" + layout, .kind = Kind::kAdd, .src = {2, 20, 5, 7}, .residual = true, .tag = tag});
    cases.push_back({.name = "max_pool_" + layout, .kind = Kind::kMaxPool, .src = {2, 64, 16, 16}, .tag = tag});
    cases.push_back({.name = "max_pool_odd_" + layout, .kind = Kind::kMaxPool, .src = {3, 20, 13, 9}, .tag = tag});
    cases.push_back({.name = "max_pool_eval_" + layout,
                     .kind = Kind::kMaxPool,
                     .src = {3, 64, 13, 9},
                     .training = false,
                     .tag = tag});
    cases.push_back({.name = "max_pool_2x2_" + layout,
                     .kind = Kind::kMaxPool,
                     .src = {1, 32, 8, 8},
                     .pool = {.kernel = 2, .stride = 2, .pad = 0},
                     .tag = tag});
    cases.push_back(
        {.name = "global_avg_pool_" + layout, .kind = Kind::kGlobalAvgPool, .src = {2, 64, 7, 7}, .tag = tag});
    cases.push_back(
        {.name = "global_avg_pool_odd_" + layout, .kind = Kind::kGlobalAvgPool, .src = {5, 20, 3, 5}, .tag = tag});
    cases.push_back(
        {.name = "global_avg_pool_1x1_" + layout, .kind = Kind::kGlobalAvgPool, .src = {2, 32, 1, 1}, .tag = tag});
    cases.push_back(
        {.name = "linear_1x1_" + layout, .kind = Kind::kLinear, .src = {2, 64, 1, 1}, .out = 10, .tag = tag});
  }
  cases.push_back({.name = "linear", .kind = Kind::kLinear, .src = {5, 64}, .out = 17, .tag = Tag::nc});
  cases.push_back({.name = "linear_odd", .kind = Kind::kLinear, .src = {1, 33}, .out = 4, .tag = Tag::nc});
  cases.push_back(
      {.name = "linear_eval", .kind = Kind::kLinear, .src = {2, 64}, .out = 17, .training = false, .tag = Tag::nc});
  cases.push_back(
      {.name = "linear_1000", .kind = Kind::kLinear, .src = {8, 512}, .out = 1000, .tag = Tag::nc, .bench = true});
  for (const Tag tag : {Tag::nhwc, Tag::nChw16c}) {
    cases.push_back({.name = "max_pool_112_" + to_name(tag),
                     .kind = Kind::kMaxPool,
                     .src = {8, 64, 112, 112},
                     .tag = tag,
                     .bench = true});
    cases.push_back({.name = "global_avg_pool_512_" + to_name(tag),
                     .kind = Kind::kGlobalAvgPool,
                     .src = {8, 512, 7, 7},
                     .tag = tag,
                     .bench = true});
  }
}

inline const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> cases = [] {
    std::vector<OpCase> all;
    add_conv_cases(all);
    add_batch_norm_cases(all);
    add_group_norm_cases(all);
    add_pad_shortcut_cases(all);
    add_other_cases(all);
    return all;
  }();
  return cases;
}

}  // namespace resflow::testing
