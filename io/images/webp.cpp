#include "io/images/webp.h"

#include <webp/demux.h>

#include "io/core/bytes.h"
#include "io/core/error.h"

namespace resflow {
namespace {

struct DeleteDecoder {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
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
  }
  int width() const override { return width_; }
  int height() const override { return height_; }

  void decode(const Rect& region, Image& out) override {
    WebPAnimDecoderOptions options;
    if (WebPAnimDecoderOptionsInit(&options) == 0)
      throw internal_error("libwebpdemux is not the one it was built with");
    options.color_mode = MODE_RGBA;
    options.use_threads = 0;  // every picture has a thread of its own
    const WebPData data = {bytes_.data(), bytes_.size()};
    const std::unique_ptr<WebPAnimDecoder, DeleteDecoder> decoder(WebPAnimDecoderNew(&data, &options));
    WebPAnimInfo info;
    uint8_t* pixels = nullptr;
    int timestamp = 0;
    if (!decoder || WebPAnimDecoderGetInfo(decoder.get(), &info) == 0 ||
        WebPAnimDecoderGetNext(decoder.get(), &pixels, &timestamp) == 0)
      throw data_error("is a WebP that is damaged or ends early");
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

 private:
  std::span<const uint8_t> bytes_;
  int width_ = 0, height_ = 0;
};

}  // namespace

bool is_webp(std::span<const uint8_t> bytes) { return begins_with(bytes, "RIFF") && begins_with(bytes, "WEBP", 8); }

std::span<const uint8_t> webp_exif(std::span<const uint8_t> webp) {
  const WebPData data = {webp.data(), webp.size()};
  WebPDemuxer* demuxer = WebPDemux(&data);
  if (demuxer == nullptr) return {};
  std::span<const uint8_t> exif;
  WebPChunkIterator chunk;
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) != 0) {
    exif = {chunk.chunk.bytes, chunk.chunk.size};  // within `webp`: nothing is copied
    WebPDemuxReleaseChunkIterator(&chunk);
  }
  WebPDemuxDelete(demuxer);
  return exif;
}

std::unique_ptr<ImageReader> make_webp_reader() { return std::make_unique<WebpReader>(); }

}  // namespace resflow
