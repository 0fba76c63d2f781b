#include "io/images/decode.h"

#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "io/core/error.h"
#include "io/core/memory_limit.h"
#include "io/images/memory_share.h"

namespace resflow {

DecodeMode decode_mode(std::string_view name) {
  if (name == "exact") return DecodeMode::kExact;
  if (name == "fast") return DecodeMode::kFast;
  throw usage_error("{} {}: wanted exact or fast", setting("decode"), name);
}

void check(const Acceptance& accept) {
  if (accept.max_pixels < 1 || accept.max_pixels > kMaxPixels)
    throw usage_error("{} {}: wanted 1 to {}", setting("max_pixels"), accept.max_pixels, kMaxPixels);
}

Acceptance acceptance(int64_t max_pixels, std::string_view truncated, std::string_view grey16) {
  if (truncated != "take" && truncated != "refuse")
    throw usage_error("{} {}: wanted take or refuse", setting("truncated"), truncated);
  if (grey16 != "clip" && grey16 != "scale")
    throw usage_error("{} {}: wanted clip or scale", setting("grey16"), grey16);
  const Acceptance accept = {
      .max_pixels = max_pixels, .truncated = truncated == "take", .scale_grey16 = grey16 == "scale"};
  check(accept);
  return accept;
}

void check_pixels(int width, int height, int64_t most) {
  if (int64_t{width} * height > most)
    throw data_error("its header says {}x{} pixels, wanted at most {} in all", width, height, most);
}

struct Decoder::Impl {
  const std::map<const ImageFormat*, std::unique_ptr<ImageReader>> readers = [] {
    std::map<const ImageFormat*, std::unique_ptr<ImageReader>> all;
    for (const ImageFormat& known : image_formats())
      if (known.make_reader != nullptr) all[&known] = known.make_reader();
    return all;
  }();
  ImageReader* reader = nullptr;  // of the opened picture
  const ImageFormat* format = nullptr;
  int width = 0, height = 0;            // upright, as the Decoder gives it
  int full_width = 0, full_height = 0;  // stored, before any scaling
  int eighths = 8;
  std::string name;
  bool exif = false;
  Acceptance accept;
  StopAsked stop;
  Orientation orientation;  // of the opened picture
  Image stored;             // its part that is decoded before it is turned

  // Runs `work`; its errors gain the file's name.
  template <class Work>
  void named(const Work& work) {
    const std::string where = name.empty() ? "" : name + ": ";
    try {
      with_memory(
          stop, [this] { give_back(); }, work);
    } catch (const Error& error) {
      if (where.empty()) throw;
      throw Error(error.kind(), where + error.marked());
    } catch (const std::bad_alloc&) {
      throw system_error("{}no memory for an image of {}x{}", where, width, height);
    }
  }

  void open(std::span<const uint8_t> bytes) {
    const auto found = readers.find(format);
    if (found == readers.end()) throw data_error("{}", describe_unreadable(bytes, name));
    reader = found->second.get();
    reader->decoding() = {
        .stop = StopPoll(&stop), .take_truncated = accept.truncated, .scale_grey16 = accept.scale_grey16};
    reader->open(bytes);
    check_pixels(reader->width(), reader->height(), accept.max_pixels);
    if (exif || format->always_upright) orientation = read_orientation(bytes, format);
    full_width = reader->width();
    full_height = reader->height();
    eighths = 8;
    stand_upright();
    check_bytes();
  }

  // What is known before anything was allocated.
  void check_bytes() const {
    constexpr int64_t kMega = 1'000'000;
    const int64_t working = reader->working_bytes(), all = decoding_bytes(), there = memory_limit_of_machine();
    if (working > kMaxWorkingBytes)
      throw data_error("needs {} MB to decode its {}x{} pixels, wanted at most {} beyond the pixels themselves",
                       all / kMega, width, height, kMaxWorkingBytes / kMega);
    if (all > there)
      throw data_error("needs {} MB to decode its {}x{} pixels, and there are {} on this machine or for its container",
                       all / kMega, width, height, there / kMega);
    if (all <= kLargeBytes) return;
    if (const int64_t left = addresses_left(); all > left)
      throw data_error("needs {} MB to decode its {}x{} pixels, and this process may have {} more (ulimit -v)",
                       all / kMega, width, height, left / kMega);
  }

