#include "ops/pooling/pad_shortcut.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "io/core/error.h"
#include "ops/kernels/parallel.h"
#include "ops/primitive.h"

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;

// Channels in memory: `blocks` of `width` that lie together, the pixels of a block one after another.
struct ChannelBlocks {
  int64_t width = 0, blocks = 1;
};

// Channels that lie together both in src and in dst.
struct Run {
  int64_t src_block, src_at, dst_block, dst_at, count;
};

std::vector<Run> runs_of(int64_t channels, int64_t before, int64_t src_width, int64_t dst_width) {
  std::vector<Run> runs;
  for (int64_t c = 0; c < channels;) {
    const int64_t to = c + before;
    const int64_t count = std::min({channels - c, src_width - c % src_width, dst_width - to % dst_width});
    runs.push_back({c / src_width, c % src_width, to / dst_width, to % dst_width, count});
    c += count;
  }
  return runs;
}

class PadShortcut final : public Op {
 public:
  PadShortcut(const OpContext& context, const PadShortcutOptions& options, const Desc& src)
      : stride_(options.stride), parts_(context.compute.threads()) {
    const Dims s = src.get_dims();
    const auto type = src.get_data_type();
    const Dims d = {s[0], options.out, (s[2] + stride_ - 1) / stride_, (s[3] + stride_ - 1) / stride_};
    Tag tag = Tag::nhwc;
    for (const Tag blocked : {Tag::nChw16c, Tag::nChw8c})
      if (src == Desc(s, type, blocked)) tag = blocked;
    const int64_t block = tag == Tag::nChw16c ? 16 : tag == Tag::nChw8c ? 8 : 0;
    const auto blocks_of = [&](int64_t channels) {
      return block == 0 ? ChannelBlocks{channels, 1} : ChannelBlocks{block, (channels + block - 1) / block};
    };
    src_blocks_ = blocks_of(s[1]);
    dst_blocks_ = blocks_of(d[1]);
    src_dims_ = s;
    dst_dims_ = d;
    bytes_ = dnnl::memory::data_type_size(type);
    runs_ = runs_of(s[1], (d[1] - s[1]) / 2, src_blocks_.width, dst_blocks_.width);

    requirements_.src = {Desc(s, type, tag)};
    requirements_.dst = Desc(d, type, tag);
    // The f32 of an edge are its real values.
    requirements_.keeps_scale = type != dnnl::memory::data_type::f32;
    if (!context.training) return;
    requirements_.diff_dst = requirements_.dst;
    if (context.need_diff_src) requirements_.diff_src = requirements_.src;
  }

  void bind(const Buffers& b) override { buffers_ = b; }

  void forward() override {
    const auto* src = static_cast<const std::byte*>(buffers_.src[0]);
    auto* dst = static_cast<std::byte*>(buffers_.dst);
    each_picture([&](int64_t n) {
      clear(dst, dst_dims_, dst_blocks_, n);
      each_run(n, [&](int64_t from, int64_t to, size_t bytes) { std::memcpy(dst + to, src + from, bytes); });
    });
  }

  void backward() override {
    if (buffers_.diff_src.empty()) return;
    const auto* diff_dst = static_cast<const std::byte*>(buffers_.diff_dst);
    auto* diff_src = static_cast<std::byte*>(buffers_.diff_src[0]);
    each_picture([&](int64_t n) {
      clear(diff_src, src_dims_, src_blocks_, n);
      each_run(n, [&](int64_t to, int64_t from, size_t bytes) { std::memcpy(diff_src + to, diff_dst + from, bytes); });
    });
  }

  std::string implementation() const override { return "resflow:copy"; }

 private:
  template <class F>
  void each_picture(const F& f) const {
    parallel_parts(parts_, [&](int part) {
      const Range pictures = part_of(src_dims_[0], part, parts_);
      for (int64_t n = pictures.begin; n < pictures.end; ++n) f(n);
    });
  }

  int64_t picture_bytes(const Dims& dims, const ChannelBlocks& blocks) const {
    return blocks.blocks * blocks.width * dims[2] * dims[3] * static_cast<int64_t>(bytes_);
  }

  // Channels that pad a block are zeros, too.
  void clear(std::byte* values, const Dims& dims, const ChannelBlocks& blocks, int64_t n) const {
    const int64_t bytes = picture_bytes(dims, blocks);
    std::memset(values + n * bytes, 0, static_cast<size_t>(bytes));
  }

  // f(offset in src, offset in dst, bytes) of the values of a picture that are in both.
  template <class F>
  void each_run(int64_t n, const F& f) const {
    const auto size = static_cast<int64_t>(bytes_);
    const int64_t src_picture = n * picture_bytes(src_dims_, src_blocks_),
                  dst_picture = n * picture_bytes(dst_dims_, dst_blocks_);
    const int64_t src_pixels = src_dims_[2] * src_dims_[3], dst_pixels = dst_dims_[2] * dst_dims_[3];
    for (const Run& run : runs_)
      for (int64_t y = 0; y < dst_dims_[2]; ++y)
        for (int64_t x = 0; x < dst_dims_[3]; ++x) {
          const int64_t from = run.src_block * src_pixels + y * stride_ * src_dims_[3] + x * stride_;
          const int64_t to = run.dst_block * dst_pixels + y * dst_dims_[3] + x;
          f(src_picture + (from * src_blocks_.width + run.src_at) * size,
            dst_picture + (to * dst_blocks_.width + run.dst_at) * size, static_cast<size_t>(run.count * size));
        }
  }

  const int64_t stride_;
  const int parts_;
  Dims src_dims_, dst_dims_;
  ChannelBlocks src_blocks_, dst_blocks_;
  size_t bytes_ = 0;  // of a value
  std::vector<Run> runs_;
  Buffers buffers_;
};

}  // namespace

std::unique_ptr<Op> make_pad_shortcut(const OpContext& context, const PadShortcutOptions& options, const Desc& src) {
  require_rank(src, 4, "shortcut by padding, src");
  if (options.stride < 1 || options.out < src.get_dims()[1])
    throw usage_error("shortcut by padding: {} channels with stride {} of src {}", options.out, options.stride,
                      to_string(src.get_dims()));
  return context.compute.run(
      [&]() -> std::unique_ptr<Op> { return std::make_unique<PadShortcut>(context, options, src); });
}

}  // namespace resflow
