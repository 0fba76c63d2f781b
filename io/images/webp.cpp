#include "io/images/webp.h"

#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <new>
#include <vector>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/images/memory_share.h"

namespace resflow {
namespace {

struct DeleteDecoder {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};

// Of more pixels than this a still picture is decoded piece by piece, so that it can be stopped, and without the
// canvases of an animation.
constexpr int64_t kHugePixels = int64_t{1} << 24;

struct DeleteIncremental {
  void operator()(WebPIDecoder* decoder) const { WebPIDelete(decoder); }
};

// Pillow reads every WebP as an animation, of which a still picture is the shortest.
class WebpReader final : public ImageReader {
 public:
  void open(std::span<const uint8_t> bytes) override {
    WebPBitstreamFeatures features;
    if (WebPGetFeatures(bytes.data(), bytes.size(), &features) != VP8_STATUS_OK)
      throw data_error("is a WebP whose header is damaged or ends early");
    bytes_ = bytes;
    width_ = features.width;
    height_ = features.height;
    in_pieces_ = features.has_animation == 0 && int64_t{width_} * height_ > kHugePixels;
  }
  int width() const override { return width_; }
  int height() const override { return height_; }

  // Four bytes a pixel are the decoder's own, if it is lossless. The rest is what is read here: RGB, or two canvases of
  // RGBA.
  int64_t working_bytes() const override { return int64_t{width_} * height_ * (in_pieces_ ? 4 + 3 : 4 + 8); }
  void give_back() override { give_back_large(pixels_); }

  void decode(const Rect& region, Image& out) override {
    if (in_pieces_)
      decode_pieces(region, out);
    else
      decode_animation(region, out);
  }

 private:
  [[noreturn]] static void fail(const ShortageWatch& shortage) {
    if (shortage.seen()) throw std::bad_alloc();
    throw data_error("is a WebP that is damaged or ends early");
  }

  void decode_animation(const Rect& region, Image& out) const {
    WebPAnimDecoderOptions options;
    if (WebPAnimDecoderOptionsInit(&options) == 0)
      throw internal_error("libwebpdemux is not the one it was built with");
    options.color_mode = MODE_RGBA;
    options.use_threads = 0;  // every picture has a thread of its own
    const WebPData data = {bytes_.data(), bytes_.size()};
    const ShortageWatch shortage;
    const std::unique_ptr<WebPAnimDecoder, DeleteDecoder> decoder(WebPAnimDecoderNew(&data, &options));
    WebPAnimInfo info;
    uint8_t* pixels = nullptr;
    int timestamp = 0;
    if (!decoder || WebPAnimDecoderGetInfo(decoder.get(), &info) == 0 ||
        WebPAnimDecoderGetNext(decoder.get(), &pixels, &timestamp) == 0)
      fail(shortage);
    if (static_cast<int>(info.canvas_width) != width() || static_cast<int>(info.canvas_height) != height())
      throw data_error("is a WebP whose headers say {}x{} and {}x{}", width(), height(), info.canvas_width,
                       info.canvas_height);
    out.resize(region.width, region.height);
    for (int y = 0; y < region.height; ++y) {
      const auto at =
          static_cast<size_t>(region.top + y) * static_cast<size_t>(width()) + static_cast<size_t>(region.left);
      const uint8_t* from = pixels + at * 4;
      uint8_t* to = out.row(y);
      for (int x = 0; x < region.width; ++x, from += 4, to += 3) {
        to[0] = from[0];
        to[1] = from[1];
        to[2] = from[2];
      }
    }
  }

  void decode_pieces(const Rect& region, Image& out) {
    const size_t stride = static_cast<size_t>(width_) * 3, all = stride * static_cast<size_t>(height_);
    const bool whole = region == Rect{0, 0, width_, height_};
    out.resize(region.width, region.height);
    if (!whole && pixels_.size() < all) pixels_.resize(all);
    read_pieces(whole ? out.row(0) : pixels_.data(), stride, all);
    for (int y = 0; !whole && y < region.height; ++y)
      std::copy_n(pixels_.data() + static_cast<size_t>(region.top + y) * stride + static_cast<size_t>(region.left) * 3,
                  out.row_bytes(), out.row(y));
  }

  void read_pieces(uint8_t* rgb, size_t stride, size_t all) {
    constexpr size_t kPieces = 512;
    WebPDecoderConfig config;
    if (WebPInitDecoderConfig(&config) == 0) throw internal_error("libwebp is not the one it was built with");
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = {.rgba = rgb, .stride = static_cast<int>(stride), .size = all};
    const ShortageWatch shortage;
    const std::unique_ptr<WebPIDecoder, DeleteIncremental> decoder(WebPIDecode(nullptr, 0, &config));
    if (!decoder) fail(shortage);
    VP8StatusCode status = VP8_STATUS_SUSPENDED;
    for (size_t piece = 1; piece <= kPieces && status == VP8_STATUS_SUSPENDED; ++piece) {
      status = WebPIUpdate(decoder.get(), bytes_.data(), bytes_.size() * piece / kPieces);
      decoding().stop.check(all / 3 / kPieces);
    }
    if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
    if (status != VP8_STATUS_OK) fail(shortage);
  }

  std::span<const uint8_t> bytes_;
  int width_ = 0, height_ = 0;
  bool in_pieces_ = false;
  std::vector<uint8_t> pixels_;  // of all the picture, where a region is read piece by piece
};

}  // namespace

bool is_webp(std::span<const uint8_t> bytes) { return begins_with(bytes, "RIFF") && begins_with(bytes, "WEBP", 8); }

namespace {

std::span<const uint8_t> chunk_of(std::span<const uint8_t> webp, const char* name) {
  const WebPData data = {webp.data(), webp.size()};
  WebPDemuxer* demuxer = WebPDemux(&data);
  if (demuxer == nullptr) return {};
  std::span<const uint8_t> content;
  WebPChunkIterator chunk;
  if (WebPDemuxGetChunk(demuxer, name, 1, &chunk) != 0) {
    content = {chunk.chunk.bytes, chunk.chunk.size};  // within `webp`: nothing is copied
    WebPDemuxReleaseChunkIterator(&chunk);
  }
  WebPDemuxDelete(demuxer);
  return content;
}

}  // namespace

std::span<const uint8_t> webp_exif(std::span<const uint8_t> webp) { return chunk_of(webp, "EXIF"); }
std::span<const uint8_t> webp_xmp(std::span<const uint8_t> webp) { return chunk_of(webp, "XMP "); }

std::unique_ptr<ImageReader> make_webp_reader() { return std::make_unique<WebpReader>(); }

}  // namespace resflow
