"""Prints what Pillow makes of each file that the list names: "width height crc32 adler32" of its RGB bytes, or
"error REASON". Usage: pillow_decode.py LIST [exif] [truncated] (one path a line; with exif upright, as exif_transpose has
it; with truncated under LOAD_TRUNCATED_IMAGES)"""
import sys
import warnings
import zlib

from PIL import Image, ImageFile, ImageOps

warnings.simplefilter("ignore")
ImageFile.LOAD_TRUNCATED_IMAGES = "truncated" in sys.argv[2:]


def verdict(path):
    try:
        # As torchvision opens it: of a file with a name Pillow maps some, and refuses them where they end early.
        with open(path, "rb") as file, Image.open(file) as image:
            if image.format not in ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "PPM"):
                return f"error is a {image.format}"
            # TIFFs are upright once they are loaded; exif_transpose would turn them again.
            turn = "exif" in sys.argv[2:] and image.format != "TIFF"
            rgb = (ImageOps.exif_transpose(image) if turn else image).convert("RGB")
    except Exception as error:  # Pillow raises many types for broken files
        return "error " + " ".join(str(error).split())
    pixels = rgb.tobytes()
    return f"{rgb.width} {rgb.height} {zlib.crc32(pixels)} {zlib.adler32(pixels)}"


with open(sys.argv[1], encoding="utf-8", errors="surrogateescape") as names:
    for name in names:
        print(verdict(name.rstrip("\n")))
