// Image files to RGB u8, equal to Pillow's convert("RGB") to the bit.
//
// The format is told by the first bytes, never by the name. A Decoder is used by one thread at a time
// and reuses its memory from file to file.
//
//   std::vector<uint8_t> buffer;
//   Decoder decoder;
//   Image image;
//   for (const std::string path : {"ant.jpg", "bee.png"}) {
//     decoder.open(read_file(path, buffer), path);
//     decoder.decode(image);  // image.row(y) is image.width() pixels of red, green, blue
//   }
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "io/images/decoding.h"
#include "io/images/image.h"
#include "io/images/image_format.h"

namespace resflow {

// Pillow refuses more pixels than this as a decompression bomb; so do we, before allocating.
inline constexpr int64_t kMaxPixels = 178'956'970;

// What decoding may take beyond the file and three bytes a pixel. A file of a few kilobytes can ask for much more.
inline constexpr int64_t kMaxWorkingBytes = 1'500'000'000;

enum class DecodeMode {
  kExact,  // every pixel of the file, equal to Pillow's
  kFast,   // where a JPEG is to become much smaller anyway: half, a quarter or an eighth of them, from its low
           // frequencies
};

// "exact" or "fast". Throws Error{kUsage} for anything else; the setting is called "decode".
DecodeMode decode_mode(std::string_view name);

// Which files are pictures that are wanted.
struct Acceptance {
  int64_t max_pixels = kMaxPixels;  // those of more are refused by their header; 1 to kMaxPixels
  bool truncated = false;     // one that ends early is taken, with Pillow's pixels under LOAD_TRUNCATED_IMAGES: what is
                              // missing is grey in a JPEG, black in others. A WebP or TIFF is refused all the same
  bool scale_grey16 = false;  // of PNG, TIFF and PGM with 16-bit grey (TIFF: 12-bit, too) the high byte is taken, as
                              // Pillow takes it of 16-bit colour; else what is above 255 becomes white, as in Pillow
};

// Throws Error{kUsage} for a max_pixels that cannot be; the setting is called "max_pixels".
void check(const Acceptance& accept);
// With "take" truncated pictures are taken, with "refuse" they are not. Throws Error{kUsage} for anything else, and as
// check() does; the setting is called "truncated". "scale" and "clip" are for scale_grey16, called "grey16".
Acceptance acceptance(int64_t max_pixels, std::string_view truncated, std::string_view grey16 = "clip");

// Throws Error{kData} where a picture of this size has more than `most` pixels.
void check_pixels(int width, int height, int64_t most);

class Decoder {
 public:
  Decoder();
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Whether pictures are turned upright as their EXIF data say (io/images/exif.h); holds from the next open on. width,
  // height and regions then speak of the upright picture, which equals Pillow's ImageOps.exif_transpose to the bit. Off
  // at first: torchvision's ImageFolder shows pictures as they are stored. TIFFs alone are upright either way, because
  // Pillow turns them when it reads them (its exif_transpose turns them once more, which is its mistake).
  void set_exif(bool apply);
  // Holds from the next open on; at first all pictures that Pillow reads are.
  void set_acceptance(const Acceptance& accept);
  // Is asked by open and decode now and then. Where it says so, they throw DecodingStopped (io/images/decoding.h): the
  // picture is neither decoded nor broken. The file can then be opened again.
  void set_stop(StopAsked stop);

  // Reads the header. `bytes` must stay valid until decode has returned. Where a `name` is given, the Errors
  // of open and decode start with it: "ants/x.jpg: is a GIF named .jpg; resflow reads JPEG, PNG, ...".
  // Throws Error{kData} for what is no image we read, truncated, or too large, for the acceptance, for this machine
  // (io/core/memory_limit.h), or for what its pixels are worth: kMaxWorkingBytes beyond them. Throws Error{kSystem}
  // where memory is short even while no other large picture is in memory.
  void open(std::span<const uint8_t> bytes, std::string_view name = {});

  // What open() took the file for; null where it is none that resflow knows. REQUIRES: open() was called.
  const ImageFormat* format() const;
  int width() const;
  int height() const;

  // About how many bytes it takes to decode all of the picture, its pixels included. Where a picture that is decoded is
  // kept for a while after that, this is what to take a MemoryShare of before (io/images/memory_share.h); decode takes
  // one by itself. REQUIRES: a picture is open.
  int64_t decoding_bytes() const;
  // Whether the last decode took a picture that ends early.
  bool was_truncated() const;
  // Of the pixels that the last decode looked at: those of 16-bit grey, and of them those above 255, which are white
  // where 16-bit grey is clipped.
  int64_t grey16_pixels() const;
  int64_t clipped_pixels() const;
  // Frees buffers of more than kLargeBytes (io/images/image.h). decode has done it for those that it needs no more.
  void give_back();

  // Of a JPEG: decoding gives eighths / 8 of its width and height, rounded up, each pixel from the low frequencies of
  // its block, which costs a fraction of the time. width(), height() and regions then speak of that picture. False for
  // other formats, and nothing is changed. The verdict on damaged files is the same. Holds until the next open.
  // REQUIRES: a picture is open, and nothing of it was decoded yet; eighths is 1, 2, 4 or 8.
  bool set_scale(int eighths);
  // Where `region` of the picture as it was opened lies in the scaled one: at most a pixel beyond its edges.
  Box scaled(const Rect& region) const;

  // Decodes the opened image whole. Throws Error{kData} where it is truncated or corrupt.
  void decode(Image& out);

  // Decodes at least what is needed of `region` and sets `out` to exactly that region: the same bits as
  // decoding whole and cropping, and the same verdict (a truncated file is an error wherever the region is).
  // REQUIRES: region is not empty and lies within the image.
  void decode(const Rect& region, Image& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
