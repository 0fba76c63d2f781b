// TIFF and BigTIFF to RGB u8 by libtiff, equal to Pillow's convert("RGB") to the bit: strips and tiles, planes together
// or apart, every compression that Pillow knows, and these pixels: grey of 1, 2, 4, 8, 12, 16 and 32 bits and floats
// (above 8 bits clipped at 255), palettes, RGB of 8 and 16 bits with up to three extra samples, CMYK, YCbCr. Of several
// pictures the first is read. Alpha is dropped; colours that were multiplied by it are divided by it.
//
// width, height and decode speak of the picture as it is stored: Pillow turns a TIFF upright when it reads it, and so
// does Decoder. What Pillow refuses is refused, and so is CIE L*a*b*, which Pillow has converted by a colour management
// library. Read as they are meant, though Pillow 9.4 mixes them up, are uncompressed YCbCr, uncompressed 16-bit colours
// with their planes apart, and compressed big-endian values of 32 bits.
//
// decode always decodes all of the picture. Nothing of libtiff's is printed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "io/images/image_reader.h"

namespace resflow {

// Whether a file that begins with these bytes is a TIFF or a BigTIFF.
bool is_tiff(std::span<const uint8_t> bytes);

std::unique_ptr<ImageReader> make_tiff_reader();

}  // namespace resflow
