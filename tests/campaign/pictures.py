"""Picture files from nothing: small sound ones, and those that are made to be dangerous (bombs.py)."""
import random
import struct
import zlib

PNG_START = b"\x89PNG\r\n\x1a\n"


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, compressed, depth=8, color=2, interlace=0, extra=b""):
    """A PNG of this header and these compressed rows, whether they fit or not."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    return PNG_START + png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", compressed) + png_chunk(b"IEND", b"")


def zeros(count, level=9):
    """A zlib stream of `count` zeros, without having them all at once."""
    packer = zlib.compressobj(level)
    parts, block = [], bytes(1 << 20)
    while count > 0:
        take = min(count, len(block))
        parts.append(packer.compress(block[:take]))
        count -= take
    return b"".join(parts) + packer.flush()


def tiff(entries, tail=b"", tail_at=1 << 16):
    """A little-endian TIFF of one folder. entries: {tag: (3 SHORT or 4 LONG, [values])}; tail: bytes at tail_at."""
    fields, beyond = b"", b""
    start = 8 + 2 + 12 * len(entries) + 4
    for tag, (kind, values) in sorted(entries.items()):
        raw = struct.pack("<%d%s" % (len(values), "H" if kind == 3 else "I"), *values)
        if len(raw) > 4:
            place = struct.pack("<I", start + len(beyond))
            beyond += raw
        else:
            place = raw.ljust(4, b"\0")
        fields += struct.pack("<HHI", tag, kind, len(values)) + place
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + fields + bytes(4) + beyond
    return head.ljust(tail_at, b"\0") + tail if tail else head


def pixels_of(width, height, seed, low, high):
    draw = random.Random(seed)
    return bytes(draw.randrange(low, high) for _ in range(width * height * 3))


def sound_ppm(width, height, pixels):
    return b"P6\n%d %d\n255\n" % (width, height) + pixels


def sound_png(width, height, pixels):
    rows = b"".join(b"\0" + pixels[y * width * 3:(y + 1) * width * 3] for y in range(height))
    return png(width, height, zlib.compress(rows))


def sound_tiff(width, height, pixels):
    return tiff({256: (4, [width]), 257: (4, [height]), 258: (3, [8, 8, 8]), 259: (3, [1]), 262: (3, [2]),
                 273: (4, [1024]), 277: (3, [3]), 278: (4, [height]), 279: (4, [len(pixels)]), 284: (3, [1])},
                pixels, 1024)


def jpegs_in(data):
    """The JPEGs that lie whole in these bytes, from their first to their last marker (in a pack that --resize made)."""
    found, at = [], data.find(b"\xff\xd8\xff")
    while at >= 0:
        end = data.find(b"\xff\xd9", at)
        if end < 0:
            break
        found.append(data[at:end + 2])
        at = data.find(b"\xff\xd8\xff", end)
    return found
