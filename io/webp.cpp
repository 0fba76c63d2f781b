#include "io/webp.h"

#include <webp/demux.h>

#include "io/error.h"

namespace resflow {
namespace {

struct DeleteDecoder {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};

}  // namespace

// Pillow reads every WebP as an animation, of which a still picture is the shortest.
struct WebpReader::Impl {
  std::span<const uint8_t> bytes;
  int width = 0, height = 0;
};

WebpReader::WebpReader() : impl_(std::make_unique<Impl>()) {}
WebpReader::~WebpReader() = default;

void WebpReader::open(std::span<const uint8_t> bytes) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(bytes.data(), bytes.size(), &features) != VP8_STATUS_OK)
    throw data_error("is a WebP whose header is damaged or ends early");
  *impl_ = {.bytes = bytes, .width = features.width, .height = features.height};
}

int WebpReader::width() const { return impl_->width; }
int WebpReader::height() const { return impl_->height; }

void WebpReader::decode(const Rect& region, Image& out) {
  WebPAnimDecoderOptions options;
  if (WebPAnimDecoderOptionsInit(&options) == 0) throw internal_error("libwebpdemux is not the one it was built with");
  options.color_mode = MODE_RGBA;
  options.use_threads = 0;  // every picture has a thread of its own
  const WebPData data = {impl_->bytes.data(), impl_->bytes.size()};
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

}  // namespace resflow
