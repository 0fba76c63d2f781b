"""Prints what Pillow makes of each file that the list names: "width height crc32 adler32" of its RGB bytes, or
"error REASON". Usage: pillow_decode.py LIST (one path a line)"""
import sys
import warnings
import zlib

from PIL import Image

warnings.simplefilter("ignore")


def verdict(path):
    try:
        with Image.open(path) as image:
            if image.format not in ("JPEG", "MPO", "PNG", "WEBP"):
                return f"error is a {image.format}"
            rgb = image.convert("RGB")
    except Exception as error:  # Pillow raises many types for broken files
        return "error " + " ".join(str(error).split())
    pixels = rgb.tobytes()
    return f"{rgb.width} {rgb.height} {zlib.crc32(pixels)} {zlib.adler32(pixels)}"


with open(sys.argv[1], encoding="utf-8", errors="surrogateescape") as names:
    for name in names:
        print(verdict(name.rstrip("\n")))