  static int64_t memory_limit_of_machine() {
    static const int64_t limit = usable_memory();
    return limit;
  }

  int64_t decoding_bytes() const {
    const int64_t pixels = int64_t{3} * width * height;
    return reader->working_bytes() + pixels * (orientation.is_upright() ? 1 : 2);
  }

  void give_back() {
    if (reader != nullptr) reader->give_back();
    stored.give_back();
  }

  void stand_upright() {
    width = orientation.swaps_sides() ? reader->height() : reader->width();
    height = orientation.swaps_sides() ? reader->width() : reader->height();
  }

  void decode(const Rect& region, Image& out) {
    const MemoryShare share(decoding_bytes(), stop);
    reader->decoding().truncated = false;
    reader->decoding().grey16 = reader->decoding().clipped = 0;
    if (orientation.is_upright()) {
      reader->decode(region, out);
    } else {
      reader->decode(orientation.stored(region, reader->width(), reader->height()), stored);
      orientation.turn(stored, out);
    }
    give_back();
  }
};

Decoder::Decoder() : impl_(std::make_unique<Impl>()) {}
Decoder::~Decoder() = default;

void Decoder::set_exif(bool apply) { impl_->exif = apply; }
void Decoder::set_acceptance(const Acceptance& accept) {
  check(accept);
  impl_->accept = accept;
}
void Decoder::set_stop(StopAsked stop) { impl_->stop = std::move(stop); }

void Decoder::open(std::span<const uint8_t> bytes, std::string_view name) {
  Impl& self = *impl_;
  self.name = name;
  self.width = self.height = 0;
  self.orientation = Orientation();
  self.format = image_format(bytes);
  self.named([&] { self.open(bytes); });
}

const ImageFormat* Decoder::format() const { return impl_->format; }
int Decoder::width() const { return impl_->width; }
int Decoder::height() const { return impl_->height; }
int64_t Decoder::decoding_bytes() const { return impl_->decoding_bytes(); }
bool Decoder::was_truncated() const { return impl_->reader->decoding().truncated; }
int64_t Decoder::grey16_pixels() const { return impl_->reader->decoding().grey16; }
int64_t Decoder::clipped_pixels() const { return impl_->reader->decoding().clipped; }
void Decoder::give_back() { impl_->give_back(); }

bool Decoder::set_scale(int eighths) {
  Impl& self = *impl_;
  if (!self.reader->set_scale(eighths)) return false;
  self.eighths = eighths;
  self.stand_upright();
  return true;
}

Box Decoder::scaled(const Rect& region) const {
  const Impl& self = *impl_;
  // In the stored picture, for its blocks begin at its top left corner: mirrored, they leave a part of a pixel there.
  const Rect stored = self.orientation.stored(region, self.full_width, self.full_height);
  const double scale = self.eighths / 8.0;
  const Box box = {stored.left * scale, stored.top * scale, stored.width * scale, stored.height * scale};
  return self.orientation.upright(box, self.reader->width(), self.reader->height());
}

void Decoder::decode(Image& out) { decode({0, 0, width(), height()}, out); }

void Decoder::decode(const Rect& region, Image& out) {
  Impl& self = *impl_;
  self.named([&] {
    const bool inside = region.left >= 0 && region.top >= 0 && region.width > 0 && region.height > 0 &&
                        region.width <= self.width - region.left && region.height <= self.height - region.top;
    if (!inside) {
      throw internal_error("region {}x{} at ({},{}) is not within the image of {}x{}", region.width, region.height,
                           region.left, region.top, self.width, self.height);
    }
    self.decode(region, out);
  });
}

}  // namespace resflow
