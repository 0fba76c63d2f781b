"""Files that are small and ask for much: one a trick. Each is written by a function of the path, and says how many
pixels it really has to decode."""
import gzip
import io
import struct
import tarfile
import zlib
from dataclasses import dataclass
from typing import Callable

from .pictures import PNG_START, png, png_chunk, sound_ppm, tiff, zeros

MOST = 13377  # a square of the most pixels that a picture may have


@dataclass
class Bomb:
    name: str  # of the file, with its ending
    write: Callable
    pixels: int = 0
    heavy: bool = False  # takes seconds to make: the full run alone


def file(data):
    return lambda path: path.write_bytes(data())


def png_rows(width, height, channels, depth=8):
    return zeros(height * (1 + width * channels * depth // 8))


def tiff_tile(side_of_tile, side, per_sample, samples, count=1, width=0, tail=b"", compression=1):
    width = width or side
    entries = {256: (4, [width]), 257: (4, [side]), 258: (3, [per_sample] * samples), 259: (3, [compression]),
               262: (3, [2 if samples > 2 else 1]), 277: (3, [samples]), 284: (3, [1]), 322: (4, [side_of_tile]),
               323: (4, [side_of_tile]), 324: (4, [1 << 20] * count if tail else [8]),
               325: (4, [len(tail)] * count if tail else [10])}
    if samples == 4:
        entries[338] = (3, [2])
    return tiff(entries, tail, 1 << 20)


def tiff_strips(width, height, rows, count, samples=1, data=b"\0", compression=1):
    return tiff({256: (4, [width]), 257: (4, [height]), 258: (3, [8] * min(samples, 4)), 259: (3, [compression]),
                 262: (3, [1]), 273: (4, [1 << 20] * count), 277: (3, [samples]), 278: (4, [rows]),
                 279: (4, [len(data)] * count), 284: (3, [1])}, data, 1 << 20)


def jpeg_marker(code, data):
    return b"\xff" + bytes([code]) + struct.pack(">H", len(data) + 2) + data


def jpeg_scans(side, scans, components=1):
    """A progressive JPEG of `scans` scans without data: each is a walk over all its blocks."""
    parts = b"".join(bytes([i + 1, 0x11, 0]) for i in range(components))
    table = jpeg_marker(0xdb, b"\0" + bytes([1] * 64))
    frame = jpeg_marker(0xc2, struct.pack(">BHHB", 8, side, side, components) + parts)
    code = bytes([1] + [0] * 15) + b"\0"  # one code, of one bit: the symbol 0
    tables = jpeg_marker(0xc4, b"\0" + code) + jpeg_marker(0xc4, b"\x10" + code)
    dc = jpeg_marker(0xda, bytes([components]) + b"".join(bytes([i + 1, 0]) for i in range(components)) + b"\0\0\0")
    ac = jpeg_marker(0xda, b"\1\1\0\1\x3f\0")
    return b"\xff\xd8" + table + frame + tables + dc + ac * scans + b"\xff\xd9"


def jpeg_exif_loop():
    folder = struct.pack("<H", 65535) + struct.pack("<HHII", 0x8769, 4, 1, 8) * 4000
    exif = b"Exif\0\0II*\0\x08\0\0\0" + folder
    return b"\xff\xd8" + jpeg_marker(0xe1, exif[:65000]) * 100 + b"\xff\xd9"


def webp_header(side):
    bits = (side - 1) | (side - 1) << 14
    data = b"\x2f" + struct.pack("<I", bits) + bytes(64)
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def webp_canvas(side):
    size = struct.pack("<I", side - 1)[:3]
    canvas = b"VP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + size + size
    rest = webp_header(16)[12:]
    return b"RIFF" + struct.pack("<I", 4 + len(canvas) + len(rest)) + b"WEBP" + canvas + rest


def bmp(width, height, bits, compression=0, data=b""):
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    palette = bytes(4 << bits) if bits <= 8 else b""
    start = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + header + palette + data


def sparse(path):
    with open(path, "wb") as made:
        made.truncate(200 << 30)


def archive(members, compress=True):
    """members: (name, bytes, or how many zeros)."""
    def write(path):
        with tarfile.open(path, "w:gz" if compress else "w") as made:
            for name, data in members():
                facts = tarfile.TarInfo(name)
                facts.size = data if isinstance(data, int) else len(data)
                made.addfile(facts, Zeros(data) if isinstance(data, int) else io.BytesIO(data))
    return write


class Zeros(io.RawIOBase):
    def __init__(self, left):
        self.left = left

    def read(self, count=-1):
        take = min(count if count >= 0 else self.left, self.left)
        self.left -= take
        return bytes(take)


def many_text_chunks():
    header = struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)
    text = png_chunk(b"tEXt", b"a\0b")
    return (PNG_START + png_chunk(b"IHDR", header) + text * 200_000 + png_chunk(b"IDAT", zlib.compress(bytes(20))) +
            png_chunk(b"IEND", b""))


PICTURES = [
    Bomb("wide.png", file(lambda: png(9_000_000, 1, png_rows(9_000_000, 1, 1), color=0)), 9_000_000),
    Bomb("wider.png", file(lambda: png(60_000_000, 1, png_rows(60_000_000, 1, 1), color=0)), 60_000_000),
    Bomb("tall.png", file(lambda: png(1, 9_000_000, png_rows(1, 9_000_000, 1), color=0)), 9_000_000),
    Bomb("nothing-behind.png", file(lambda: png(MOST, MOST, zeros(1 << 16), depth=16, color=6)), 0),
    Bomb("interlaced.png", file(lambda: png(MOST, MOST, zeros(1 << 20), depth=16, color=6, interlace=1)), 0),
    Bomb("giant.png", file(lambda: png(MOST, MOST, png_rows(MOST, MOST, 3))), MOST * MOST, heavy=True),
    Bomb("row-of-16-bits.png", file(lambda: png(178_956_970, 1, png_rows(178_956_970, 1, 4, 16), depth=16, color=6)),
         2 * 178_956_970, heavy=True),
    Bomb("interlaced-giant.png", file(lambda: png(MOST, MOST, png_rows(MOST, MOST, 4, 16), depth=16, color=6,
                                                  interlace=1)), 2 * MOST * MOST, heavy=True),
    Bomb("profile.png", file(lambda: png(4, 4, zlib.compress(bytes(52)),
                                         extra=png_chunk(b"iCCP", b"p\0\0" + zeros(1 << 30))))),
    Bomb("text.png", file(lambda: png(4, 4, zlib.compress(bytes(52)),
                                      extra=png_chunk(b"zTXt", b"p\0\0" + zeros(1 << 30))))),
    Bomb("chunks.png", file(many_text_chunks)),
    Bomb("tile.tif", file(lambda: tiff_tile(26752, MOST, 16, 4))),
    Bomb("tiles.tif", file(lambda: tiff_tile(26752, 178_956_970, 8, 1, 6690, 1, zeros(26752 * 26752), 8)),
         178_956_970, heavy=True),
    Bomb("few-tiles.tif", file(lambda: tiff_tile(8192, 1_000_000, 8, 1, 123, 1, zeros(8192 * 8192), 8)), 1_000_000),
    Bomb("one-strip.tif", file(lambda: tiff_strips(1, 178_956_970, 2 ** 32 - 1, 1, data=zeros(178_956_970),
                                                   compression=8)), 178_956_970),
    Bomb("many-strips.tif", file(lambda: tiff_strips(1, 100_000, 1, 100_000, data=zeros(1 << 24), compression=8)),
         100_000),
    Bomb("samples.tif", file(lambda: tiff_strips(1000, 1000, 1000, 1, samples=65535))),
    Bomb("lines.tif", file(lambda: tiff_strips(178_956_970, 1, 1, 1, data=zeros(178_956_970), compression=8)),
         178_956_970),
    Bomb("scans.jpg", file(lambda: jpeg_scans(MOST, 5000)), MOST * MOST),
    Bomb("many-scans.jpg", file(lambda: jpeg_scans(2048, 200_000)), 2048 * 2048),
    Bomb("three-components.jpg", file(lambda: jpeg_scans(MOST, 3, 3)), MOST * MOST),
    Bomb("exif.jpg", file(jpeg_exif_loop)),
    Bomb("sparse.jpg", sparse),
    Bomb("header.webp", file(lambda: webp_header(16383))),
    Bomb("canvas.webp", file(lambda: webp_canvas(MOST))),
    Bomb("nothing-behind.bmp", file(lambda: bmp(MOST, MOST, 24))),
    Bomb("negative.bmp", file(lambda: bmp(16, -2 ** 31, 24, data=bytes(4096)))),
    Bomb("runs.bmp", file(lambda: bmp(MOST, MOST, 8, 1, b"\xff\0" * 4_000_000)), MOST * MOST),
    Bomb("digits.ppm", file(lambda: b"P6 " + b"1" * 5_000_000 + b" 4 255\n" + bytes(64))),
    Bomb("comment.ppm", file(lambda: b"P6\n#" + b"x" * 9_000_000 + b"\n4 4 255\n" + bytes(48))),
    Bomb("comments.ppm", file(lambda: b"P3\n" + b"#\n" * 4_000_000 + b"1 1 255 1 2 3\n")),
    Bomb("nothing-behind.ppm", file(lambda: b"P6 %d %d 65535\n" % (MOST, MOST))),
    Bomb("bits.ppm", file(lambda: b"P4 %d 8000\n" % MOST + bytes(1 << 20))),
]

# Archives: how many rows they give, the sound picture's among them.
SOUND = sound_ppm(8, 8, bytes(192))


def gzip_of_gzip(path):
    with gzip.open(path, "wb", 9) as made:
        for _ in range(256):
            made.write(bytes(1 << 22))


ARCHIVES = [
    (Bomb("member.tar.gz", archive(lambda: [("x.jpg", 1 << 30), ("sound.ppm", SOUND)]), heavy=True), 2),
    (Bomb("stranger.tar.gz", archive(lambda: [("x.bin", 1 << 29), ("sound.ppm", SOUND)])), 1),
    (Bomb("empty-members.tar.gz", archive(lambda: [("%d.txt" % i, b"") for i in range(50_000)] +
                                          [("sound.ppm", SOUND)])), 1),
    (Bomb("deep-names.tar.gz", archive(lambda: [("a/" * 2000 + "x.ppm", SOUND), ("sound.ppm", SOUND)])), 2),
    (Bomb("no-archive.tar.gz", gzip_of_gzip), 0),
]
